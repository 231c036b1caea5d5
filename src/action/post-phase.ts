/**
 * The post phase: stores what `main` could not store, records how the job ended (S14), and removes the session
 * files from the runner user's home.
 */

import { rm } from 'node:fs/promises';
import { createCheckpointBuilder, sessionsOf } from '../checkpoint/checkpoint-builder.js';
import { CheckpointWriter } from '../checkpoint/checkpoint-writer.js';
import { saveNoticeText } from '../checkpoint/save-notice.js';
import { openJournal, readJournal } from '../journal/journal.js';
import { applyEvent, foldEvents, lastStepOfSession, type RunState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { openSessionCopies, saveSession } from '../sessions/session-copies.js';
import type { SessionStore } from '../sessions/session-store.js';
import { systemClock } from '../system/clock.js';
import { endLeftovers } from '../system/marked-processes.js';
import { endGroup, signalGroup } from '../system/process-group.js';
import { removeLeftoverWorktrees } from '../workspace/leftover-worktrees.js';
import { repackSnapshots } from '../workspace/repack.js';
import { type ActionContext, jobIdentity } from './action-context.js';
import { openAgentDirectories } from './agent-directories.js';
import { agentEnvironment } from './agents.js';
import { openClis } from './clis.js';
import { markOfRun } from './foreign-code.js';
import { gitEnvironment } from './git-environment.js';
import { openLocalCheckpoint } from './local-checkpoint.js';
import { openHomeSessions, removePlacedSessions } from './open-sessions.js';
import { type PostState, privatePaths, readPostState } from './post-state.js';
import { openStateStorage, stateNameOf } from './state-storage.js';

/** Maximum time for an upload: `post` runs in the job's last minutes. */
const settleMs = 60_000;

export async function post(actionContext: ActionContext, privateDirectory: string): Promise<void> {
  const postState = readPostState(privateDirectory);
  if (postState === undefined) return;
  const { processes } = openClis(actionContext, { directory: postState.directory, canInstall: false });
  const sessions = openHomeSessions(privateDirectory, processes, postState.placed);
  try {
    await stopAgents(postState);
    if (postState.isBegun) await storeFinalState({ actionContext, privateDirectory, postState }, sessions);
  } finally {
    await removeBranchWorktrees(actionContext, privateDirectory, postState);
    if (!actionContext.inputs.keepSessions)
      await removePlacedSessions(actionContext, sessions, postState.directory);
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
}

async function storeFinalState(leftover: LeftoverRun, sessions: SessionStore): Promise<void> {
  const { journal } = privatePaths(leftover.privateDirectory);
  const state = appendJobEnd(leftover.actionContext, journal);
  // Even if nothing can be stored: it also finds the session files to remove.
  if (!leftover.postState.isDone) await copySessions(leftover, sessions, state);
  await storeCheckpoint(leftover, state);
}

/** If `main` was killed, its agents and what they left may still run and write to files that are being packed. */
async function stopAgents({ agentPids, runMarks }: PostState): Promise<void> {
  for (const pid of agentPids) signalGroup(pid, 'SIGTERM');
  const until = Date.now() + 1000;
  await Promise.all(agentPids.map((pid) => endGroup(pid, () => until)));
  if (runMarks !== undefined) await endLeftovers(markOfRun(runMarks), false);
}

async function storeCheckpoint(
  { actionContext, privateDirectory, postState }: LeftoverRun,
  state: RunState,
): Promise<void> {
  const paths = privatePaths(privateDirectory);
  const isPassed = state.runEnded?.status === 'passed';
  // Only a success must be stored: it makes a re-run start fresh. A failed job needs no mark.
  const isMarked = isPassed && actionContext.inputs.jobStatus === 'success';
  if (!isMarked && state.eventCount - 1 <= postState.storedEvents) return;
  const { log } = actionContext;
  const stateStorage = await openStateStorage(actionContext, privateDirectory);
  if (stateStorage.unavailableReason !== undefined) return;
  const checkpointWriter = new CheckpointWriter({
    store: stateStorage.store,
    clock: systemClock,
    binding: postState.binding,
    usedSequence: postState.usedSequence,
    ...defined({ seen: postState.seen, restored: postState.restored }),
    onNotice: (notice) => {
      const names = { store: stateStorage.store.title, stateName: postState.binding.stateName };
      const text = saveNoticeText(notice, { ...names, ...defined({ stored: postState.restored }) });
      // `main` has already reported it if it finished.
      if (postState.isDone) log.info(text);
      else log.warning(text);
    },
  });
  const startCommit = state.jobs.at(-1)?.startCommit ?? actionContext.job.sha;
  const git = {
    directory: postState.directory,
    privateDirectory: paths.git,
    env: gitEnvironment(actionContext.environment),
    startCommit,
  };
  const localContents =
    postState.kept === undefined
      ? undefined
      : await openLocalCheckpoint(privateDirectory, postState.kept, stateStorage.secrets, postState.binding);
  const checkpointBuilder = createCheckpointBuilder({
    checkpointWriter,
    secrets: stateStorage.secrets,
    workspace: { pack: (snapshots) => repackSnapshots(git, snapshots) },
    sessionCopies: openSessionCopies(paths.sessions),
    journalFile: paths.journal,
    isDisabled: false,
    ...defined({ fallbackContents: localContents }),
  });
  await checkpointBuilder.store(state);
  const settled = await checkpointWriter.settle(settleMs);
  if (!isPassed)
    log.info(
      settled.persisted ? `Stored checkpoint \`${settled.key}\`` : 'The last state could not be stored.',
    );
}

function appendJobEnd(actionContext: ActionContext, journalFile: string): RunState {
  const state = foldEvents(readJournal(journalFile));
  const { jobStatus = 'unknown' } = actionContext.inputs;
  const journal = openJournal(journalFile, () => systemClock.now());
  const event = journal.append({
    type: 'job-ended',
    jobAttempt: actionContext.job.jobAttempt,
    job: jobIdentity(actionContext),
    status: jobStatus,
  });
  journal.close();
  return applyEvent(state, event);
}

/** Copies the sessions as they are now, if `main` was killed before it could. */
async function copySessions(
  { actionContext, privateDirectory, postState }: LeftoverRun,
  store: SessionStore,
  state: RunState,
): Promise<void> {
  const sessionCopies = openSessionCopies(privatePaths(privateDirectory).sessions);
  const directoryOf = createSessionDirectoryLookup(actionContext, postState, state);
  for (const { provider: providerId, id } of sessionsOf(state)) {
    const provider = actionContext.providers.find((one) => one.id === providerId);
    if (provider === undefined) continue;
    const environment = agentEnvironment(provider, {
      ...actionContext,
      passEnv: actionContext.inputs.passEnv,
    });
    await saveSession(store, sessionCopies, { provider, id, directory: directoryOf(id), environment });
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
