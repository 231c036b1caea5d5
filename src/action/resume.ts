/**
 * The start of a run in a job: finds the newest checkpoint that opens, decides which results are still valid, and
 * restores files and sessions. What a restored state means for each step is up to the engine.
 */

import { sessionsOf, snapshotsOf } from '../checkpoint/checkpoint-builder.js';
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
  /** Called after each session, so that `post` knows what to remove. */
  onPlaced(): void;
  log(line: string): void;
  warn(message: string): void;
}

export interface ResumedState {
  /** The events that the journal of this job begins with. */
  readonly events: readonly JournalEvent[];
  /** The events that this job appends first. */
  readonly decisions: readonly NewEvent[];
  readonly unavailable: ReadonlyMap<string, 'session-lost' | 'session-ahead'>;
  readonly restored?: string;
  readonly seen?: string;
  /** The look-up failed, so it is unknown which checkpoints of this job attempt exist. */
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
    options.log(`Opened checkpoint \`${key}\` of job attempt ${binding.jobAttempt}`);
    return { events: recorded.events, contents: recorded.contents, restored: key, ...seen };
  }
  reportNoCheckpoint(
    options,
    restored.status === 'none' ? restored.lastError : 'none of the checkpoints that were found could be used',
  );
  const hasLookupFailed = restored.status === 'none' && restored.lastError !== undefined;
  return { events: [], ...seen, hasLookupFailed };
}

/** `resume: never`: looks up only the newest checkpoint, because those of this job must get higher numbers. */
async function ignoreCheckpoints({ request, log }: ResumeOptions): Promise<FoundCheckpoint> {
  log('Starting fresh, because the input `resume` is `never`');
  const seen = await request.store.findNewest(
    attemptPrefixes(request.expected, request.jobAttempt).slice(0, 1),
  );
  const hasLookupFailed = seen === undefined && request.store.lastError?.() !== undefined;
  return { events: [], ...defined({ seen }), hasLookupFailed };
}

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

async function planReuse(
  options: ResumeOptions,
  contents: CheckpointContents,
  state: RunState,
): Promise<ReuseDecision> {
  const { workspace, plan, job, request } = options;
  const recorded = state.jobs.at(-1)?.startCommit ?? workspace.startCommit;
  if (!(await canUnpack(workspace, contents, state, recorded))) return startOver(options, state, recorded);
  const startDifferences = await findStartDifferences(workspace, state);
  return decideReuse({ plan, state, job, jobAttempt: request.jobAttempt, startDifferences });
}

/** `false` if version 0.1.0 stored the state, which needs the commit from which the run started. */
async function canUnpack(
  workspace: Workspace,
  contents: CheckpointContents,
  state: RunState,
  recorded: string,
): Promise<boolean> {
  try {
    await workspace.unpack(contents.pack);
  } catch (error) {
    if (recorded === workspace.startCommit) throw error;
    return false;
  }
  return workspace.hasSnapshots(snapshotsOf(state));
}

/** What `decideReuse` compares. The snapshot of a step contains the changes of the steps before it, too. */
async function findStartDifferences(
  workspace: Workspace,
  state: RunState,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const differences = new Map<string, readonly string[]>();
  if (state.jobs.at(-1)?.startTree === workspace.startTree) return differences;
  for (const { path, attempts, merged } of state.steps.values()) {
    const snapshot = merged?.snapshot ?? attempts.at(-1)?.snapshot;
    if (snapshot === undefined) continue;
    const files = await workspace.findStartDifferences(snapshot);
    if (files.length > 0) differences.set(path, files);
  }
  return differences;
}

function startOver(options: ResumeOptions, state: RunState, recorded: string): ReuseDecision {
  const reason = 'the checkout is at another commit than the recorded run';
  reportNoCheckpoint(
    options,
    `${reason}, which started at ${recorded}, and the state was stored by version 0.1.0, which needs that commit`,
  );
  return { dropped: [...state.steps.keys()], reason };
}

/** Logs what changed, then which steps that affects (S11). */
function logReuse(
  { plan, log, warn }: ResumeOptions,
  state: RunState,
  { dropped, reason }: ReuseDecision,
): void {
  const { fromStep } = plan;
  if (fromStep !== undefined && !expandPlan(plan, state).some(({ path }) => path === fromStep))
    warn(
      `Input \`from-step\`: the restored run has no step \`${fromStep}\`, so no result is discarded. Check the path of the step.`,
    );
  if (dropped.length === 0 || reason === undefined) return;
  const passed = dropped.filter((path) => state.steps.get(path)?.status === 'passed');
  log(`Note: ${reason}.`);
  log(
    passed.length === 0
      ? `Attempts of these steps are discarded: ${dropped.join(', ')}.`
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
        `\`${file}\`: the restored changes conflict with the file in the checkout. No step was run. Remove the cause, or start fresh with \`resume: never\`.`,
    ),
  );
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
