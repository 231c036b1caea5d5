/** A plan in an opened work tree: state, resume, the engine with its ports, and the end. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { createCheckpointer } from '../checkpoint/checkpointer.js';
import { noticeText, type SaverNotice } from '../checkpoint/save-notice.js';
import { Saver } from '../checkpoint/saver.js';
import type { Ports } from '../engine/ports.js';
import { runPlan } from '../engine/run.js';
import type { Project } from '../gates/project.js';
import type { JournalEvent } from '../journal/event.js';
import { type Journal, openJournal } from '../journal/journal.js';
import { apply, fold, newestSnapshot, type RunState } from '../journal/state.js';
import type { Plan } from '../plan/plan.js';
import type { Provider } from '../providers/provider.js';
import { createLiveReport, type LiveReport } from '../report/live.js';
import type { HandedEnvironment } from '../security/environment.js';
import { openSessionShelf } from '../sessions/session-shelf.js';
import { createSessionStore } from '../sessions/session-store.js';
import { systemClock } from '../system/clock.js';
import { processRunner } from '../system/run-process.js';
import { readOutput } from '../workspace/read-output.js';
import type { Workspace } from '../workspace/workspace.js';
import { agentEnvironment, createAgents } from './agents.js';
import { type Ending, tellFailure, writeEnding } from './finish.js';
import { createGates } from './gates.js';
import { createHandover, type HandoverFile, privatePaths } from './handover.js';
import { type Resumed, resume } from './resume.js';
import { createSessions } from './sessions.js';
import { jobIdentity, type Setting } from './setting.js';
import { bindingOf, openState, type StatePlace } from './state.js';

export interface RunRequest {
  readonly setting: Setting;
  readonly plan: Plan;
  readonly project: Project;
  readonly workspace: Workspace;
  readonly privateDirectory: string;
  readonly gateEnvironment: HandedEnvironment;
  readonly signal: AbortSignal;
}

/** Exit code. */
export async function runInWorkspace(request: RunRequest): Promise<number> {
  const stage = await setStage(request);
  const state = await play(request, stage);
  return end(request, stage, state);
}

/** Everything that stands once the run can begin. */
interface Stage {
  readonly state: StatePlace;
  readonly saver: Saver;
  readonly resumed: Resumed;
  /** The fold that the run begins with. */
  readonly before: RunState;
  readonly journal: Journal;
  readonly ports: Ports;
  readonly live: LiveReport;
  readonly handover: HandoverFile;
}

async function setStage(request: RunRequest): Promise<Stage> {
  const { setting, plan, workspace, privateDirectory } = request;
  const { inputs, log } = setting;
  const live = createLiveReport(log, workspace.directory);
  const state = await openState(setting, privateDirectory);
  if (state.obstacle !== undefined)
    live.warn(
      `No checkpoint can be stored: ${state.obstacle}. A re-run of this job will start afresh, or from an earlier checkpoint.`,
    );
  const paths = privatePaths(privateDirectory);
  const sessions = createSessionStore();
  const shelf = openSessionShelf(paths.sessions);
  const environmentOf = environments(setting);
  const { writer, jobAttempt, ...place } = bindingOf(setting);
  const resumed = await resume({
    mode: inputs.resume,
    request: { store: state.store, secrets: state.secrets, place, jobAttempt },
    plan,
    job: jobIdentity(setting),
    workspace,
    sessions,
    shelf,
    providers: setting.providers,
    environmentOf,
    say: live.say,
    warn: live.warn,
  });
  writeFileSync(paths.journal, resumed.events.map((event) => `${JSON.stringify(event)}\n`).join(''), {
    mode: 0o600,
  });
  const binding = { ...place, writer, jobAttempt };
  const { seen, restored } = resumed;
  const keys = { ...(seen === undefined ? {} : { seen }), ...(restored === undefined ? {} : { restored }) };
  const handover = createHandover(privateDirectory, {
    directory: workspace.directory,
    binding,
    usedSequence: 0,
    ...keys,
    storedEvents: 0,
    placed: sessions.placed(),
    isDone: false,
  });
  const onNotice = (notice: SaverNotice) => tellNotice(live, setting, state, notice, binding.stateName);
  const saver = new Saver({ store: state.store, clock: systemClock, binding, ...keys, onNotice });
  const journal = openJournal(paths.journal, () => systemClock.now());
  const before = openRun(request, journal, resumed);
  const agents = createAgents({
    ...setting,
    processes: processRunner,
    passEnv: inputs.passEnv,
    directory: workspace.directory,
    isRoot: userInfo().uid === 0,
    onProcess: (agentPid) => handover.update({ agentPid }),
    debug: log.debug,
  });
  const ports: Ports = {
    journal,
    workspace,
    agents,
    gates: createGates({
      processes: processRunner,
      project: request.project,
      clock: systemClock,
      commands: [{ name: 'the input `commands`', commands: inputs.commands }],
      directory: workspace.directory,
      handed: request.gateEnvironment,
      log,
    }),
    sessions: createSessions({
      store: sessions,
      shelf,
      directory: workspace.directory,
      environmentOf,
      onPlaced: () => handover.update({ placed: sessions.placed() }),
      warn: live.warn,
    }),
    checkpoints: createCheckpointer({
      saver,
      secrets: state.secrets,
      workspace,
      shelf,
      journalFile: paths.journal,
      isOff: state.obstacle !== undefined,
      onStored: (storedEvents) => handover.update({ storedEvents, usedSequence: saver.usedSequence }),
    }),
    reporter: live,
    clock: systemClock,
    newId: randomUUID,
    readOutput: (name) => readOutput(workspace.directory, name),
  };
  return { state, saver, resumed, before, journal, ports, live, handover };
}

