/** The lines of a plan about the parts of a step. Pure. */
import { formatCost } from '../providers/money.js';
import { type GuardLimits, type LimitPlace, type LimitUnit, limitsByPlace } from '../workflow/limits.js';
import { excerpt } from '../workflow/source-line.js';
import type {
  AgentStep,
  Budget,
  ContextEntry,
  Gate,
  Guard,
  Pause,
  RetryEntry,
  Step,
} from '../workflow/workflow.js';
import { formatCount, formatDuration, formatTurns } from './format.js';

/** The step in a few words, without its name. */
export function kindOf(step: Step): string {
  switch (step.kind) {
    case 'agent':
      return `${step.type}, ${agentText(step.agent)}`;
    case 'split':
      return `split, ${agentText(step.planner.agent)}`;
    case 'group':
      return 'group';
    case 'call':
      return `workflow ${excerpt(step.call.path)}`;
    case 'gates':
      return 'gates only';
  }
}

export function agentText(agent: string): string {
  return agent === 'pass' ? 'no agent (its gates check the present files)' : excerpt(agent);
}

/** Session, files, permissions and context. */
export function agentFacts(step: AgentStep): readonly string[] {
  const { agent, fallback, session, worktree, permissions, context } = step;
  const from = session.mode === 'new' ? 'new' : `from step ${excerpt(session.step)}`;
  return [
    ...(agent === 'pass' ? [] : [`session: ${from}`]),
    ...(fallback === undefined ? [] : [`fallback: ${excerpt(fallback)}`]),
    ...(worktree === 'read-write'
      ? []
      : [`files: ${worktree}${worktree === 'none' ? ', an empty directory' : ''}`]),
    ...(permissions === undefined ? [] : [`permissions: ${permissions}`]),
    ...(context.length === 0 ? [] : [`context: ${context.map(contextText).join(', ')}`]),
  ];
}

function contextText(context: ContextEntry): string {
  const text = context.type === 'file' ? excerpt(context.path) : `output of \`${excerpt(context.command)}\``;
  return context.optional ? `${text} (optional)` : text;
}

export function gateFacts(gates: readonly Gate[]): readonly string[] {
  return gates.length === 0 ? [] : [`gates: ${gates.map(gateText).join(', ')}`];
}

function gateText(gate: Gate): string {
  const about = gateArgument(gate);
  return about === '' ? excerpt(gate.name) : `${excerpt(gate.name)} (${about})`;
}

function gateArgument(gate: Gate): string {
  switch (gate.type) {
    case 'coverage':
      return gate.atLeast === undefined ? '' : `at least ${gate.atLeast} %`;
    case 'touched':
    case 'untouched':
      return `${gate.type} ${excerpt(gate.pattern)}`;
    case 'bash':
      return excerpt(gate.command);
    case 'schema':
      return gate.contract;
    case 'validate':
      return `workflow ${excerpt(gate.call.path)}`;
    default:
      return '';
  }
}

/** The retry policy, one line for each entry. */
export function retryFacts(retry: readonly RetryEntry[]): readonly string[] {
  const overrideEntries = retry.filter(({ when }) => !('exit' in when));
  return [
    `attempts: ${maxAttempts(retry) === 1 ? '1' : `at most ${maxAttempts(retry)}`}`,
    ...overrideEntries.map((entry) => `  ${conditionText(entry.when)}: ${changeText(entry)}`),
  ];
}

/** How many attempts a job may make. */
export function maxAttempts(retry: readonly RetryEntry[]): number {
  return Math.max(1, ...retry.map(({ when }) => ('exit' in when ? when.exit : 1)));
}

function conditionText(when: RetryEntry['when']): string {
  if ('attempt' in when) return `from attempt ${when.attempt}`;
  if ('not' in when) return `if gate ${excerpt(when.not)} failed`;
  return 'validate' in when ? `if workflow ${excerpt(when.validate.path)} passes` : '';
}

function changeText({ overrides }: RetryEntry): string {
  const changes = [
    overrides.agent === undefined ? undefined : `agent ${excerpt(overrides.agent)}`,
    overrides.session === undefined ? undefined : 'new session',
    overrides.worktree === undefined ? undefined : 'files reset',
    overrides.prompt === undefined ? undefined : 'different prompt',
  ].filter((change) => change !== undefined);
  return changes.length === 0 ? 'nothing changes' : changes.join(', ');
}

export function guardFacts({ noWrite, ...limits }: Guard): readonly string[] {
  const facts = [
    ...limitTexts('guard', limits),
    ...(noWrite === undefined ? [] : [noWrite ? 'no file changes' : 'file changes allowed']),
  ];
  return facts.length === 0 ? [] : [`limits of an attempt: ${facts.join(', ')}`];
}

export function budgetFacts(budget: Budget): readonly string[] {
  const limits = limitTexts('budget', budget);
  return limits.length === 0 ? [] : [`budget: ${limits.join(', ')}`];
}

function limitTexts(place: LimitPlace, limits: GuardLimits): readonly string[] {
  return limitsByPlace[place].flatMap(({ field, unit }) => {
    const amount = limits[field];
    if (amount === undefined) return [];
    return [field === 'stallMs' ? stallText(amount) : formatLimit[unit](amount)];
  });
}

const formatLimit: Readonly<Record<LimitUnit, (amount: number) => string>> = {
  turns: formatTurns,
  tokens: (count) => `${formatCount(count)} tokens`,
  dollars: (costUsd) => formatCost({ costUsd }),
  milliseconds: (ms) => formatDuration(ms).replace(/ 0 (?:s|min)$/, ''),
};

function stallText(ms: number): string {
  return ms === 0 ? 'no limit on inactivity' : `${formatLimit.milliseconds(ms)} without activity`;
}

export function pauseFacts(hitl: Pause | undefined): readonly string[] {
  if (hitl === undefined) return [];
  return [
    `waits for approval ${hitl === 'before-gate' ? 'before its gates run' : 'after its gates have run'}`,
  ];
}

/** How the tasks of a split or the steps of a group run. */
export function orderText({
  parallel,
  maxParallel,
}: {
  readonly parallel: boolean;
  readonly maxParallel?: number;
}): string {
  if (!parallel) return 'one after the other';
  return maxParallel === undefined
    ? 'in parallel, one per core, at least 2'
    : `in parallel, at most ${maxParallel}`;
}
