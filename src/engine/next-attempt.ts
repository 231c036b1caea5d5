/**
 * The next attempt of a step that runs an agent: its number, agent, session and prompt. Of the attempt itself it
 * records nothing; the calls that must run before it record their own events.
 */
import { type Failure, withCause } from '../failure.js';
import type { SessionDecision } from '../journal/event.js';
import { type Attempt, newestAttemptOf, type StepState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { roleForGet, roleForRetry } from '../plan/calls.js';
import { innerScopes, type PlacedStep, placeStep, type StepScope } from '../plan/placed-step.js';
import { passAgent } from '../plan/plan.js';
import type { Provider } from '../providers/provider.js';
import type { AgentStep, RetryEntry } from '../workflow/workflow.js';
import { agentFor, findAgent } from './agent-of-step.js';
import { endedWithoutVerdict, runCall } from './call.js';
import type { AgentWait } from './choose-agent.js';
import { earlierCandidate, earlierPathOf, placeEarlierSession } from './earlier-session.js';
import type { EngineRun } from './engine-run.js';
import { commandObstacle } from './event-obstacle.js';
import { hasRunAgent, isInterrupted } from './history.js';
import { outputContractOf } from './output-contract.js';
import type { PreviousFailure } from './prompt.js';
import { contextTexts, gatherContext } from './prompt-context.js';
import { computeRetryOverrides, type EffectiveRetryOverrides } from './retry-policy.js';
import { decideSession } from './session-decision.js';
import { createTemplateContext, readsFailure } from './template-context.js';

interface UpcomingAttempt {
  readonly number: number;
  /** The last attempt was interrupted, and this one continues it (S10). */
  readonly isContinued: boolean;
  readonly agent: string;
  /** The rendered prompt. */
  readonly body: string;
  /** Text that follows the prompt. */
  readonly context: readonly string[];
  readonly failure?: PreviousFailure;
  readonly resetWorktree: boolean;
  /** The working directory of the agent. */
  readonly directory: string;
  /** Top-level names that git ignores and that were present when the attempt was interrupted. */
  readonly previouslyIgnored: readonly string[];
}

/** An attempt by an agent. */
export interface NextAttempt extends UpcomingAttempt {
  readonly isPass: false;
  readonly provider: Provider;
  readonly model?: string;
  /** The agent that this one replaces (`fallback`). */
  readonly insteadOf?: string;
  readonly session: SessionDecision;
}

/** An attempt without an agent (`agent: pass`). */
export interface PassAttempt extends UpcomingAttempt {
  readonly isPass: true;
}

/** An attempt that cannot start: a workflow or a file that it needs is missing or failed. */
export interface BlockedAttempt {
  readonly number: number;
  readonly agent: string;
  readonly obstacle: Failure;
}

export type NextAttemptResult = NextAttempt | PassAttempt | BlockedAttempt | AgentWait | 'stopped';

export async function nextAttempt(
  run: EngineRun,
  placed: PlacedStep,
  step: AgentStep,
): Promise<NextAttemptResult> {
  const { path } = placed;
  const state = run.state().steps.get(path);
  const history = state?.attempts ?? [];
  const last = history.at(-1);
  const isContinued = last !== undefined && isInterrupted(last);
  const number = isContinued ? last.number : (last?.number ?? 0) + 1;
  const before = await runCallsBefore(run, placed, step, number);
  if (before === 'stopped') return before;
  if (before !== undefined) return { number, agent: step.agent, obstacle: before };
  const overrides = currentOverrides(run, placed, step.retry, number);
  // The prompt of an interrupted attempt is in the journal, whatever its names stand for now.
  const sentPrompt = isContinued && !state?.isRedefined ? last.prompt : undefined;
  const prompt = sentPrompt === undefined ? (overrides.prompt ?? step.prompt) : undefined;
  const texts = [overrides.agent ?? step.agent, prompt, ...contextTexts(step)];
  const templateContext = await createTemplateContext(run, placed, number, texts);
  if (templateContext.obstacle !== undefined)
    return { number, agent: step.agent, obstacle: templateContext.obstacle };
  const wanted = templateContext.render(overrides.agent ?? step.agent).trim();
  const obstacle = await commandObstacle(run, placed.step);
  if (obstacle !== undefined) return { number, agent: wanted, obstacle };
  const choice = agentFor(run, step, wanted, history);
  if ('resumeAt' in choice) return choice;
  const { agent, insteadOf } = choice;
  const context = await gatherContext(run, path, step, templateContext);
  if ('obstacle' in context) return { number, agent, obstacle: context.obstacle };
  // An attempt that ended before its agent started leaves nothing to fix.
  const hasWorked = history.some(({ snapshot }) => snapshot !== undefined);
  const failure =
    hasWorked && templateContext.failure !== undefined && !mentionsFailure(overrides)
      ? { failure: templateContext.failure }
      : {};
  const body = sentPrompt ?? templateContext.render(overrides.prompt ?? step.prompt);
  const common = { number, isContinued, agent, body, ...failure, context: context.parts };
  const directory = await directoryFor(run, path, step);
  const resetWorktree = overrides.resetWorktree && !isContinued;
  const worktree = { directory, resetWorktree, previouslyIgnored: findPreviouslyIgnored(run, history) };
  if (agent === passAgent) return { ...common, ...worktree, isPass: true };
  if (isPromptEmpty(step, common)) return { number, agent, obstacle: emptyPromptFailure };
  const found = findAgent(run, agent);
  if ('obstacle' in found) return { number, agent, ...found };
  const facts = {
    history: history.filter(hasRunAgent),
    isContinued,
    overrides,
    agent,
    provider: found.provider,
    isReplacement: insteadOf !== undefined,
  };
  const decided = sessionFor(run, placed, step, facts, needsFreshSession(state));
  const usable = await placeEarlierSession(run, found.provider, directory, decided);
  const session = usable.effective === 'new' ? withNewSessionId(run, found.provider, usable) : usable;
  return { ...common, ...worktree, ...found, ...defined({ insteadOf }), session, isPass: false };
}

/** Without a prompt, a CLI ends with an error about its own options. */
const emptyPromptFailure: Failure = {
  kind: 'crash',
  message:
    'The prompt is empty, so no agent was started. Set `prompt`, and check that the template names in it are defined.',
  isFinal: true,
};

/** Whether the agent would get no text at all. */
function isPromptEmpty(
  step: AgentStep,
  {
    body,
    context,
    failure,
    isContinued,
  }: Pick<UpcomingAttempt, 'body' | 'context' | 'failure' | 'isContinued'>,
): boolean {
  const hasOtherText =
    context.length > 0 || failure !== undefined || isContinued || outputContractOf(step) !== undefined;
  return body.trim() === '' && !hasOtherText;
}

function directoryFor(run: EngineRun, path: string, { worktree }: AgentStep): string | Promise<string> {
  return worktree === 'none' ? run.ports.createBareDirectory(path) : run.ports.workspace.directory;
}

/** The round that reopened the step requires new sessions, and the step has no attempt in it yet. */
function needsFreshSession(state: StepState | undefined): boolean {
  return state?.reopened?.freshSession === true && newestAttemptOf(state) === undefined;
}

/** Runs the workflows that must run before the attempt. Returns their failure, if any. */
async function runCallsBefore(
  run: EngineRun,
  placed: PlacedStep,
  step: AgentStep,
  number: number,
): Promise<Failure | 'stopped' | undefined> {
  const judged = await judgeEntries(run, placed, step.retry, number);
  if (judged !== undefined || step.get === undefined) return judged;
  const end = await runCall(run, placed, roleForGet(step.get), number);
  if (end.status === 'stopped') return 'stopped';
  if (end.status === 'passed') return undefined;
  const { retryAfterMs: _retryAfterMs, ...failure } = end.failure ?? { kind: 'crash', message: 'it failed' };
  return withCause(`workflow \`${step.get.path}\``, failure);
}

/** Runs the workflows of `validate` in retry entries, each once for an attempt. */
async function judgeEntries(
  run: EngineRun,
  placed: PlacedStep,
  entries: readonly RetryEntry[],
  number: number,
): Promise<Failure | 'stopped' | undefined> {
  if (number === 1) return undefined;
  for (const [entry, { when }] of entries.entries()) {
    const known = run.state().steps.get(placed.path)?.retryVerdicts;
    if (!('validate' in when) || known?.has(`${number}/${entry}`)) continue;
    const end = await runCall(run, placed, roleForRetry(entry), number);
    if (end.status === 'stopped') return 'stopped';
    // Without a verdict it is unknown whether the entry applies.
    if (endedWithoutVerdict(end) && end.failure !== undefined) {
      const what = `workflow \`${when.validate.path}\` of a retry entry gave no verdict`;
      const { retryAfterMs: _retryAfterMs, ...failure } = end.failure;
      return { ...withCause(what, failure), isFinal: true };
    }
    run.record({ type: 'retry-judged', step: placed.path, number, entry, holds: end.status === 'passed' });
  }
  return undefined;
}

/** The overrides of that attempt. The workflows of its retry entries have ended. */
function currentOverrides(
  run: EngineRun,
  { path }: PlacedStep,
  entries: readonly RetryEntry[],
  number: number,
): EffectiveRetryOverrides {
  const state = run.state().steps.get(path);
  return computeRetryOverrides(entries, state?.attempts ?? [], number, state?.retryVerdicts);
}

/** The same for a round of a group or a call. */
export async function overridesForRound(
  run: EngineRun,
  placed: PlacedStep,
  number: number,
): Promise<EffectiveRetryOverrides | Failure | 'stopped'> {
  const { step } = placed;
  const entries = step.kind === 'gates' ? [] : step.retry;
  return (await judgeEntries(run, placed, entries, number)) ?? currentOverrides(run, placed, entries, number);
}

/** What git ignored at the end of the step's last agent. If none has ended: at the start of its job. */
function findPreviouslyIgnored(run: EngineRun, history: readonly Attempt[]): readonly string[] {
  const recorded = history.findLast((attempt) => attempt.ignored.length > 0)?.ignored;
  const job = run.state().jobs.findLast((one) => one.jobAttempt === history.at(-1)?.jobAttempt);
  return recorded ?? job?.ignored ?? [];
}

/** A retry prompt that contains the error needs no note about it. */
function mentionsFailure(overrides: EffectiveRetryOverrides): boolean {
  return overrides.prompt !== undefined && readsFailure(overrides.prompt);
}

interface SessionFacts {
  readonly history: readonly Attempt[];
  readonly isContinued: boolean;
  readonly overrides: EffectiveRetryOverrides;
  readonly agent: string;
  readonly provider: Provider;
  readonly isReplacement: boolean;
}

function sessionFor(
  run: EngineRun,
  placed: PlacedStep,
  step: AgentStep,
  facts: SessionFacts,
  isFreshRound: boolean,
): SessionDecision {
  return decideSession({
    declared: step.session,
    agent: facts.agent,
    provider: facts.provider.id,
    isReplacement: facts.isReplacement,
    jobAttempt: run.jobAttempt,
    history: facts.history,
    isContinued: facts.isContinued,
    freshSession: facts.overrides.freshSession || isFreshRound,
    target: findFromAttempts(run, placed, step),
    ...defined({ earlier: findEarlier(run, placed, step) }),
    agentMatch: placed.scope.sessionMatch,
    sessionsInUse: run.sessionsInUse,
    unavailableSessions: run.unavailableSessions,
  });
}

/** In an earlier run, as in this one, a step is meant that is in the same scope (S3). */
function findEarlier(run: EngineRun, { scope }: PlacedStep, { session }: AgentStep) {
  if (session.mode !== 'previous') return undefined;
  const pathNow = findPathInScope(session.step, scope);
  return earlierCandidate(run, earlierPathOf(run, session.step, scope, pathNow));
}

/** S8: if the CLI accepts an id, the id is known before it starts. */
export function withNewSessionId(
  run: EngineRun,
  provider: Provider,
  decision: SessionDecision,
): SessionDecision {
  if (provider.sessionIds === 'given') return decision;
  const uuid = run.ports.newId();
  return { ...decision, id: provider.newSessionId?.(uuid) ?? uuid };
}

/** S3: `from:` sees only steps of the same scope. */
function findFromAttempts(
  run: EngineRun,
  { scope }: PlacedStep,
  step: AgentStep,
): readonly Attempt[] | 'not-run' | 'out-of-scope' {
  if (step.session.mode !== 'from') return 'not-run';
  const path = findPathInScope(step.session.step, scope);
  if (path === undefined) return 'out-of-scope';
  return run.state().steps.get(path)?.attempts.filter(hasRunAgent) ?? 'not-run';
}

/** Nearest first: next to the step, in sequential groups there, then around the group that contains the step. */
function findPathInScope(name: string, scope: StepScope): string | undefined {
  return (
    findPathBelow(name, scope) ??
    (scope.enclosing === undefined ? undefined : findPathInScope(name, scope.enclosing))
  );
}

function findPathBelow(name: string, scope: StepScope): string | undefined {
  const direct = scope.steps.find((one) => one.name === name);
  if (direct !== undefined) return placeStep(direct, scope).path;
  const groups = scope.steps
    .map((one) => placeStep(one, scope))
    .filter(({ step }) => step.kind === 'group' && !step.parallel);
  for (const group of groups) {
    const [inner] = innerScopes(group, []);
    const found = inner === undefined ? undefined : findPathBelow(name, inner);
    if (found !== undefined) return found;
  }
  return undefined;
}
