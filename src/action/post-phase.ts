/**
 * The post phase: stores what `main` could not store, records how the job ended (S14), and removes the session
 * files from the runner user's home.
 *
 * What `main` left on disk could be written by agents, also between the end of `main` and now. So everything that is
 * used of it is either sealed by `main` line by line (journal, post state), or named there by its hash (session
 * copies, local checkpoint) or by its git object id (trees). Nothing else counts, not even as "interrupted".
 */

import { rm } from 'node:fs/promises';
import { Chain } from '../checkpoint/chain.js';
import { createCheckpointBuilder, sessionsOf } from '../checkpoint/checkpoint-builder.js';
import { parseKey, prefixesOfAttempt } from '../checkpoint/checkpoint-key.js';
import type { CheckpointStore } from '../checkpoint/checkpoint-store.js';
import { CheckpointWriter } from '../checkpoint/checkpoint-writer.js';
import { extendEntry, sealExtended } from '../checkpoint/extend-entry.js';
import { saveNoticeText } from '../checkpoint/save-notice.js';
import { readBinding } from '../checkpoint/seal.js';
import type { JournalEvent } from '../journal/event.js';
import { formatJournal, readJournalFile } from '../journal/journal.js';
import { foldEvents, lastStepOfSession, type RunState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import {
  alteredCopyText,
  openSessionCopies,
  type SessionCopies,
  saveSession,
} from '../sessions/session-copies.js';
import type { SessionStore } from '../sessions/session-store.js';
import { systemClock } from '../system/clock.js';
import { endLeftovers } from '../system/marked-processes.js';
import { endGroup, signalGroup } from '../system/process-group.js';
import { removeLeftoverWorktrees, restoreSetAsideSettings } from '../workspace/clean-leftovers.js';
import { repackSnapshots } from '../workspace/repack.js';
import type { Workspace } from '../workspace/workspace.js';
import { type ActionContext, jobIdentity, lineKeyOf } from './action-context.js';
import { openAgentDirectories } from './agent-directories.js';
import { agentEnvironment } from './agents.js';
import { openClis } from './clis.js';
import { markOfRun } from './foreign-code.js';
import { gitEnvironment } from './git-environment.js';
import { openLocalCheckpoint, readLocalContents } from './local-checkpoint.js';
import { openHomeSessions, removePlacedSessions } from './open-sessions.js';
import { type PostState, privatePaths, readPostState } from './post-state.js';
import { writeResults } from './results-folder.js';
import { openStateStorage, type StateStorage, stateNameOf } from './state-storage.js';
import { storeNewClis } from './store-clis.js';
import { storeSubjectEntry } from './store-subject-entry.js';

/** Maximum time for an upload: `post` runs in the job's last minutes. */
const settleMs = 60_000;

export async function post(actionContext: ActionContext, privateDirectory: string): Promise<void> {
  const { postState, isAltered } = readPostState(
    privateDirectory,
    lineKeyOf(actionContext, privateDirectory),
  );
  if (isAltered) actionContext.log.warning(alteredFileText);
  if (postState === undefined) return;
  const { processes } = openClis(actionContext, { directory: postState.directory, canInstall: false });
  const sessions = openHomeSessions(privateDirectory, processes, postState.placed);
  let storage: Promise<StateStorage> | undefined;
  // At most once, because it changes the working directory of the process.
  const openStorage = () => {
    const { sealingVariables, isInArtifacts } = postState;
    storage ??= openStateStorage(actionContext, privateDirectory, sealingVariables, isInArtifacts);
    return storage;
  };
  try {
    await stopAgents(postState);
    if (!postState.isDone) putSettingsBack(actionContext, privateDirectory);
    if (postState.isBegun)
      await storeFinalState({ actionContext, privateDirectory, postState, openStorage }, sessions);
  } finally {
    await removeBranchWorktrees(actionContext, privateDirectory, postState);
    if (!actionContext.inputs.keepSessions)
      await removePlacedSessions(actionContext, sessions, postState.directory);
  }
  await storeNewClis(actionContext, postState, openStorage);
}

const alteredFileText =
  "Another program changed the files that `main` left for `post`. `post` uses only what `main` wrote before that change. Find out which step writes to the action's files below RUNNER_TEMP.";

const shortenedFileText =
  "Another program shortened the files that `main` left for `post`. `post` stores nothing, and a re-run continues from the last stored checkpoint. Find out which step writes to the action's files below RUNNER_TEMP.";

/** Early, because the job may end `post` while it stores the state. */
function putSettingsBack({ log }: ActionContext, privateDirectory: string): void {
  try {
    restoreSetAsideSettings(privatePaths(privateDirectory).git);
  } catch (error) {
    log.debug(String(error));
  }
}

/** Removes worktrees of parallel branches that `main` left. */
async function removeBranchWorktrees(
  actionContext: ActionContext,
  privateDirectory: string,
  { directory, prefix }: PostState,
): Promise<void> {
  const { root } = openAgentDirectories({
    temp: actionContext.job.temp,
    stateName: stateNameOf(actionContext),
    directory,
    prefix,
  });
  removeLeftoverWorktrees(privatePaths(privateDirectory).git, root);
  await rm(root, { recursive: true, force: true });
}

/** A run whose `main` left a journal. */
interface LeftoverRun {
  readonly actionContext: ActionContext;
  readonly privateDirectory: string;
  readonly postState: PostState;
  openStorage(): Promise<StateStorage>;
}

async function storeFinalState(leftover: LeftoverRun, sessions: SessionStore): Promise<void> {
  const { privateDirectory, postState } = leftover;
  const events = readFinalEvents(leftover);
  const state = foldEvents(events);
  // First, because the job may end `post` while it stores the state. `main` has written them if it finished.
  if (!postState.isDone) writeResults(privatePaths(privateDirectory).results, state, leftover.actionContext);
  const sessionCopies = openSessionCopies({
    directory: privatePaths(privateDirectory).sessions,
    index: postState.copies,
    onAltered: (session) => leftover.actionContext.log.warning(alteredCopyText(session)),
  });
  // Even if nothing can be stored: it also finds the session files to remove.
  if (!postState.isDone) await copySessions(leftover, { sessions, sessionCopies }, state);
  await storeCheckpoint(leftover, { events, state, sessionCopies });
  await storeForLaterRuns(leftover, state, sessionCopies);
}

/** After the checkpoint, because a re-run of this run is more likely than another run. */
async function storeForLaterRuns(
  { actionContext, postState, openStorage }: LeftoverRun,
  state: RunState,
  sessionCopies: SessionCopies,
): Promise<void> {
  const { subjectEntry: plan } = postState;
  if (plan === undefined) return;
  const storage = await openStorage();
  await storeSubjectEntry({ actionContext, postState, plan, state, sessionCopies, storage });
}

interface FinalState {
  readonly events: readonly JournalEvent[];
  readonly state: RunState;
  readonly sessionCopies: SessionCopies;
}

/** If `main` was killed, its agents and what they left may still run and write to files that are being packed. */
async function stopAgents({ agentPids, runMarks }: PostState): Promise<void> {
  for (const pid of agentPids) signalGroup(pid, 'SIGTERM');
  const until = Date.now() + 1000;
  await Promise.all(agentPids.map((pid) => endGroup(pid, () => until)));
  if (runMarks !== undefined) await endLeftovers(markOfRun(runMarks), false);
}

async function storeCheckpoint(
  leftover: LeftoverRun,
  { events, state, sessionCopies }: FinalState,
): Promise<void> {
  const { actionContext, privateDirectory, postState, openStorage } = leftover;
  const isPassed = state.runEnded?.status === 'passed';
  // Only a success must be stored: it makes a re-run start fresh. A failed job needs no mark.
  const isMarked = isPassed && actionContext.inputs.jobStatus === 'success';
  if (!isMarked && state.eventCount - 1 <= postState.storedEvents) return;
  const { log } = actionContext;
  const stateStorage = await openStorage();
  if (stateStorage.unavailableReason !== undefined) return;
  if (state.eventCount - 1 < postState.storedEvents || (await isNewerStored(postState, stateStorage.store)))
    return log.warning(shortenedFileText);
  const checkpointWriter = new CheckpointWriter({
    store: stateStorage.store,
    clock: systemClock,
    binding: postState.binding,
    usedSequence: postState.usedSequence,
    ...defined({ seen: postState.seen, restored: postState.restored }),
    keysOf: (key) => [...(extended?.chain ?? []).map((link) => link.key), key],
    onNotice: (notice) => {
      const names = { store: stateStorage.store.title, stateName: postState.binding.stateName };
      const text = saveNoticeText(notice, { ...names, ...defined({ stored: postState.restored }) });
      // `main` has already reported it if it finished.
      if (postState.isDone) log.info(text);
      else log.warning(text);
    },
  });
  const local =
    postState.kept === undefined
      ? undefined
      : await openLocalCheckpoint(privateDirectory, postState.kept, stateStorage.secrets, postState.binding);
  const journal = formatJournal(events);
  const { secrets, store } = stateStorage;
  // Faster than a whole checkpoint, and the service has the rest already.
  const extended = local && extendEntry(local.opened, journal);
  if (extended !== undefined)
    await checkpointWriter.save((binding) => sealExtended(extended, binding, secrets), state.eventCount);
  else {
    const findFallback = local && (() => readLocalContents(local, store, postState.binding));
    await createCheckpointBuilder({
      checkpointWriter,
      secrets,
      chain: new Chain(() => ({ entries: [], storedBytes: postState.storedBytes ?? 0 })),
      workspace: openPacking(leftover, state),
      sessionCopies,
      journal: () => journal,
      isDisabled: false,
      ...defined({ findFallback }),
    }).store(state);
  }
  const settled = await checkpointWriter.settle(settleMs);
  if (!isPassed)
    log.info(
      settled.persisted ? `Stored checkpoint \`${settled.key}\`` : 'The last state could not be stored.',
    );
}

/** Packs what `main` recorded. */
function openPacking(
  { actionContext, privateDirectory, postState }: LeftoverRun,
  state: RunState,
): Pick<Workspace, 'pack'> {
  const options = {
    directory: postState.directory,
    privateDirectory: privatePaths(privateDirectory).git,
    env: gitEnvironment(actionContext.environment),
    startCommit: state.jobs.at(-1)?.startCommit ?? actionContext.job.sha,
  };
  return { pack: (snapshots, packed) => repackSnapshots(options, snapshots, packed) };
}

/**
 * Whether `main` stored more than it left on disk: the end of its files is missing. `main` notes each sequence
 * before it uses it. Storing the older state again would hide the newer one.
 */
async function isNewerStored({ binding, usedSequence }: PostState, store: CheckpointStore): Promise<boolean> {
  const found = await store.findNewest(prefixesOfAttempt(binding, binding.jobAttempt));
  if (found === undefined || (parseKey(found)?.sequence ?? 0) <= usedSequence) return false;
  const sealed = await store.read(found);
  return sealed !== undefined && readBinding(sealed)?.writer === binding.writer;
}

/** The events that `main` recorded, and how the job ended. */
function readFinalEvents({ actionContext, privateDirectory }: LeftoverRun): readonly JournalEvent[] {
  const file = privatePaths(privateDirectory).journal;
  const { events, isAltered } = readJournalFile(file, lineKeyOf(actionContext, privateDirectory));
  if (isAltered) actionContext.log.warning(alteredFileText);
  const { jobStatus = 'unknown' } = actionContext.inputs;
  const jobEnd: JournalEvent = {
    type: 'job-ended',
    jobAttempt: actionContext.job.jobAttempt,
    job: jobIdentity(actionContext),
    status: jobStatus,
    at: systemClock.now(),
  };
  return [...events, jobEnd];
}

/** Copies the sessions as they are now, if `main` was killed before it could. */
async function copySessions(
  { actionContext, postState }: LeftoverRun,
  { sessions, sessionCopies }: { readonly sessions: SessionStore; readonly sessionCopies: SessionCopies },
  state: RunState,
): Promise<void> {
  const directoryOf = createSessionDirectoryLookup(actionContext, postState, state);
  for (const { provider: providerId, id } of sessionsOf(state)) {
    const provider = actionContext.providers.find((one) => one.id === providerId);
    if (provider === undefined) continue;
    const environment = agentEnvironment(provider, {
      ...actionContext,
      passEnv: actionContext.inputs.passEnv,
    });
    await saveSession(sessions, sessionCopies, { provider, id, directory: directoryOf(id), environment });
  }
}

/** Session id → the directory of its last attempt. */
function createSessionDirectoryLookup(
  actionContext: ActionContext,
  { directory, prefix }: PostState,
  state: RunState,
) {
  const agentDirectories = openAgentDirectories({
    temp: actionContext.job.temp,
    stateName: stateNameOf(actionContext),
    directory,
    prefix,
  });
  return (id: string): string => {
    const user = lastStepOfSession(state, id);
    return user === undefined ? directory : agentDirectories.directoryOf(user.step, user.attempt);
  };
}
