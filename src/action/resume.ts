/**
 * The start of a run in a job: finds the newest checkpoint that opens, decides which results are still valid, and
 * restores files and sessions. What a restored state means for each step is up to the engine.
 */

import { askStore } from '../checkpoint/ask-store.js';
import type { StoredChain } from '../checkpoint/chain.js';
import { sessionsOf, snapshotsOf } from '../checkpoint/checkpoint-builder.js';
import type { CheckpointContents } from '../checkpoint/checkpoint-contents.js';
import { prefixesOfAttempt } from '../checkpoint/checkpoint-key.js';
import { type RecordedRun, readRecordedRun } from '../checkpoint/recorded-run.js';
import {
  type RestoreRequest,
  type RestoreResult,
  refusedCheckpointText,
  restore,
} from '../checkpoint/restore.js';
import { stillWaits } from '../engine/limits/still-waits.js';
import { UserError } from '../failure.js';
import type { JournalEvent, NewEvent } from '../journal/event.js';
import { foldEvents, lastAttemptOfSession, lastStepOfSession, type RunState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import type { Provider } from '../providers/provider.js';
import type { SessionCopies } from '../sessions/session-copies.js';
import type { SessionStore } from '../sessions/session-store.js';
import type { Workspace } from '../workspace/workspace.js';
import type { AgentDirectories } from './agent-directories.js';
import { needsStartCommit, type ReuseOptions, reuseResults } from './reuse-results.js';

export interface ResumeOptions extends Omit<ReuseOptions, 'jobAttempt' | 'onStartOver'> {
  readonly mode: 'auto' | 'require' | 'never';
  readonly request: RestoreRequest;
  /** Where version 0.1.0 stored the state, if that is another name. */
  readonly formerStateName?: string;
  /** Awaited before anything is restored: a run that cannot start changes no file. */
  install(): Promise<void>;
  readonly sessions: SessionStore;
  readonly agentDirectories: AgentDirectories;
  readonly sessionCopies: SessionCopies;
  readonly providers: readonly Provider[];
  environmentOf(provider: Provider): Readonly<Record<string, string>>;
  /** Called after each session, so that `post` knows what to remove. */
  onPlaced(): void;
}

export interface ResumedState {
  /** The events that the journal of this job begins with. */
  readonly events: readonly JournalEvent[];
  /** The events that this job appends first. */
  readonly decisions: readonly NewEvent[];
  /** The start tree for which the reused results are known to hold. */
  readonly startTree: string;
  readonly unavailable: ReadonlyMap<string, 'session-lost' | 'session-ahead'>;
  readonly restored?: string;
  /** What the checkpoints of this job can build on. */
  readonly chain?: () => StoredChain;
  readonly seen?: string;
  /** The look-up failed, so it is unknown which checkpoints of this job attempt exist. */
  readonly hasLookupFailed?: boolean;
}

interface FoundCheckpoint {
  readonly events: readonly JournalEvent[];
  readonly contents?: CheckpointContents;
  readonly restored?: string;
  readonly chain?: () => StoredChain;
  readonly seen?: string;
  readonly hasLookupFailed?: boolean;
}

/** A run that waits for the model service, restored before anything can be done. Its checkpoint stays the newest. */
export interface StillWaiting {
  readonly waiting: RunState;
  /** Absent: it was stored under another name. */
  readonly restored?: string;
}

export async function resume(options: ResumeOptions): Promise<ResumedState | StillWaiting> {
  const { workspace } = options;
  const found = await findCheckpoint(options);
  const state = foldEvents(found.events);
  if (comesTooEarly(options, state)) return { waiting: state, ...defined({ restored: found.restored }) };
  await options.install();
  if (found.contents === undefined)
    return { ...found, startTree: workspace.startTree, decisions: [], unavailable: new Map() };
  const restored = await reuseResults(
    {
      ...options,
      jobAttempt: options.request.jobAttempt,
      onStartOver: (cause) => reportNoCheckpoint(options, cause),
    },
    found.contents.packs,
    state,
  );
  const unavailable = await restoreSessions(options, found.contents, restored.state);
  const { decisions, startTree } = restored;
  return { ...found, decisions, startTree, unavailable };
}

/** On another start tree, other steps may have work to do. */
function comesTooEarly({ plan, job, request, workspace }: ResumeOptions, state: RunState): boolean {
  const { jobAttempt, clock } = request;
  if (state.jobs.at(-1)?.startTree !== workspace.startTree) return false;
  return stillWaits({ plan, state, job, jobAttempt }, clock.now());
}

async function findCheckpoint(options: ResumeOptions): Promise<FoundCheckpoint> {
  const { request, mode } = options;
  if (mode === 'never') return ignoreCheckpoints(options);
  let recorded: RecordedRun | undefined;
  const findRefusal: RestoreRequest['findRefusal'] = async (entries) => {
    const result = readRecordedRun(entries);
    if (result.status === 'refused') return result;
    const detail = await findMissingFiles(options.workspace, result);
    if (detail !== undefined) return { reason: 'bad-content', detail };
    recorded = result;
    return undefined;
  };
  const restored = await restoreUnderAnyName(options, { ...request, findRefusal });
  if (restored.status !== 'none')
    for (const refused of restored.refused) options.warn(refusedCheckpointText(refused));
  const seen = defined({ seen: restored.seen });
  if (restored.status === 'opened' && recorded !== undefined) {
    const { key, binding } = restored;
    options.log(`Opened checkpoint \`${key}\` of job attempt ${binding.jobAttempt}`);
    const found = { events: recorded.events, contents: recorded.contents };
    // This job stores under its own name, where that key means nothing.
    return binding.stateName === request.expected.stateName
      ? { ...found, restored: key, ...defined({ chain: restored.chain }), ...seen }
      : { ...found, ...seen };
  }
  // The user must not pay a second time without knowing.
  const obstacle = findObstacle(restored, request);
  if (obstacle !== undefined) throw new UserError(obstacle);
  if (restored.status === 'unanswered') return { events: [], ...seen, hasLookupFailed: true };
  reportNoCheckpoint(
    options,
    restored.status === 'none' ? restored.lastError : 'none of the checkpoints that were found could be used',
  );
  const hasLookupFailed = restored.status === 'none' && restored.lastError !== undefined;
  return { events: [], ...seen, hasLookupFailed };
}

/** A run that began with version 0.1.0 has its oldest checkpoints under another name. */
async function restoreUnderAnyName(
  { formerStateName }: ResumeOptions,
  request: RestoreRequest,
): Promise<RestoreResult> {
  const own = await restore(request);
  const refused = own.status === 'refused' ? own.refused : [];
  const isOver = own.status === 'opened' || own.status === 'unanswered' || request.jobAttempt === 1;
  if (isOver || formerStateName === undefined || isUnreadable(own)) return own;
  const former = await restore({
    ...request,
    expected: { ...request.expected, stateName: formerStateName },
  });
  const seen = defined({ seen: own.seen });
  if (former.status !== 'none') return { ...former, ...seen, refused: [...refused, ...former.refused] };
  return refused.length === 0 ? { ...former, ...seen } : own;
}

function isUnreadable(result: RestoreResult): boolean {
  return result.status === 'none' && result.lastError !== undefined;
}

/**
 * Why the recorded files cannot be restored. An agent of the job that stored them may have changed git objects. Not
 * known yet for a state of version 0.1.0 if the checkout is at another commit; `reuseResults` handles that.
 */
async function findMissingFiles(
  workspace: Workspace,
  { contents, events }: RecordedRun,
): Promise<string | undefined> {
  const state = foldEvents(events);
  const isAtSameCommit = state.jobs.at(-1)?.startCommit === workspace.startCommit;
  if (!isAtSameCommit && needsStartCommit(state)) return undefined;
  try {
    for (const pack of contents.packs) await workspace.unpack(pack);
    return (await workspace.hasSnapshots(snapshotsOf(state)))
      ? undefined
      : 'git objects of its files are missing';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Why no agent may start, although nothing could be restored. `undefined` if it may. In the first job attempt there is
 * rarely anything to restore, so a store that does not answer is no reason. A locked checkpoint is one in any: it is of
 * an earlier job with the same state name.
 */
function findObstacle(
  restored: RestoreResult,
  { store, jobAttempt }: Pick<RestoreRequest, 'store' | 'jobAttempt'>,
): string | undefined {
  if (restored.status === 'unanswered' && jobAttempt > 1)
    return (
      `It is unknown whether a checkpoint of an earlier job attempt exists: ${store.title} did not answer (${restored.reason}). ` +
      `No agent was started. Re-run the job later: it then continues from the checkpoint. ${startOverHint}`
    );
  const locked =
    restored.status === 'refused' && restored.refused.find((one) => one.reason === 'no-key-fits');
  if (!locked) return undefined;
  const names = (locked.sealedBy ?? []).map((name) => `\`${name}\``).join(', ');
  const by =
    names === '' ? '' : ` It was sealed with the value of ${names}, which was changed or removed since.`;
  return (
    `Checkpoint \`${locked.key}\` exists, but no secret of this job opens it.${by} ` +
    `No agent was started. Add the former value as a line of \`state-key\`. ${startOverHint}`
  );
}

/** A re-run reads the same workflow file as before, so only a variable of the repository can change the input. */
const startOverHint =
  'To start over instead, set `resume: never`, through a variable of the repository if you want to change it between re-runs.';

/** `resume: never`: looks up only the newest checkpoint, because those of this job must get higher numbers. */
async function ignoreCheckpoints({ request, log }: ResumeOptions): Promise<FoundCheckpoint> {
  log('Starting fresh, because the input `resume` is `never`');
  const { store, clock, expected, jobAttempt } = request;
  const newest = await askStore(store, () => store.findNewest(prefixesOfAttempt(expected, jobAttempt)), {
    clock,
    until: clock.now() + maxLookUpMs,
  });
  if (newest.status === 'unanswered') return { events: [], hasLookupFailed: true };
  const hasLookupFailed = newest.value === undefined && store.lastError?.() !== undefined;
  return { events: [], ...defined({ seen: newest.value }), hasLookupFailed };
}

/** Maximum time to look up a key that only prevents two jobs from using one state name. */
const maxLookUpMs = 10_000;

/** Reports nothing in the first job attempt, because it needs no checkpoint. */
function reportNoCheckpoint({ request, mode, warn }: ResumeOptions, cause: string | undefined): void {
  if (request.jobAttempt === 1) return;
  const reason =
    cause?.replace(/\.$/, '') ??
    'none was found: the job did not reach this step before, or the checkpoint has expired';
  if (mode === 'require')
    throw new UserError(
      `No checkpoint from an earlier job attempt could be restored (${reason}), and \`resume: require\` needs one. Set \`resume: auto\` to start fresh.`,
    );
  warn(`Starting fresh: no checkpoint from an earlier job attempt could be restored (${reason}).`);
}

/** The directory in which the session was last used. A parallel branch has its own. */
function directoryOf({ agentDirectories, workspace }: ResumeOptions, state: RunState, id: string): string {
  const user = lastStepOfSession(state, id);
  return user === undefined ? workspace.directory : agentDirectories.directoryOf(user.step, user.attempt);
}

/** Rolls each session back to the last valid attempt that used it (S13). */
async function restoreSessions(
  options: ResumeOptions,
  contents: CheckpointContents,
  state: RunState,
): Promise<ResumedState['unavailable']> {
  const unavailable = new Map<string, 'session-lost' | 'session-ahead'>();
  for (const { provider: providerId, id } of sessionsOf(state)) {
    const provider = options.providers.find((one) => one.id === providerId);
    const files = contents.sessions.filter((copy) => copy.provider === providerId && copy.id === id);
    if (provider === undefined || files.length === 0) {
      unavailable.set(id, 'session-lost');
      continue;
    }
    const location = {
      provider,
      id,
      directory: directoryOf(options, state, id),
      environment: options.environmentOf(provider),
    };
    const result = await options.sessions.import(location, files, lastAttemptOfSession(state, id)?.mark);
    options.onPlaced();
    if (result.status !== 'imported')
      options.warn(`The ${provider.title} session \`${id}\` was not restored: ${result.reason}.`);
    if (result.status === 'session-ahead') unavailable.set(id, 'session-ahead');
    else if (result.status === 'refused') unavailable.set(id, 'session-lost');
    // Stores the copies in any case, because the restore may succeed on another machine.
    await options.sessionCopies.replace({ provider: providerId, id }, files);
  }
  return unavailable;
}
