/** A plan in an opened work tree: state and resume, the engine with its ports, the end. */
import { runPlan } from '../engine/run.js';
import type { Project } from '../gates/project.js';
import type { RunState } from '../journal/state.js';
import type { Plan } from '../plan/plan.js';
import type { HandedEnvironment } from '../security/environment.js';
import type { Workspace } from '../workspace/workspace.js';
import { endRun } from './end.js';
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
  const state = await play(request, stage);
  return endRun(request, stage, state);
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
