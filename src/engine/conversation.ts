/**
 * An agent's turn in its session: one process of its CLI, or more where the session turns out to be gone (S9)
 * or the model service refuses for a while (contract 5.8). What the CLI tells of its session is in the journal before anything else is done with it (S8).
 */

import { type Failure, UserError } from '../failure.js';
import type { AttemptRef, SessionDecision } from '../journal/event.js';
import { type Attempt, totalsOf } from '../journal/state.js';
import { defined } from '../optional-keys.js';
import { withEstimate } from '../providers/cost.js';
import type { AgentEvent, TurnOutcome, Usage } from '../providers/provider.js';
import { subtractUsage } from '../providers/usage.js';
import type { AgentStep } from '../workflow/workflow.js';
import { barred, contractOf, permissionOf } from './contract.js';
import { type NextAttempt, withChosenId } from './next-attempt.js';
import { impatient, isPassing, waitMs, waitNote } from './patience.js';
import type { AgentTurn } from './ports.js';
import { composePrompt, refusalNote } from './prompt.js';
import type { Run } from './run-context.js';
import { describeDecision, isWarning } from './session.js';
import { noTimeFor, waitUnderCaps } from './waiting.js';
import { watchAgent } from './watch.js';

export type Outcome = TurnOutcome & {
  readonly durationMs: number;
  /** What it took to take up the conversation again. */
  readonly firstTurn?: Usage;
};

/** S9: a session that the provider does not know any more is replaced within the same attempt. */
export async function converse(
  run: Run,
  step: AgentStep,
  ref: AttemptRef,
  next: NextAttempt,
): Promise<Outcome> {
  const outcome = await speakPatiently(run, step, ref, next, next.session);
  const isLost = outcome.failure?.kind === 'session-lost' && next.session.effective === 'resumed';
  if (!isLost || run.onLostSession === 'fail' || run.signal.aborted) return outcome;
  const { declared } = next.session;
  const session = withChosenId(run, next.provider, { declared, effective: 'new', reason: 'session-lost' });
  run.record({ type: 'session-replaced', ...ref, session, usage: outcome.usage });
  warnOfSession(run, ref, session);
  return speakPatiently(run, step, ref, next, session);
}

/** One process of the agent: in which session, saying what, after how much was spent there. */
interface Try {
  readonly session: SessionDecision;
  readonly prompt: string;
  readonly before: Usage;
}

/** Tries again in the same session for as long as the service refuses in passing; the session is held all the while. */
async function speakPatiently(
  run: Run,
  step: AgentStep,
  ref: AttemptRef,
  next: NextAttempt,
  session: SessionDecision,
): Promise<Outcome> {
  const held = session.id;
  if (held !== undefined) run.inUse.add(held);
  try {
    return await tryPatiently(run, step, ref, next, {
      session,
      prompt: await promptOf(run, step, next, session),
      before: await spentBefore(run, ref, next, session),
    });
  } finally {
    if (held !== undefined) run.inUse.delete(held);
  }
}

async function tryPatiently(
  run: Run,
  step: AgentStep,
  ref: AttemptRef,
  next: NextAttempt,
  first: Try,
): Promise<Outcome> {
  let current = first;
  let waitedMs = 0;
  for (let waits = 0; ; ) {
    const outcome = await speak(run, step, ref, next, current);
    if (first.session.effective === 'new' && wasNeverKept(run, ref, current, outcome)) {
      current = beginAgain(run, ref, next, first, outcome);
      continue;
    }
    if (outcome.failure === undefined || run.signal.aborted) return outcome;
    if (waits > 0 && isIdle(outcome)) waitedMs += outcome.durationMs;
    const refused = { failure: outcome.failure, waits, waitedMs };
    const ms = waitMs({ ...refused, chance: Math.random() });
    if (ms === undefined || !isPassing(outcome.failure))
      return { ...outcome, failure: impatient(outcome.failure, refused) };
    const noTime = noTimeFor(run, ms, outcome.failure);
    if (noTime !== undefined) return { ...outcome, failure: noTime };
    waits += 1;
    waitedMs += ms;
    const failure = await waitOut(run, ref, outcome, outcome.failure.kind, ms, waits);
    if (failure !== undefined) return { ...unspent, failure };
    current = again(run, ref, current, outcome);
  }
}

