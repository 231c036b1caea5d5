/** Prepares a run: opens the state, restores what can be restored, and creates the engine's ports. */

import { relative } from 'node:path';
import { Chain } from '../checkpoint/chain.js';
import { CheckpointWriter } from '../checkpoint/checkpoint-writer.js';
import { type SaveNotice, saveNoticeText } from '../checkpoint/save-notice.js';
import type { PreviousRuns } from '../engine/previous-run.js';
import { type JournalEvent, journalVersion, type NewEvent } from '../journal/event.js';
import { createJournal, type JournalFile } from '../journal/journal.js';
import { applyEvent, foldEvents, type RunState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { previousUseOf } from '../plan/previous-use.js';
import { createLiveReport, type LiveReport } from '../report/live-report.js';
import { findTokenSetting, tokenSettingWarning } from '../security/config-tokens.js';
import { stepFilesOf } from '../security/step-files.js';
import { alteredCopyText, openSessionCopies } from '../sessions/session-copies.js';
import { systemClock } from '../system/clock.js';
import { type DiskReserve, openDiskReserve } from '../system/disk-reserve.js';
import { jobIdentity, lineKeyOf } from './action-context.js';
import { openAgentDirectories } from './agent-directories.js';
import { createAgentEnvironments } from './agents.js';
import { buildGatePort, buildWorktreeSetup, createPorts } from './create-ports.js';
import { openEventOfRun } from './event-of-run.js';
import { createForeignCode, createRunMarks, type RunMarks } from './foreign-code.js';
import { openHomeSessions } from './open-sessions.js';
import { watchOutsideSettings } from './outside-settings.js';
import { createPostStateFile, type PostStateFile, privatePaths } from './post-state.js';
import { openPreviousRuns } from './previous-runs.js';
import { type ResumedState, resume, type StillWaiting } from './resume.js';
import type { EarlyRerun, PreparedRun, RunContext, RunRequest } from './run-context.js';
import { bindingOf, formerStateNameOf, type StateStorage, stateNameOf } from './state-storage.js';
import { planSubjectEntry } from './subject-entry-plan.js';

export async function prepareRun(request: RunRequest): Promise<PreparedRun | EarlyRerun> {
  const runContext = createRunContext(request);
  const { live, postState } = runContext;
  const resumed = await resumeRun(runContext, postState);
  if ('waiting' in resumed) {
    runContext.diskReserve.release();
    return { ...resumed, live };
  }
  const newClis = request.clis.newClis();
  if (newClis.length > 0) postState.update({ newClis });
  const ignored = await request.workspace.listIgnoredNames();
  const { journal, before } = startJournal(runContext, resumed, ignored);
  postState.update({ ...keysOf(resumed), isBegun: true });
  const chain = new Chain(resumed.chain);
  const checkpointWriter = openCheckpointWriter(runContext, { resumed, chain }, postState);
  const previous = await findPreviousRuns(runContext, before);
  const ports = createPorts(runContext, {
    journal,
    checkpointWriter,
    chain,
    postState,
    ...defined({ previous }),
  });
  const { diskReserve, stateStorage } = runContext;
  const canStore = stateStorage.unavailableReason === undefined;
  const opened = { journal, ports, checkpointWriter, canStore, live, postState, diskReserve };
  return { ...opened, resumed, initialState: before };
}

function createRunContext(request: RunRequest): RunContext {
  const { actionContext, workspace, privateDirectory, stateStorage } = request;
  const live = createLiveReport(actionContext.log, workspace.directory);
  const runMarks = createRunMarks();
  const agentDirectories = openAgentDirectories({
    temp: actionContext.job.temp,
    stateName: stateNameOf(actionContext),
    directory: workspace.directory,
    prefix: relative(workspace.root, workspace.directory),
  });
  const warning = stateWarning(stateStorage);
  if (warning !== undefined) live.warn(warning);
  if (stateStorage.note !== undefined) live.log(stateStorage.note);
  const diskReserve = openDiskReserve(privateDirectory, (error) =>
    live.warn(
      `The disk of \`RUNNER_TEMP\` is full (${error.message}). The run may end early. Free space on the runner.`,
    ),
  );
  const binding = bindingOf(actionContext);
  const sessions = openHomeSessions(privateDirectory, request.clis.processes);
  // Before anything is restored, because `post` must know every session file that is placed in a home folder.
  const postState = startPostState(request, binding, runMarks, diskReserve);
  const token = findTokenSetting(workspace.checkoutSettings);
  if (token !== undefined) live.warn(tokenSettingWarning(token));
  return {
    request,
    live,
    diskReserve,
    stateStorage,
    binding,
    postState,
    sessions,
    sessionCopies: openSessionCopies({
      directory: privatePaths(privateDirectory).sessions,
      onChange: (copies) => postState.update({ copies }),
      onAltered: (session) => live.warn(alteredCopyText(session)),
    }),
    agentDirectories,
    runMarks,
    foreignCode: createForeignCode({
      marks: runMarks,
      watches: [
        workspace.watch,
        stepFilesOf(actionContext.environment),
        watchOutsideSettings({
          ...actionContext,
          root: workspace.root,
          directory: workspace.directory,
          agentRoot: agentDirectories.root,
        }),
      ],
      warn: live.warn,
    }),
    eventOfRun: openEventOfRun(actionContext, request.plan, request.settings),
    environmentOf: createAgentEnvironments({ ...actionContext, passEnv: actionContext.inputs.passEnv }),
  };
}

/** What a re-run will find, if that is known from the start. */
function stateWarning({ unavailableReason, store }: StateStorage): string | undefined {
  if (unavailableReason !== undefined)
    return `No checkpoint is stored. ${unavailableReason} A re-run of this job starts fresh, or from an earlier checkpoint.`;
  if (store.unreadableReason === undefined) return undefined;
  return `${store.unreadableReason} Checkpoints are stored, but a re-run cannot find them until this changes.`;
}

function resumeRun(runContext: RunContext, postState: PostStateFile): Promise<ResumedState | StillWaiting> {
  const { request, live, stateStorage, sessions } = runContext;
  const { writer: _writer, jobAttempt, ...expected } = runContext.binding;
  return resume({
    ...runContext,
    mode: request.actionContext.inputs.resume,
    request: {
      store: stateStorage.store,
      secrets: stateStorage.secrets,
      expected,
      jobAttempt,
      isShared: request.actionContext.inputs.stateName !== undefined,
      clock: systemClock,
    },
    ...defined({ formerStateName: formerStateNameOf(request.actionContext) }),
    plan: request.plan,
    job: jobIdentity(request.actionContext),
    workspace: request.workspace,
    providers: request.actionContext.providers,
    install: request.install,
    setUpWorktree: () => repeatWorktreeSetup(runContext),
    gates: buildGatePort(runContext),
    signal: request.signal,
    onPlaced: () => postState.update({ placed: sessions.placed() }),
    log: live.log,
    warn: live.warn,
  });
}

/** Runs `worktree-setup` after a restore: git does not restore ignored files such as `node_modules`. Its changes belong to no step. */
async function repeatWorktreeSetup(runContext: RunContext): Promise<void> {
  const { workspace, signal, actionContext } = runContext.request;
  if (actionContext.inputs.worktreeSetup === undefined) return;
  await buildWorktreeSetup(runContext)(workspace.directory, signal);
  await workspace.disown();
}

/** Also notes what `post` stores for later runs, before anything of this run can be worth it. */
async function findPreviousRuns(runContext: RunContext, state: RunState): Promise<PreviousRuns | undefined> {
  const { request, postState } = runContext;
  if (previousUseOf(request.plan) === undefined) return undefined;
  const subjectEntry = await planSubjectEntry(request);
  postState.update({ subjectEntry });
  return openPreviousRuns(runContext, subjectEntry, state);
}

/** Starts the journal of this job: earlier events, decisions that drop some of them, then `job-started`. */
function startJournal(
  { request, diskReserve }: RunContext,
  resumed: ResumedState,
  ignored: readonly string[],
): { readonly journal: JournalFile; readonly before: RunState } {
  const { actionContext, plan, workspace, privateDirectory } = request;
  const journalFile = createJournal({
    file: privatePaths(privateDirectory).journal,
    key: lineKeyOf(actionContext, privateDirectory),
    now: () => systemClock.now(),
    earlier: resumed.events,
  });
  const append = (event: NewEvent) => diskReserve.use(() => journalFile.append(event));
  const journal = { ...journalFile, append };
  const started = {
    type: 'job-started',
    version: journalVersion,
    jobAttempt: actionContext.job.jobAttempt,
    job: jobIdentity(actionContext),
    workflow: plan.workflow,
    startCommit: workspace.startCommit,
    startTree: resumed.startTree,
    ignored,
  } as const;
  const events = [...resumed.decisions, started].map((event): JournalEvent => journal.append(event));
  return { journal, before: events.reduce(applyEvent, foldEvents(resumed.events)) };
}

function startPostState(
  { actionContext, workspace, privateDirectory, sealingVariables }: RunRequest,
  binding: RunContext['binding'],
  runMarks: RunMarks,
  diskReserve: DiskReserve,
): PostStateFile {
  const postState = createPostStateFile(privateDirectory, lineKeyOf(actionContext, privateDirectory), {
    directory: workspace.directory,
    prefix: relative(workspace.root, workspace.directory),
    agentPids: [],
    runMarks,
    sealingVariables,
    binding,
    usedSequence: 0,
    storedEvents: 0,
    isBegun: false,
    copies: {},
    placed: [],
    isDone: false,
  });
  return { update: (change) => diskReserve.use(() => postState.update(change)) };
}

function openCheckpointWriter(
  { live, stateStorage, binding }: RunContext,
  { resumed, chain }: { readonly resumed: ResumedState; readonly chain: Chain },
  postState: PostStateFile,
): CheckpointWriter {
  const { stateName } = binding;
  const onNotice = (notice: SaveNotice) => {
    const facts = {
      store: stateStorage.store.title,
      stateName,
      ...defined({ stored: checkpointWriter.newest }),
    };
    reportNotice(live, saveNoticeText(notice, facts), notice);
  };
  const checkpointWriter: CheckpointWriter = new CheckpointWriter({
    store: stateStorage.store,
    clock: systemClock,
    binding,
    ...keysOf(resumed),
    hasLookupFailed: resumed.hasLookupFailed ?? false,
    onSequence: (usedSequence) => postState.update({ usedSequence }),
    onStored(restored, storedEvents) {
      chain.confirm(restored);
      const isInArtifacts = stateStorage.hasChanged() ? true : undefined;
      postState.update({
        ...{ restored, storedEvents, storedBytes: chain.storedBytes },
        ...defined({ isInArtifacts }),
      });
    },
    keysOf: (key) => chain.keysOf(key),
    onNotice,
  });
  return checkpointWriter;
}

function keysOf({ seen, restored }: ResumedState): { readonly seen?: string; readonly restored?: string } {
  return defined({ seen, restored });
}

function reportNotice(live: LiveReport, text: string, notice: SaveNotice): void {
  if (notice.type === 'conflict') live.error(text);
  else live.warn(text);
}