function environments(setting: Setting): (provider: Provider) => Readonly<Record<string, string>> {
  return (provider) => agentEnvironment(provider, { ...setting, passEnv: setting.inputs.passEnv });
}

/** Writes down that this job begins, and what of the earlier ones does not hold any more. */
function openRun({ setting, plan, workspace }: RunRequest, journal: Journal, resumed: Resumed): RunState {
  const started = {
    type: 'job-started',
    jobAttempt: setting.job.jobAttempt,
    job: jobIdentity(setting),
    workflow: plan.workflow,
    startCommit: workspace.startCommit,
    startTree: workspace.startTree,
  } as const;
  const events = [...resumed.decisions, started].map((event): JournalEvent => journal.append(event));
  return events.reduce(apply, fold(resumed.events));
}

function tellNotice(
  live: LiveReport,
  { log }: Setting,
  state: StatePlace,
  notice: SaverNotice,
  stateName: string,
): void {
  const text = noticeText(notice, { store: state.store.title, stateName });
  if (notice.type === 'conflict') log.error(text);
  else live.warn(text);
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

/** A cancelled job has 10 s in all, of which the agent's end took one or two. */
const settleMs = { normal: 60_000, cancelled: 5_000 };

async function end(request: RunRequest, stage: Stage, state: RunState): Promise<number> {
  const { setting, signal, workspace } = request;
  const ending = await endingOf(request, stage, state);
  // First what the runner takes in any case; then what may take too long for it.
  if (signal.aborted) await writeEnding(ending, setting.redact);
  const settled = await stage.saver.settle(signal.aborted ? settleMs.cancelled : settleMs.normal);
  const final = {
    ...ending,
    persisted: settled.persisted,
    warnings: stage.live.warnings(),
    ...(settled.key === undefined ? {} : { checkpoint: settled.key }),
  };
  if (ending.status === 'passed' && setting.inputs.apply === 'none') await workspace.reset(workspace.start);
  await workspace.removeOutput();
  await writeEnding(final, setting.redact);
  stage.handover.update({ isDone: true, usedSequence: stage.saver.usedSequence });
  if (final.status === 'passed') setting.log.info(`✓ ${request.plan.workflow} passed`);
  else tellFailure(setting.log, final);
  return final.status === 'passed' ? 0 : 1;
}

async function endingOf(
  { setting, plan, workspace, privateDirectory }: RunRequest,
  stage: Stage,
  state: RunState,
): Promise<Ending> {
  const { report, patch } = privatePaths(privateDirectory);
  const last = newestSnapshot(state) ?? workspace.start;
  const failedStep = state.ended?.failedStep;
  return {
    plan,
    state,
    status: state.ended?.status ?? 'failed',
    ...(failedStep === undefined ? {} : { failedStep }),
    runId: setting.job.runId,
    jobAttempt: setting.job.jobAttempt,
    startCommit: workspace.startCommit,
    persisted: false,
    resumed: stage.before.steps.size > 0,
    takenOver: new Set(
      [...stage.before.steps.values()].filter((step) => step.status === 'passed').map((step) => step.path),
    ),
    isInCache: setting.inputs.stateStore.kind === 'cache',
    warnings: stage.live.warnings(),
    patch: await workspace.patch(workspace.start, last),
    files: { report, patch },
    now: systemClock.now(),
  };
}