/** A CLI tries by itself before it gives up: that is waiting, too, where no answer came. */
function isIdle({ usage }: Outcome): boolean {
  return (usage.turns ?? 0) === 0;
}

/** Writes down the wait and what the refused try spent, then waits; the failure where something ended that. */
async function waitOut(
  run: Run,
  ref: AttemptRef,
  { usage, totals, durationMs }: Outcome,
  kind: 'rate-limit' | 'overloaded',
  ms: number,
  waits: number,
): Promise<Failure | undefined> {
  const until = run.ports.clock.now() + ms;
  const spent = { usage, ...defined({ totals }), durationMs };
  run.record({ type: 'attempt-waits', ...ref, kind, until, ...spent });
  run.ports.reporter.say(waitNote(kind, until, ms, waits));
  return waitUnderCaps(run, ref, ms);
}

const unspent = { status: 'failed', text: '', usage: {}, durationMs: 0 } as const;

/** The next try goes on in the session of the refused one; what was answered in it is not asked for again. */
function again(run: Run, ref: AttemptRef, refused: Try, { totals }: Outcome): Try {
  const known = sessionOf(run, ref);
  const before = totals ?? refused.before;
  if (known?.id === undefined) return { ...refused, before };
  const session = { ...known, effective: 'resumed' } as const;
  return { session, before, prompt: hasAnswered(run, ref) ? refusalNote : refused.prompt };
}

function hasAnswered(run: Run, ref: AttemptRef): boolean {
  return (attemptOf(run, ref)?.usage.turns ?? 0) > 0;
}

/** Some CLIs keep nothing of a session whose first request was refused: nothing is lost with it. */
function wasNeverKept(run: Run, ref: AttemptRef, { session }: Try, { failure }: Outcome): boolean {
  return failure?.kind === 'session-lost' && session.effective === 'resumed' && !hasAnswered(run, ref);
}

function beginAgain(run: Run, ref: AttemptRef, next: NextAttempt, first: Try, { usage }: Outcome): Try {
  const { id: _id, ...decision } = first.session;
  const session = withChosenId(run, next.provider, decision);
  run.record({ type: 'session-replaced', ...ref, session, usage });
  return { ...first, session };
}

/** One process of the agent. */
async function speak(
  run: Run,
  step: AgentStep,
  ref: AttemptRef,
  next: NextAttempt,
  { session, prompt, before }: Try,
): Promise<Outcome> {
  // Before any limit of time begins, and not ended by one: other agents want the same program.
  const fault = await run.ports.agents.provide(next.provider, run.signal).then(() => undefined, notReady);
  if (fault !== undefined) return fault;
  const watch = await watchAgent(run, step, ref, next, before);
  if ('failure' in watch) return { ...unspent, failure: watch.failure };
  const rest = run.ports.reporter.agentWorks(() => watch.progress());
  const turn: AgentTurn = {
    provider: next.provider,
    ...defined({ model: next.model }),
    prompt,
    session: turnSession(session),
    directory: next.directory,
    permission: permissionOf(barred(step, run.isBarred), run.permissions),
    ...defined({ stallMs: step.guard.stallMs }),
    before,
    onEvent(event, model) {
      hear(run, ref, next, event);
      watch.heard(event, model);
    },
    signal: watch.signal,
    hurry: run.cancelled,
    graceMs: () => watch.graceMs(),
  };
  const outcome = await run.ports.agents.run(turn).catch(notReady).finally(rest);
  const noted = await withNotedUsage(run, ref, next, before, outcome);
  const usage = await withEstimate(next.provider, [noted.model, next.model], noted.usage);
  const firstTurn = session.effective === 'resumed' ? watch.firstTurn(usage) : undefined;
  const end = watch.end({ ...noted, usage });
  // Also where only the end has told that it went too far.
  if (watch.isTripped()) await run.ports.agents.endStrays(turn);
  return { ...end, ...defined({ firstTurn }) };
}

