/** What a run leaves for later runs of its subject, from its folded state. Pure. */

import { isInterrupted } from '../engine/history.js';
import type { EarlierStep } from '../engine/previous-run.js';
import { lastSessionId } from '../engine/session-decision.js';
import { cutMiddle } from '../gates/cut-middle.js';
import type { Attempt, RunState, StepState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import type { Finding } from '../outputs/findings.js';
import type { Usage } from '../providers/provider.js';
import { resultOfStep, resultText, type StepResult } from '../report/result-of-step.js';

export interface EndedRun {
  readonly runId: string;
  readonly commit: string;
  readonly endedAt: number;
  /** Path of a step → its patch. */
  readonly diffs: Readonly<Record<string, string>>;
  /** The size of the context after this attempt. `undefined` if it is unknown. */
  tokensOf(attempt: Attempt): number | undefined;
}

/** An entry is small. Whoever needs more of a result finds it in the report of that run. */
const maxTextCharacters = 64_000;
export const maxDiffCharacters = 100_000;
const maxFiles = 1_000;
const maxSteps = 300;

/** The steps of this run that had an agent. One without a session and without a result has nothing to say. */
export function collectSteps(state: RunState, run: EndedRun): readonly EarlierStep[] {
  const steps = [...state.steps.values()].flatMap((step) => collectStep(step, run) ?? []);
  return steps.slice(-maxSteps);
}

function collectStep(step: StepState, run: EndedRun): EarlierStep | undefined {
  const attempts = step.attempts.filter(({ provider }) => provider !== undefined);
  const last = attempts.at(-1);
  if (last?.agent === undefined || last.provider === undefined) return undefined;
  const sessionId = lastSessionId(attempts);
  const result = resultOfStep(step);
  if (sessionId === undefined && result === undefined) return undefined;
  const tokens = run.tokensOf(last);
  const { runId, commit, endedAt, diffs } = run;
  const files = step.attempts.findLast((attempt) => attempt.files.length > 0)?.files ?? [];
  return {
    path: step.path,
    agent: last.agent,
    provider: last.provider,
    ...defined({ sessionId, tokens, diff: diffs[step.path] }),
    ...textsOf(result),
    files: files.slice(0, maxFiles),
    runId,
    commit,
    endedAt,
    ...(wasAtWork(last) ? { isInterrupted: true } : {}),
  };
}

/** Whether the run ended in the middle of a turn. An agent that waits for its service has ended its turn. */
function wasAtWork(attempt: Attempt): boolean {
  return isInterrupted(attempt) && (!attempt.hasAgentEnded || attempt.failure?.kind === 'cancelled');
}

function textsOf(result: StepResult | undefined): Pick<EarlierStep, 'result' | 'comments'> {
  if (result === undefined) return {};
  const text = [resultText(result), ...(result.findings ?? []).map(findingText)].filter((one) => one !== '');
  const { comments } = result;
  return {
    result: cutMiddle(text.join('\n'), maxTextCharacters),
    ...(comments === undefined ? {} : { comments: cutMiddle(comments, maxTextCharacters) }),
  };
}

function findingText({ path, line, severity, message, suggestion }: Finding): string {
  const place = path === undefined ? '' : ` ${path}${line === undefined ? '' : `:${line}`}:`;
  return `- ${severity}:${place} ${message}${suggestion === undefined ? '' : ` (${suggestion})`}`;
}

/**
 * The steps of this run, and those of earlier runs that did not run in it: a run that was cancelled early must not lose
 * the conversation. What is too old to be resumed is dropped.
 */
export function withEarlierSteps(
  own: readonly EarlierStep[],
  earlier: readonly EarlierStep[],
  oldest: number,
): readonly EarlierStep[] {
  const before = new Map(earlier.map((step) => [step.path, step]));
  const paths = new Set(own.map(({ path }) => path));
  const kept = earlier.filter(({ path, endedAt }) => !paths.has(path) && endedAt >= oldest);
  return [...kept, ...own.map((step) => withLastResult(step, before.get(step.path)))].slice(-maxSteps);
}

/** An attempt that failed before it had a result continues the conversation, so its last result is still the last. */
function withLastResult(step: EarlierStep, before: EarlierStep | undefined): EarlierStep {
  if (before === undefined || step.result !== undefined || step.sessionId !== before.sessionId) return step;
  const { result, comments, diff } = before;
  return { ...defined({ result, comments, diff }), ...step };
}

/** What the provider counted for the last request of the attempt and its answer. */
export function contextTokens(
  { lastTurn }: Pick<Attempt, 'lastTurn'>,
  inputIncludesCache: boolean,
): number | undefined {
  if (lastTurn?.inputTokens === undefined) return undefined;
  const { inputTokens, outputTokens = 0 }: Usage = lastTurn;
  const cached = (lastTurn.cacheReadTokens ?? 0) + (lastTurn.cacheWriteTokens ?? 0);
  return inputTokens + (inputIncludesCache ? 0 : cached) + outputTokens;
}
