/** A plan in an opened work tree: state and resume, the engine with its ports, the end. */
import { runPlan } from '../engine/run.js';
import { UserError } from '../failure.js';
import type { Project } from '../gates/project.js';
import { readJournal } from '../journal/journal.js';
import { apply, fold, type RunState } from '../journal/state.js';
import type { Plan } from '../plan/plan.js';
import type { HandedEnvironment } from '../security/environment.js';
import type { Workspace } from '../workspace/workspace.js';
import { endRun } from './end.js';
import { privatePaths } from './handover.js';
import type { Setting } from './setting.js';
import { type Stage, setStage } from './stage.js';

export interface RunRequest {
  readonly setting: Setting;
  readonly plan: Plan;
  readonly project: Project;
  readonly workspace: Workspace;
  readonly privateDirectory: string;
  /** What gates may see. */
  readonly gateEnvironment: HandedEnvironment;
  readonly signal: AbortSignal;
}

/** Exit code. */
export async function runInWorkspace(request: RunRequest): Promise<number> {
  const stage = await setStage(request);
  const state = await play(request, stage).catch((error: unknown) => breakOff(request, stage, error));
  return endRun(request, stage, state);
}

/** A fault in mid-run: what was written down until then still counts, is stored and reported. */
async function breakOff(request: RunRequest, stage: Stage, error: unknown): Promise<RunState> {
  const { setting, privateDirectory } = request;
  stage.live.fault(error instanceof Error ? error.message : String(error));
  if (!(error instanceof UserError) && error instanceof Error)
    setting.log.info(`This is a fault of the action itself. ${error.stack ?? ''}`);
  const broken = fold(readJournal(privatePaths(privateDirectory).journal));
  const failedStep = [...broken.steps.values()].findLast((step) => step.status === 'running')?.path;
  const end = { type: 'run-ended', status: 'failed', jobAttempt: setting.job.jobAttempt } as const;
  const event = stage.ports.journal.append({ ...end, ...(failedStep === undefined ? {} : { failedStep }) });
  const state = apply(broken, event);
  await stage.ports.checkpoints.store(state).catch(() => undefined);
  return state;
}

function play({ setting, plan, signal }: RunRequest, { ports, before, resumed }: Stage): Promise<RunState> {
  const { job, inputs } = setting;
  return runPlan({
    plan,
    ports,
    signal,
    jobAttempt: job.jobAttempt,
    onLostSession: inputs.onLostSession,
    state: before,
    unavailable: resumed.unavailable,
  });
}
