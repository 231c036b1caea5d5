/**
 * The start of a job's run: finds the newest checkpoint that opens, decides what of it holds, and puts files
 * and sessions back. Leaves alone what a restored run means to its steps: that is the engine's.
 */

import { sessionsOf } from '../checkpoint/checkpoint-builder.js';
import type { CheckpointContents } from '../checkpoint/checkpoint-contents.js';
import { attemptPrefixes } from '../checkpoint/checkpoint-key.js';
import { type RecordedRun, readRecordedRun } from '../checkpoint/recorded-run.js';
import { type RestoreRequest, refusedCheckpointText, restore } from '../checkpoint/restore.js';
import { UserError, UserErrors } from '../failure.js';
import type { JournalEvent, NewEvent } from '../journal/event.js';
import {
  applyEvent,
  foldEvents,
  lastAttemptOfSession,
  lastStepOfSession,
  newestSnapshot,
  type RunState,
} from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { expandPlan } from '../plan/placed-step.js';
import type { Plan } from '../plan/plan.js';
import { decideReuse, type ReuseDecision } from '../plan/reuse.js';
import type { Provider } from '../providers/provider.js';
import type { SessionCopies } from '../sessions/session-copies.js';
import type { SessionStore } from '../sessions/session-store.js';
import type { Workspace } from '../workspace/workspace.js';
import type { AgentDirectories } from './agent-directories.js';

export interface ResumeOptions {
  readonly mode: 'auto' | 'require' | 'never';
  readonly request: RestoreRequest;
  readonly plan: Plan;
  /** This job: its id, action step and matrix leg. */
  readonly job: string;
  readonly workspace: Workspace;
  readonly sessions: SessionStore;
  readonly agentDirectories: AgentDirectories;
  readonly sessionCopies: SessionCopies;
  readonly providers: readonly Provider[];
  environmentOf(provider: Provider): Readonly<Record<string, string>>;
  /** Told after each session: what `post` has to take away has changed. */
  onPlaced(): void;
  log(line: string): void;
  warn(message: string): void;
}

export interface ResumedState {
  /** The events that the journal of this job begins with. */
  readonly events: readonly JournalEvent[];
  /** What this job has to add to them before anything else. */
  readonly decisions: readonly NewEvent[];
  readonly unavailable: ReadonlyMap<string, 'session-lost' | 'session-ahead'>;
  readonly restored?: string;
  readonly seen?: string;
  /** The look-up went wrong: what of this attempt is there is not known. */
  readonly hasLookupFailed?: boolean;
}

interface FoundCheckpoint {
  readonly events: readonly JournalEvent[];
  readonly contents?: CheckpointContents;
  readonly restored?: string;
  readonly seen?: string;
  readonly hasLookupFailed?: boolean;
}

export async function resume(options: ResumeOptions): Promise<ResumedState> {
  const found = await findCheckpoint(options);
  const state = foldEvents(found.events);
  if (found.contents === undefined) return { ...found, decisions: [], unavailable: new Map() };
  const reuse = await planReuse(options, found.contents, state);
  logReuse(options, state, reuse);
  const decisions = droppedStepsEvent(reuse);
  const keptState = decisions.reduce<RunState>(
    (sum, event) => applyEvent(sum, { ...event, at: 0 } as JournalEvent),
    state,
  );
  await restoreFiles(options.workspace, keptState);
  const unavailable = await restoreSessions(options, found.contents, keptState);
  return { ...found, decisions, unavailable };
}

async function findCheckpoint(options: ResumeOptions): Promise<FoundCheckpoint> {
  const { request, mode } = options;
  if (mode === 'never') return ignoreCheckpoints(options);
  let recorded: RecordedRun | undefined;
  const restored = await restore({
    ...request,
    findRefusal(entries) {
      const result = readRecordedRun(entries);
      if (result.status === 'refused') return result;
      recorded = result;
      return undefined;
    },
  });
  if (restored.status !== 'none')
    for (const refused of restored.refused) options.warn(refusedCheckpointText(refused));
  const seen = restored.status !== 'none' && restored.seen !== undefined ? { seen: restored.seen } : {};
  if (restored.status === 'opened' && recorded !== undefined) {
    const { key, binding } = restored;
    options.log(`Going on from the checkpoint ${key} of job attempt ${binding.jobAttempt}.`);
    return { events: recorded.events, contents: recorded.contents, restored: key, ...seen };
  }
  reportNoCheckpoint(
    options,
    restored.status === 'none' ? restored.lastError : 'no checkpoint that was found could be used',
  );
  const hasLookupFailed = restored.status === 'none' && restored.lastError !== undefined;
  return { events: [], ...seen, hasLookupFailed };
}

