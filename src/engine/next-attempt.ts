/**
 * What comes next for a step that runs an agent: which attempt, by whom, in which session, with which prompt.
 * Reads the fold, writes nothing down.
 */
import type { Failure } from '../failure.js';
import type { SessionDecision } from '../journal/event.js';
import { type Attempt, newestAttempt, type StepState } from '../journal/state.js';
import { getRole, retryRole } from '../plan/calls.js';
import { innerScopes, type PlacedStep, place, type Scope } from '../plan/place.js';
import { pass } from '../plan/plan.js';
import type { Provider } from '../providers/provider.js';
import type { AgentStep, RetryEntry } from '../workflow/workflow.js';
import { isBroken, runCall } from './call.js';
import { contextTexts, gatherContext } from './context.js';
import { contractOf } from './contract.js';
import { isCutOff } from './history.js';
import { type Rung, rungAt } from './ladder.js';
import type { PreviousFailure } from './prompt.js';
import type { Run } from './run-context.js';
import { decideSession } from './session.js';
import { openView, speaksOfFailure } from './view.js';

interface Coming {
  readonly number: number;
  /** The last attempt was cut off and is this one (S10). */
  readonly goesOn: boolean;
  readonly agent: string;
  /** The rendered prompt. */
  readonly body: string;
  /** What is put behind it. */
  readonly context: readonly string[];
  readonly failure?: PreviousFailure;
  readonly resetWorktree: boolean;
  /** Where the agent works. */
  readonly directory: string;
  /** Ignored top-level names that lay there when the attempt was cut off. */
  readonly wasIgnored: readonly string[];
}

/** An attempt by an agent. */
export interface NextAttempt extends Coming {
  readonly isPass: false;
  readonly provider: Provider;
  readonly model?: string;
  readonly session: SessionDecision;
}

/** One that leaves the agent out (`agent: pass`). */
export interface PassedOver extends Coming {
  readonly isPass: true;
}

/** Why there is no attempt to make: a workflow or a file that has to come before it is not to be had. */
export interface Obstacle {
  readonly number: number;
  readonly agent: string;
  readonly obstacle: Failure;
}

export type Prepared = NextAttempt | PassedOver | Obstacle | 'stopped';

export async function nextAttempt(run: Run, placed: PlacedStep, step: AgentStep): Promise<Prepared> {
  const { path } = placed;
  const state = run.state().steps.get(path);
  const history = state?.attempts ?? [];
  const last = history.at(-1);
  const goesOn = last !== undefined && isCutOff(last);
  const number = goesOn ? last.number : (last?.number ?? 0) + 1;
  const before = await comesBefore(run, placed, step, number);
  if (before === 'stopped') return before;
  if (before !== undefined) return { number, agent: step.agent, obstacle: before };
  const rung = rungNow(run, placed, step.retry, number);
  const texts = [step.agent, step.prompt, rung.agent, rung.prompt, ...contextTexts(step)];
  const view = await openView(run, placed, number, texts);
  const agent = view.render(rung.agent ?? step.agent).trim();
  const context = await gatherContext(run, path, step, view);
  if ('obstacle' in context) return { number, agent, obstacle: context.obstacle };
  // An attempt that stopped before its agent began leaves nothing to mend.
  const hasWorked = history.some(({ snapshot }) => snapshot !== undefined);
  const failure =
    hasWorked && view.failure !== undefined && !saysItself(rung) ? { failure: view.failure } : {};
  const body =
    (goesOn && !state?.isRedefined ? last.prompt : undefined) ?? view.render(rung.prompt ?? step.prompt);
  const common = { number, goesOn, agent, body, ...failure, context: context.parts };
  const directory = await directoryFor(run, path, step);
  const resetWorktree = rung.resetWorktree && !goesOn;
  const worktree = { directory, resetWorktree, wasIgnored: ignoredBefore(run, history) };
  if (agent === pass) return { ...common, ...worktree, isPass: true };
  if (isSilent(step, common)) return { number, agent, obstacle: nothingToSay };
  const found = run.ports.agents.find(agent);
  const facts = { history: history.filter(ranAgent), goesOn, rung, agent, provider: found.provider };
  const session = sessionFor(run, placed, step, facts, isFreshRound(state));
  return { ...common, ...worktree, ...found, session, isPass: false };
}

/** A CLI that is given no prompt ends with an error that speaks of its own options. */
const nothingToSay: Failure = {
  kind: 'crash',
  message:
    'its prompt is empty: it has none, or all that stands in it is names that stand for nothing. No agent was started.',
  isFinal: true,
};

/** Whether nothing at all would be said to the agent. */
function isSilent(
  step: AgentStep,
  { body, context, failure, goesOn }: Pick<Coming, 'body' | 'context' | 'failure' | 'goesOn'>,
): boolean {
  const isSpokenTo = context.length > 0 || failure !== undefined || goesOn || contractOf(step) !== undefined;
  return body.trim() === '' && !isSpokenTo;
}

function directoryFor(run: Run, path: string, { worktree }: AgentStep): string | Promise<string> {
  return worktree === 'none' ? run.ports.bareDirectory(path) : run.ports.workspace.directory;
}

function ranAgent({ provider }: Attempt): boolean {
  return provider !== undefined;
}

/** The round that has opened the step again asks for new sessions, and no attempt was made in it yet. */
function isFreshRound(state: StepState | undefined): boolean {
  return state?.reopened?.freshSession === true && newestAttempt(state) === undefined;
}

