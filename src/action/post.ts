/**
 * The post phase: stores what `main` could not, writes down how the job ended (S14), and takes away what
 * was put into the runner user's home.
 */

import { rm } from 'node:fs/promises';
import { createCheckpointer, sessionsOf } from '../checkpoint/checkpointer.js';
import { noticeText } from '../checkpoint/save-notice.js';
import { Saver } from '../checkpoint/saver.js';
import { openJournal, readJournal } from '../journal/journal.js';
import { apply, fold, lastUserOf, type RunState } from '../journal/state.js';
import { defined } from '../optional-keys.js';
import type { HomeSessions } from '../sessions/home-sessions.js';
import { openSessionShelf, shelve } from '../sessions/session-shelf.js';
import { systemClock } from '../system/clock.js';
import { endGroup, signalGroup } from '../system/process-group.js';
import { removeLeftoverUnits } from '../workspace/leftover-units.js';
import { repack } from '../workspace/repack.js';
import { agentEnvironment } from './agents.js';
import { openClis } from './clis.js';
import { gitEnvironment } from './git-environment.js';
import { type Handover, privatePaths, readHandover } from './handover.js';
import { openSessions, takeAway } from './home.js';
import { openKept } from './kept-checkpoint.js';
import { openPlaces } from './places.js';
import { jobIdentity, type Setting } from './setting.js';
import { openState, stateNameOf } from './state.js';

/** `post` has the job's last minutes; an upload gets at most this long. */
const settleMs = 60_000;

export async function post(setting: Setting, privateDirectory: string): Promise<void> {
  const left = readHandover(privateDirectory);
  if (left === undefined) return;
  const { processes } = openClis(setting, { directory: left.directory, mayInstall: false });
  const sessions = openSessions(privateDirectory, processes, left.placed);
  try {
    await endAgents(left);
    if (left.isBegun) await finish({ setting, privateDirectory, left }, sessions);
  } finally {
    const { directory } = left;
    await removeUnits(setting, privateDirectory, left);
    if (!setting.inputs.keepSessions)
      await takeAway(setting, privateDirectory, processes, { directory, placed: sessions.placed() });
  }
}

/** The work trees of units that `main` came not to take away. */
async function removeUnits(
  setting: Setting,
  privateDirectory: string,
  { directory, prefix }: Handover,
): Promise<void> {
  const { root } = openPlaces({ temp: setting.job.temp, stateName: stateNameOf(setting), directory, prefix });
  const git = {
    directory,
    privateDirectory: privatePaths(privateDirectory).git,
    env: gitEnvironment(setting.environment),
  };
  // A repository that an agent has removed has none either.
  await removeLeftoverUnits(git, root).catch((error: unknown) => setting.log.debug(String(error)));
  await rm(root, { recursive: true, force: true });
}

/** A `main` that left a journal, and where. */
interface Rest {
  readonly setting: Setting;
  readonly privateDirectory: string;
  readonly left: Handover;
}

async function finish(rest: Rest, sessions: HomeSessions): Promise<void> {
  const { journal } = privatePaths(rest.privateDirectory);
  const state = appendJobEnd(rest.setting, journal);
  // Also where nothing can be stored: what is found is what has to be taken away.
  if (!rest.left.isDone) await keepSessions(rest, sessions, state);
  await storeRest(rest, state);
}

/** `main` was killed: its agents may live on, and would write into files that are being packed. */
async function endAgents({ agentPids }: Handover): Promise<void> {
  for (const pid of agentPids) signalGroup(pid, 'SIGTERM');
  const until = Date.now() + 1000;
  await Promise.all(agentPids.map((pid) => endGroup(pid, () => until)));
}

async function storeRest({ setting, privateDirectory, left }: Rest, state: RunState): Promise<void> {
  const paths = privatePaths(privateDirectory);
  const isPassed = state.ended?.status === 'passed';
  // A job that failed needs no mark of it: only a success tells a re-run to start afresh.
  const isMarked = isPassed && setting.inputs.jobStatus === 'success';
  if (!isMarked && state.events - 1 <= left.storedEvents) return;
  const { log } = setting;
  const place = await openState(setting, privateDirectory);
  if (place.obstacle !== undefined) return;
  const saver = new Saver({
    store: place.store,
    clock: systemClock,
    binding: left.binding,
    usedSequence: left.usedSequence,
    ...defined({ seen: left.seen, restored: left.restored }),
    onNotice: (notice) => {
      const names = { store: place.store.title, stateName: left.binding.stateName };
      const stored = left.restored === undefined ? {} : { stored: left.restored };
      const text = noticeText(notice, { ...names, ...stored });
      // What `main` came to the end of it has told already.
      if (left.isDone) log.info(text);
      else log.warning(text);
    },
  });
  const startCommit = state.jobs.at(-1)?.startCommit ?? setting.job.sha;
  const git = {
    directory: left.directory,
    privateDirectory: paths.git,
    env: gitEnvironment(setting.environment),
    startCommit,
  };
  const kept =
    left.kept === undefined
      ? undefined
      : await openKept(privateDirectory, left.kept, place.secrets, left.binding);
  const checkpointer = createCheckpointer({
    saver,
    secrets: place.secrets,
    workspace: { pack: (snapshots) => repack(git, snapshots) },
    shelf: openSessionShelf(paths.sessions),
    journalFile: paths.journal,
    isOff: false,
    ...defined({ kept }),
  });
  await checkpointer.store(state);
  const settled = await saver.settle(settleMs);
  if (!isPassed)
    log.info(
      settled.persisted ? `Stored the checkpoint ${settled.key}.` : 'The last state could not be stored.',
    );
}

function appendJobEnd(setting: Setting, journalFile: string): RunState {
  const state = fold(readJournal(journalFile));
  const { jobStatus = 'unknown' } = setting.inputs;
  const journal = openJournal(journalFile, () => systemClock.now());
  const event = journal.append({
    type: 'job-ended',
    jobAttempt: setting.job.jobAttempt,
    job: jobIdentity(setting),
    status: jobStatus,
  });
  journal.close();
  return apply(state, event);
}

/** The sessions as they are now, for a `main` that was killed before it could copy them. */
async function keepSessions(
  { setting, privateDirectory, left }: Rest,
  store: HomeSessions,
  state: RunState,
): Promise<void> {
  const shelf = openSessionShelf(privatePaths(privateDirectory).sessions);
  const directoryOf = directories(setting, left, state);
  for (const { provider: providerId, id } of sessionsOf(state)) {
    const provider = setting.providers.find((one) => one.id === providerId);
    if (provider === undefined) continue;
    const environment = agentEnvironment(provider, { ...setting, passEnv: setting.inputs.passEnv });
    const kept = await store.keep({ provider, id, directory: directoryOf(id), environment });
    if (kept.status === 'kept') await shelve(shelf, provider, id, kept.files);
  }
}

/** Session → the directory that it was last at work in. */
function directories(setting: Setting, { directory, prefix }: Handover, state: RunState) {
  const places = openPlaces({ temp: setting.job.temp, stateName: stateNameOf(setting), directory, prefix });
  return (id: string): string => {
    const user = lastUserOf(state, id);
    return user === undefined ? directory : places.directoryOf(user.step, user.attempt);
  };
}