/** `resume: never`: only the number of the newest entry is of interest, so that this job's come after it. */
async function ignoreCheckpoints({ request, log }: ResumeOptions): Promise<FoundCheckpoint> {
  log('Starting afresh, as the input `resume` says.');
  const seen = await request.store.findNewest(
    attemptPrefixes(request.expected, request.jobAttempt).slice(0, 1),
  );
  const hasLookupFailed = seen === undefined && request.store.lastError?.() !== undefined;
  return { events: [], ...defined({ seen }), hasLookupFailed };
}

/** At the first job attempt there need not be one, and nothing is said. */
function reportNoCheckpoint({ request, mode, warn }: ResumeOptions, cause: string | undefined): void {
  if (request.jobAttempt === 1) return;
  const why =
    cause?.replace(/\.$/, '') ??
    'none was found: this job may not have come to this step before, or the entry has expired';
  if (mode === 'require')
    throw new UserError(
      `The state of an earlier attempt cannot be had (${why}), and \`resume: require\` asks for it. Set \`resume: auto\` to start afresh.`,
    );
  warn(`Starting afresh: no checkpoint of an earlier attempt could be taken up (${why}).`);
}

async function planReuse(
  options: ResumeOptions,
  contents: CheckpointContents,
  state: RunState,
): Promise<ReuseDecision> {
  const { workspace, plan, job, request } = options;
  const reuse = decideReuse({
    plan,
    state,
    job,
    jobAttempt: request.jobAttempt,
    startTree: workspace.startTree,
  });
  const recorded = state.jobs.at(-1)?.startCommit ?? workspace.startCommit;
  if (recorded !== workspace.startCommit && !(await workspace.hasCommit(recorded)))
    return startOver(
      options,
      state,
      `${recorded}, which is not in this checkout (with \`fetch-depth: 0\` it would be)`,
    );
  try {
    await workspace.unpack(contents.pack);
    return reuse;
  } catch (error) {
    if (recorded === workspace.startCommit) throw error;
    return startOver(options, state, recorded);
  }
}

function startOver(options: ResumeOptions, state: RunState, recorded: string): ReuseDecision {
  const reason = `the checkout is at another commit than the recorded run, which began at ${recorded}`;
  reportNoCheckpoint(options, reason);
  return { dropped: [...state.steps.keys()], reason };
}

/** S11: first what changed, then which steps that is. */
function logReuse(
  { plan, log, warn }: ResumeOptions,
  state: RunState,
  { dropped, reason }: ReuseDecision,
): void {
  const { fromStep } = plan;
  if (fromStep !== undefined && !expandPlan(plan, state).some(({ path }) => path === fromStep))
    warn(
      `Input \`from-step\`: the recorded run has no step \`${fromStep}\`, so nothing is forgotten for it.`,
    );
  if (dropped.length === 0 || reason === undefined) return;
  const again = dropped.filter((path) => state.steps.get(path)?.status === 'passed');
  log(`Note: ${reason}.`);
  log(
    again.length === 0
      ? `Forgotten: ${dropped.join(', ')}.`
      : `These steps run again: ${dropped.join(', ')}.`,
  );
}

function droppedStepsEvent({ dropped, reason }: ReuseDecision): readonly NewEvent[] {
  return dropped.length === 0 ? [] : [{ type: 'steps-dropped', steps: dropped, reason: reason ?? '' }];
}

async function restoreFiles(workspace: Workspace, state: RunState): Promise<void> {
  const snapshot = newestSnapshot(state);
  if (snapshot === undefined) return;
  const conflicts = await workspace.apply(snapshot);
  if (conflicts.length === 0) return;
  throw new UserErrors(
    conflicts.map(
      (file) =>
        `${file}: what the earlier attempt changed cannot be merged with what lies there now. Nothing was run. Remove the cause, or start afresh with \`resume: never\`.`,
    ),
  );
}

/** Where the session was last at work: a unit's is not that of the checkout. */
function directoryOf({ agentDirectories, workspace }: ResumeOptions, state: RunState, id: string): string {
  const user = lastStepOfSession(state, id);
  return user === undefined ? workspace.directory : agentDirectories.directoryOf(user.step, user.attempt);
}

/** S13: each session goes back to where it was at the last attempt, among those kept, that used it. */
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
      options.warn(`The ${provider.title} session ${id} does not come back: ${result.reason}.`);
    if (result.status === 'session-ahead') unavailable.set(id, 'session-ahead');
    else if (result.status === 'refused') unavailable.set(id, 'session-lost');
    // Whatever became of it here: the next machine may have more luck.
    await options.sessionCopies.replace({ provider: providerId, id }, files);
  }
  return unavailable;
}