/** The workflows that are called before the attempt; what went wrong in them, if anything. */
async function comesBefore(
  run: Run,
  placed: PlacedStep,
  step: AgentStep,
  number: number,
): Promise<Failure | 'stopped' | undefined> {
  const judged = await judgeEntries(run, placed, step.retry, number);
  if (judged !== undefined || step.get === undefined) return judged;
  const end = await runCall(run, placed, getRole(step.get), number);
  if (end.status === 'stopped') return 'stopped';
  if (end.status === 'passed') return undefined;
  const why = end.failure?.message ?? 'it did not pass';
  const failure = { kind: end.failure?.kind ?? 'crash', message: `workflow \`${step.get.path}\`: ${why}` };
  return end.failure?.isFinal ? { ...failure, isFinal: true } : failure;
}

/** Has the workflows speak that retry entries wait for; each once for an attempt. */
async function judgeEntries(
  run: Run,
  placed: PlacedStep,
  entries: readonly RetryEntry[],
  number: number,
): Promise<Failure | 'stopped' | undefined> {
  if (number === 1) return undefined;
  for (const [entry, { when }] of entries.entries()) {
    const known = run.state().steps.get(placed.path)?.judged;
    if (!('validate' in when) || known?.has(`${number}/${entry}`)) continue;
    const end = await runCall(run, placed, retryRole(entry), number);
    if (end.status === 'stopped') return 'stopped';
    // Without an answer nobody knows how to go on.
    if (isBroken(end) && end.failure !== undefined) {
      const message = `the workflow \`${when.validate.path}\` of a retry entry has no answer: ${end.failure.message}`;
      return { kind: end.failure.kind, message, isFinal: true };
    }
    run.record({ type: 'retry-judged', step: placed.path, number, entry, holds: end.status === 'passed' });
  }
  return undefined;
}

/** The overrides at that attempt; its workflows have spoken. */
function rungNow(run: Run, { path }: PlacedStep, entries: readonly RetryEntry[], number: number): Rung {
  const state = run.state().steps.get(path);
  return rungAt(entries, state?.attempts ?? [], number, state?.judged);
}

/** The same for a round of a group or a call. */
export async function rungFor(
  run: Run,
  placed: PlacedStep,
  number: number,
): Promise<Rung | Failure | 'stopped'> {
  const { step } = placed;
  const entries = step.kind === 'gates' ? [] : step.retry;
  return (await judgeEntries(run, placed, entries, number)) ?? rungNow(run, placed, entries, number);
}

/** What git ignored when the step was last at work, or, where it never got to an end, when its job began. */
function ignoredBefore(run: Run, history: readonly Attempt[]): readonly string[] {
  const noted = history.findLast((attempt) => attempt.ignored.length > 0)?.ignored;
  const job = run.state().jobs.findLast((one) => one.jobAttempt === history.at(-1)?.jobAttempt);
  return noted ?? job?.ignored ?? [];
}

/** A prompt written for the retry that names the error itself needs no note about it. */
function saysItself(rung: Rung): boolean {
  return rung.prompt !== undefined && speaksOfFailure(rung.prompt);
}

interface SessionFacts {
  readonly history: readonly Attempt[];
  readonly goesOn: boolean;
  readonly rung: Rung;
  readonly agent: string;
  readonly provider: Provider;
}

function sessionFor(
  run: Run,
  placed: PlacedStep,
  step: AgentStep,
  facts: SessionFacts,
  isFreshRound: boolean,
): SessionDecision {
  const decision = decideSession({
    declared: step.session,
    agent: facts.agent,
    provider: facts.provider.id,
    jobAttempt: run.jobAttempt,
    history: facts.history,
    goesOn: facts.goesOn,
    freshSession: facts.rung.freshSession || isFreshRound,
    target: targetOf(run, placed, step),
    match: placed.scope.sessionMatch,
    inUse: run.inUse,
    unavailable: run.unavailable,
  });
  return decision.effective === 'new' ? withChosenId(run, facts.provider, decision) : decision;
}

/** S8: where the CLI lets us choose, the id is known before it starts. */
export function withChosenId(run: Run, provider: Provider, decision: SessionDecision): SessionDecision {
  if (provider.sessionIds === 'given') return decision;
  const uuid = run.ports.newId();
  return { ...decision, id: provider.newSessionId?.(uuid) ?? uuid };
}

/** S3: only steps of the same scope can be gone on from. */
function targetOf(
  run: Run,
  { scope }: PlacedStep,
  step: AgentStep,
): readonly Attempt[] | 'not-run' | 'out-of-scope' {
  if (step.session.mode === 'new') return 'not-run';
  const path = pathInScope(step.session.step, scope);
  if (path === undefined) return 'out-of-scope';
  return run.state().steps.get(path)?.attempts.filter(ranAgent) ?? 'not-run';
}

/** Nearest first: beside the step, within groups there that run in turn, around the group that it stands in. */
function pathInScope(name: string, scope: Scope): string | undefined {
  return below(name, scope) ?? (scope.around === undefined ? undefined : pathInScope(name, scope.around));
}

function below(name: string, scope: Scope): string | undefined {
  const direct = scope.steps.find((one) => one.name === name);
  if (direct !== undefined) return place(direct, scope).path;
  const groups = scope.steps
    .map((one) => place(one, scope))
    .filter(({ step }) => step.kind === 'group' && !step.parallel);
  for (const group of groups) {
    const [inner] = innerScopes(group, []);
    const found = inner === undefined ? undefined : below(name, inner);
    if (found !== undefined) return found;
  }
  return undefined;
}