/** No agent could be started; what runs beside it goes on. */
function notReady(error: unknown): Outcome {
  if (!(error instanceof UserError)) throw error;
  return { ...unspent, failure: { kind: 'crash', message: error.message, isFinal: true } };
}

function turnSession(session: SessionDecision) {
  if (session.effective === 'resumed' && session.id !== undefined)
    return { mode: 'resume', id: session.id } as const;
  return session.id === undefined
    ? ({ mode: 'start' } as const)
    : ({ mode: 'start', id: session.id } as const);
}

async function spentBefore(
  run: Run,
  ref: AttemptRef,
  next: NextAttempt,
  session: SessionDecision,
): Promise<Usage> {
  if (session.effective === 'new' || session.id === undefined) return {};
  const booked = totalsOf(run.state(), session.id);
  if (isUnbooked(run, ref)) return booked;
  return (await run.ports.sessions.spent(next.provider, session.id, next.directory)) ?? booked;
}

/** We were killed together with the first part of this attempt: what that spent is in the session's file alone. */
function isUnbooked(run: Run, ref: AttemptRef): boolean {
  const part = run.state().steps.get(ref.step)?.attempts.at(-2);
  return part?.number === ref.number && !part.agentEnded;
}

/** A process that was cut off tells no totals; what its session's file notes would never be booked otherwise. */
async function withNotedUsage(
  run: Run,
  ref: AttemptRef,
  { provider, directory }: NextAttempt,
  before: Usage,
  outcome: Outcome,
): Promise<Outcome> {
  const id = sessionOf(run, ref)?.id;
  if (outcome.totals !== undefined || id === undefined) return outcome;
  const totals = (await run.ports.sessions.spent(provider, id, directory)) ?? {};
  if (Object.keys(totals).length === 0) return outcome;
  const noted = Object.entries(subtractUsage(totals, before)).filter(([, spent]) => spent > 0);
  return { ...outcome, usage: { ...Object.fromEntries(noted), ...outcome.usage }, totals };
}

async function promptOf(
  run: Run,
  step: AgentStep,
  next: NextAttempt,
  session: SessionDecision,
): Promise<string> {
  const present = next.goesOn ? await run.ports.workspace.ignored() : [];
  const missing = next.wasIgnored.filter((name) => !present.includes(name));
  const contract = contractOf(step)?.text;
  return composePrompt({
    body: next.body,
    context: next.context,
    ...defined({ contract, failure: next.failure }),
    ...(next.goesOn ? { interruption: { missing, isNewSession: session.effective === 'new' } } : {}),
    wasReset: next.resetWorktree,
  });
}

/** S8: an id the CLI tells is in the journal before anything else is done with it. */
function hear(run: Run, ref: AttemptRef, { provider }: NextAttempt, event: AgentEvent): void {
  // An id becomes part of command lines and paths; one that the provider could not have made is none.
  const isId = event.type === 'session' && provider.isSessionId(event.id);
  if (isId && event.id !== sessionOf(run, ref)?.id)
    run.record({ type: 'session-known', ...ref, id: event.id });
  run.ports.reporter.agentDid(event);
}

export function sessionOf(run: Run, ref: AttemptRef): SessionDecision | undefined {
  return attemptOf(run, ref)?.session;
}

function attemptOf(run: Run, ref: AttemptRef): Attempt | undefined {
  return run
    .state()
    .steps.get(ref.step)
    ?.attempts.findLast((attempt) => attempt.number === ref.number);
}

/** Each reason that is not the plain one is told once (contract, report). */
export function warnOfSession(run: Run, ref: AttemptRef, session: SessionDecision): void {
  if (isWarning(session.reason))
    run.ports.reporter.warn(`Step ${ref.step}, attempt ${ref.number}: ${describeDecision(session)}`);
}
