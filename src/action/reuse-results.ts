/**
 * Decides which results of the recorded run hold in this job, and restores their files (S11). The gates of reused
 * steps run once more if the start tree is another one.
 */
import { snapshotsOf } from '../checkpoint/checkpoint-builder.js';
import { UserErrors } from '../failure.js';
import type { JournalEvent, NewEvent } from '../journal/event.js';
import { applyEvent, newestSnapshot, type RunState } from '../journal/run-state.js';
import { expandPlan } from '../plan/placed-step.js';
import { decideReuse, type ReuseDecision, type ReuseFacts } from '../plan/reuse.js';
import type { Workspace } from '../workspace/workspace.js';
import { type FailedRecheck, type RecheckOptions, recheckGates } from './recheck-gates.js';

export interface ReuseOptions extends Omit<RecheckOptions, 'state'> {
  /** This job: its id, action step and matrix leg. */
  readonly job: string;
  readonly jobAttempt: number;
  /** Prepares the restored files for commands. Called if there are any. */
  setUpWorktree(): Promise<void>;
  /** The recorded run cannot be used, so it starts over. May throw. */
  onStartOver(cause: string): void;
  warn(message: string): void;
}

export interface ReusedResults {
  /** The events that this job appends first. */
  readonly decisions: readonly NewEvent[];
  /** With the decisions. */
  readonly state: RunState;
  /** The start tree for which the reused results are known to hold. */
  readonly startTree: string;
}

/** `objects`: the packs of the checkpoint. Throws `UserErrors` if the files cannot be restored. */
export async function reuseResults(
  options: ReuseOptions,
  objects: readonly Buffer[],
  state: RunState,
): Promise<ReusedResults> {
  const facts = await collectFacts(options, objects, state);
  const reuse = 'dropped' in facts ? facts : decideReuse(facts);
  logReuse(options, state, reuse);
  const decisions = droppedStepsEvent(reuse);
  const kept = applyDecisions(state, decisions);
  await applySnapshot(options.workspace, kept);
  if (kept.steps.size > 0) await options.setUpWorktree();
  const { startTree } = options.workspace;
  const recorded = state.jobs.at(-1)?.startTree ?? startTree;
  if ('dropped' in facts || recorded === startTree) return { decisions, state: kept, startTree };
  const failed = await recheckGates({ ...options, state: kept });
  // The next re-run must check the gates.
  if (failed === 'interrupted') return { decisions, state: kept, startTree: recorded };
  return failed.length === 0
    ? { decisions, state: kept, startTree }
    : dropAfterFailedGates(options, facts, failed);
}

/** The files go back to the tree after the step whose gates failed, or before it if it runs again as a whole. */
async function dropAfterFailedGates(
  options: ReuseOptions,
  facts: ReuseFacts,
  failed: readonly FailedRecheck[],
): Promise<ReusedResults> {
  const { workspace } = options;
  const reuse = decideReuse({ ...facts, failedGatesOf: failed.map(({ step }) => step) });
  logDropped(options, facts.state, reuse);
  const continued = failed.filter(({ step }) => !reuse.dropped.includes(step));
  const reopened = continued.map(({ step }) => step);
  const decisions = [...continued.flatMap(({ events }) => events), ...droppedStepsEvent(reuse, reopened)];
  const state = applyDecisions(facts.state, decisions);
  await workspace.reset(newestSnapshot(state) ?? workspace.startSnapshot);
  return { decisions, state, startTree: workspace.startTree };
}

/** The facts, or the decision to start over. */
async function collectFacts(
  options: ReuseOptions,
  objects: readonly Buffer[],
  state: RunState,
): Promise<ReuseFacts | ReuseDecision> {
  const { workspace, plan, job, jobAttempt } = options;
  const recorded = state.jobs.at(-1)?.startCommit ?? workspace.startCommit;
  if (!(await canUnpack(workspace, objects, state, recorded))) return startOver(options, state, recorded);
  return { plan, state, job, jobAttempt, startDifferences: await findStartDifferences(workspace, state) };
}

/** Whether version 0.1.0 stored some of the state, which needs the commit from which the run started. */
export function needsStartCommit(state: RunState): boolean {
  const commits = new Set(state.jobs.map(({ startCommit }) => startCommit));
  return snapshotsOf(state).some(({ base, commit }) => base !== commit && commits.has(base));
}

/** `false` if the state needs a commit that the checkout does not have. */
async function canUnpack(
  workspace: Workspace,
  objects: readonly Buffer[],
  state: RunState,
  recorded: string,
): Promise<boolean> {
  // Unpacked when the checkpoint was chosen.
  if (recorded === workspace.startCommit || !needsStartCommit(state)) return true;
  try {
    for (const pack of objects) await workspace.unpack(pack);
  } catch {
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

function startOver({ onStartOver }: ReuseOptions, state: RunState, recorded: string): ReuseDecision {
  const reason = 'the checkout is at another commit than the recorded run';
  onStartOver(
    `${reason}, which started at ${recorded}. Version 0.1.0 stored the state, which can be restored only where that commit is: set \`fetch-depth: 0\` for actions/checkout`,
  );
  return { dropped: [...state.steps.keys()], reason };
}

function logReuse(options: ReuseOptions, state: RunState, reuse: ReuseDecision): void {
  const { plan, warn } = options;
  const { fromStep } = plan;
  if (fromStep !== undefined && !expandPlan(plan, state).some(({ path }) => path === fromStep))
    warn(
      `Input \`from-step\`: the restored run has no step \`${fromStep}\`, so no result is discarded. Check the path of the step.`,
    );
  logDropped(options, state, reuse);
}

/** Logs what changed, then which steps that affects (S11). */
function logDropped({ log }: ReuseOptions, state: RunState, { dropped, reason }: ReuseDecision): void {
  if (dropped.length === 0 || reason === undefined) return;
  const passed = dropped.filter((path) => state.steps.get(path)?.status === 'passed');
  log(`Note: ${reason}.`);
  log(
    passed.length === 0
      ? `Attempts of these steps are discarded: ${dropped.join(', ')}.`
      : `These steps run again: ${dropped.join(', ')}.`,
  );
}

/** `reopened`: steps that run again and keep their attempts. */
function droppedStepsEvent(
  { dropped, reason = '' }: ReuseDecision,
  reopened: readonly string[] = [],
): readonly NewEvent[] {
  if (dropped.length === 0 && reopened.length === 0) return [];
  return [{ type: 'steps-dropped', steps: dropped, reason, ...(reopened.length > 0 ? { reopened } : {}) }];
}

async function applySnapshot(workspace: Workspace, state: RunState): Promise<void> {
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

function applyDecisions(state: RunState, decisions: readonly NewEvent[]): RunState {
  return decisions.reduce<RunState>(
    (sum, event) => applyEvent(sum, { ...event, at: 0 } as JournalEvent),
    state,
  );
}
