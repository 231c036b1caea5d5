/** The session of an earlier run: which one a step means, and placing it before the step resumes it. */
import type { SessionDecision } from '../journal/event.js';
import { lastAttemptOfSession } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import type { StepScope } from '../plan/placed-step.js';
import type { Provider } from '../providers/provider.js';
import { pathOf } from '../step-path.js';
import type { EngineRun } from './engine-run.js';
import type { EarlierStep } from './previous-run.js';
import type { EarlierCandidate } from './session-decision.js';

/** What the earlier run says of the step at this path; `undefined` if it says nothing. */
export function earlierCandidate(run: EngineRun, path: string | undefined): EarlierCandidate | undefined {
  const { previous, clock } = run.ports;
  const step = path === undefined ? undefined : previous?.run?.steps.get(path);
  if (previous === undefined || step === undefined) return undefined;
  return {
    step,
    isInUse: step.sessionId !== undefined && previous.sessionsInUse.has(step.sessionId),
    ageMs: Math.max(0, clock.now() - step.endedAt),
    maxAgeMs: previous.maxAgeMs,
    maxTokens: previous.maxTokens,
  };
}

/**
 * Places the session where the CLI finds it, and reserves it for this attempt. A session that this run has used already
 * is in place, and further than that of the earlier run.
 */
export async function placeEarlierSession(
  run: EngineRun,
  provider: Provider,
  directory: string,
  decision: SessionDecision,
): Promise<SessionDecision> {
  const { id, ...rest } = decision;
  if (decision.reason !== 'previous' || id === undefined) return decision;
  run.sessionsInUse.add(id);
  if (lastAttemptOfSession(run.state(), id) !== undefined) return decision;
  if (await run.ports.previous?.restoreSession(provider, id, directory)) return decision;
  run.sessionsInUse.delete(id);
  return { ...rest, effective: 'new', reason: 'session-lost' };
}

/**
 * The paths that the name of a step may have in an earlier run, the nearest first. Also a step that this workflow no
 * longer has.
 */
export function earlierPathOf(
  run: EngineRun,
  name: string,
  scope: StepScope,
  pathNow: string | undefined,
): string | undefined {
  const steps = run.ports.previous?.run?.steps;
  const paths = [...(pathNow === undefined ? [] : [pathNow]), ...pathsInScope(name, scope)];
  return paths.find((path) => steps?.has(path)) ?? paths[0];
}

function pathsInScope(name: string, { prefix, enclosing }: StepScope): readonly string[] {
  return [pathOf(prefix, name), ...(enclosing === undefined ? [] : pathsInScope(name, enclosing))];
}

/** The named step first, then those that ran after it. */
export function stepsForHandOver(run: EngineRun, runId: string, first: string): readonly EarlierStep[] {
  const all = [...(run.ports.previous?.run?.steps.values() ?? [])].filter((step) => step.runId === runId);
  const named = all.filter(({ path }) => path === first);
  return [...named, ...all.filter(({ path }) => path !== first)];
}

/** Without the session, if the CLI does not know it after all (S9). */
export function replacedDecision({ declared, earlier }: SessionDecision): SessionDecision {
  return { declared, effective: 'new', reason: 'session-lost', ...defined({ earlier }) };
}
