/**
 * What comes next for a step that runs an agent: which attempt, by whom, in which session, with which prompt.
 * Reads the fold, writes nothing down.
 */
import type { SessionDecision } from '../journal/event.js';
import type { Attempt, StepState } from '../journal/state.js';
import type { PlacedStep } from '../plan/place.js';
import type { Provider } from '../providers/provider.js';
import type { AgentStep } from '../workflow/workflow.js';
import { type Rung, rungAt } from './ladder.js';
import type { PreviousFailure } from './prompt.js';
import type { Run } from './run.js';
import { decideSession } from './session.js';
import { openView, speaksOfFailure } from './view.js';

export interface NextAttempt {
  readonly number: number;
  /** The last attempt was cut off and is this one (S10). */
  readonly goesOn: boolean;
  readonly agent: string;
  readonly provider: Provider;
  readonly model?: string;
  readonly session: SessionDecision;
  /** The rendered prompt. */
  readonly body: string;
  readonly failure?: PreviousFailure;
  readonly resetWorktree: boolean;
  /** Ignored top-level names that lay there when the attempt was cut off. */
  readonly wasIgnored: readonly string[];
}

/** Whether only the gates of the last attempt are missing: its agent is done and must not be paid again for the same. */
export function needsOnlyGates(step: StepState): boolean {
  const last = step.attempts.at(-1);
  if (step.isRedefined || last?.failure !== undefined) return false;
  return last?.status === 'running' && last.agentEnded && last.snapshot !== undefined;
}

export async function nextAttempt(run: Run, placed: PlacedStep, step: AgentStep): Promise<NextAttempt> {
  const { path } = placed;
  const state = run.state().steps.get(path);
  const history = state?.attempts ?? [];
  const last = history.at(-1);
  const goesOn = last !== undefined && isCutOff(last);
  const number = goesOn ? last.number : (last?.number ?? 0) + 1;
  const rung = rungAt(step.retry, history, number);
  const view = await openView(run, placed, number, [step.agent, step.prompt, rung.agent, rung.prompt]);
  const agent = view.render(rung.agent ?? step.agent).trim();
  const found = run.ports.agents.find(agent);
  const failed = history.findLast((attempt) => attempt.status === 'failed');
  const failure =
    failed === undefined || saysItself(rung) ? undefined : { ...view.failure, number: failed.number };
  return {
    number,
    goesOn,
    agent,
    ...found,
    session: sessionFor(run, placed, step, { history, goesOn, rung, agent, provider: found.provider }),
    body:
      (goesOn && !state?.isRedefined ? last.prompt : undefined) ?? view.render(rung.prompt ?? step.prompt),
    ...(failure === undefined ? {} : { failure }),
    resetWorktree: rung.resetWorktree && !goesOn,
    wasIgnored: ignoredBefore(run, history),
  };
}

/** What git ignored when the step was last at work, or, where it never got to an end, when its job began. */
function ignoredBefore(run: Run, history: readonly Attempt[]): readonly string[] {
  const noted = history.findLast((attempt) => attempt.ignored.length > 0)?.ignored;
  const job = run.state().jobs.findLast((one) => one.jobAttempt === history.at(-1)?.jobAttempt);
  return noted ?? job?.ignored ?? [];
}

export function isCutOff(attempt: Attempt): boolean {
  return attempt.status === 'cancelled' || attempt.status === 'running';
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

function sessionFor(run: Run, placed: PlacedStep, step: AgentStep, facts: SessionFacts): SessionDecision {
  const decision = decideSession({
    declared: step.session,
    agent: facts.agent,
    provider: facts.provider.id,
    jobAttempt: run.jobAttempt,
    history: facts.history,
    goesOn: facts.goesOn,
    freshSession: facts.rung.freshSession,
    target: targetOf(run, placed, step),
    match: run.plan.sessionMatch,
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
  const { step: target } = step.session;
  if (!scope.steps.some(({ name }) => name === target)) return 'out-of-scope';
  return run.state().steps.get(`${scope.prefix}${target}`)?.attempts ?? 'not-run';
}
