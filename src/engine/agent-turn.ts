/**
 * An agent's turn in its session: one process of its CLI, or more if the session turns out to be missing (S9) or
 * the model service refuses for some time. What the CLI reports about its session is in the journal before
 * anything else uses it (S8).
 */

import { type Failure, UserError } from '../failure.js';
import type { AttemptRef, SessionDecision } from '../journal/event.js';
import { type Attempt, totalsOf } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { withEstimatedCost } from '../providers/cost.js';
import type { AgentEvent, TurnOutcome, Usage } from '../providers/provider.js';
import { subtractUsage } from '../providers/usage.js';
import type { AgentStep } from '../workflow/workflow.js';
import { handOverNote, resumedRunNote } from './earlier-notes.js';
import { replacedDecision, stepsForHandOver } from './earlier-session.js';
import type { AgentTurn, OpenConversation } from './engine-ports.js';
import type { EngineRun } from './engine-run.js';
import { recordAtIntervals } from './interval-checkpoints.js';
import { afterRefusal } from './limits/after-refusal.js';
import { monitorAgent } from './limits/agent-monitor.js';
import { describeWait } from './limits/backoff.js';
import { waitUnderLimits } from './limits/backoff-wait.js';
import { limitOfProvider } from './limits/provider-limits.js';
import { type NextAttempt, withNewSessionId } from './next-attempt.js';
import { isReadOnly, outputContractOf, permissionOf, withNoWrite } from './output-contract.js';
import { composePrompt, resumeAfterRefusalNote } from './prompt.js';
import { isInterruptedInEarlierRun, isWarningReason } from './session-decision.js';
import { describeSession } from './session-text.js';
import { withStartSettings } from './start-settings-turn.js';

export type AgentTurnOutcome = TurnOutcome & {
  readonly durationMs: number;
  /** What resuming the session cost. */
  readonly firstTurn?: Usage;
  /** What the last answer spent. */
  readonly lastTurn?: Usage;
};

/** S9: a session that the CLI no longer knows is replaced within the same attempt. */
export async function runTurn(
  run: EngineRun,
  step: AgentStep,
  ref: AttemptRef,
  next: NextAttempt,
): Promise<AgentTurnOutcome> {
  const outcome = await runInSession(run, step, ref, next, next.session);
  const isLost = outcome.failure?.kind === 'session-lost' && next.session.effective === 'resumed';
  if (!isLost || run.onLostSession === 'fail' || run.signal.aborted) return outcome;
  const session = withNewSessionId(run, next.provider, replacedDecision(next.session));
  run.record({ type: 'session-replaced', ...ref, session, usage: outcome.usage });
  warnAboutSession(run, ref, session);
  return runInSession(run, step, ref, next, session);
}

/** One process of the agent: its session, its prompt, and what the session had spent before. */
interface ProcessRequest {
  readonly session: SessionDecision;
  readonly prompt: string;
  readonly usageBefore: Usage;
}

/** Retries in the same session while the service refuses. The session is in use all this time (S7). */
async function runInSession(
  run: EngineRun,
  step: AgentStep,
  ref: AttemptRef,
  next: NextAttempt,
  session: SessionDecision,
): Promise<AgentTurnOutcome> {
  const { id } = session;
  if (id !== undefined) run.sessionsInUse.add(id);
  try {
    return await runWithBackoff(run, step, ref, next, {
      session,
      prompt: await promptOf(run, step, ref, next, session),
      usageBefore: await readUsageBefore(run, ref, next, session),
    });
  } finally {
    if (id !== undefined) run.sessionsInUse.delete(id);
  }
}

async function runWithBackoff(
  run: EngineRun,
  step: AgentStep,
  ref: AttemptRef,
  next: NextAttempt,
  first: ProcessRequest,
): Promise<AgentTurnOutcome> {
  let current = first;
  let waitedMs = 0;
  for (let waits = 0; ; ) {
    const outcome = await runProcess(run, step, ref, next, current);
    if (first.session.effective === 'new' && isSessionUnstored(run, ref, current, outcome)) {
      current = restartInNewSession(run, ref, next, first, outcome);
      continue;
    }
    if (outcome.failure === undefined || run.signal.aborted) return outcome;
    if (waits > 0 && hasNoTurns(outcome)) waitedMs += outcome.durationMs;
    const after = afterRefusal(run, next.provider.id, { failure: outcome.failure, waits, waitedMs });
    if ('failure' in after) return { ...outcome, failure: after.failure };
    waits += 1;
    waitedMs += after.waitMs;
    const failure = await recordAndWait(run, ref, outcome, after.kind, after.waitMs, waits);
    if (failure !== undefined) return { ...emptyOutcome, failure };
    const until = limitOfProvider(run.state(), next.provider.id, run.ports.clock.now());
    if (until !== undefined) return { ...emptyOutcome, failure: { ...outcome.failure, resumeAt: until } };
    current = continueAfterRefusal(run, ref, current, outcome);
  }
}

/** A CLI retries by itself before it gives up. If no answer came, this time counts as waiting. */
function hasNoTurns({ usage }: AgentTurnOutcome): boolean {
  return (usage.turns ?? 0) === 0;
}

/** Records the wait and what the refused try spent, then waits. Returns a failure if the wait ended early. */
async function recordAndWait(
  run: EngineRun,
  ref: AttemptRef,
  { usage, totals, durationMs }: AgentTurnOutcome,
  kind: 'rate-limit' | 'overloaded',
  ms: number,
  waits: number,
): Promise<Failure | undefined> {
  const until = run.ports.clock.now() + ms;
  const spent = { usage, ...defined({ totals }), durationMs };
  run.record({ type: 'attempt-waits', ...ref, kind, until, ...spent });
  run.ports.reporter.log(describeWait(kind, until, ms, waits));
  return waitUnderLimits(run, ref, ms);
}

const emptyOutcome = { status: 'failed', text: '', usage: {}, durationMs: 0 } as const;

/** The next try resumes the session of the refused one. It repeats the prompt only if there was no answer. */
function continueAfterRefusal(
  run: EngineRun,
  ref: AttemptRef,
  refused: ProcessRequest,
  { totals }: AgentTurnOutcome,
): ProcessRequest {
  const known = sessionOf(run, ref);
  const usageBefore = totals ?? refused.usageBefore;
  if (known?.id === undefined) return { ...refused, usageBefore };
  const session = { ...known, effective: 'resumed' } as const;
  return { session, usageBefore, prompt: hasAnswered(run, ref) ? resumeAfterRefusalNote : refused.prompt };
}

function hasAnswered(run: EngineRun, ref: AttemptRef): boolean {
  return (attemptOf(run, ref)?.usage.turns ?? 0) > 0;
}

/** Some CLIs store nothing of a session whose first request was refused, so nothing is lost. */
function isSessionUnstored(
  run: EngineRun,
  ref: AttemptRef,
  { session }: ProcessRequest,
  { failure }: AgentTurnOutcome,
): boolean {
  return failure?.kind === 'session-lost' && session.effective === 'resumed' && !hasAnswered(run, ref);
}

function restartInNewSession(
  run: EngineRun,
  ref: AttemptRef,
  next: NextAttempt,
  first: ProcessRequest,
  { usage }: AgentTurnOutcome,
): ProcessRequest {
  const { id: _id, ...decision } = first.session;
  const session = withNewSessionId(run, next.provider, decision);
  run.record({ type: 'session-replaced', ...ref, session, usage });
  return { ...first, session };
}

/** One process of the agent. */
async function runProcess(
  run: EngineRun,
  step: AgentStep,
  ref: AttemptRef,
  next: NextAttempt,
  { session, prompt, usageBefore }: ProcessRequest,
): Promise<AgentTurnOutcome> {
  // Before any time limit starts, and not stopped by one: other agents need the same program.
  const startFailure = await run.ports.agents
    .ensureInstalled(next.provider, run.signal)
    .then(() => undefined, toStartFailure);
  if (startFailure !== undefined) return startFailure;
  const monitor = await monitorAgent(run, step, ref, next, usageBefore);
  if ('failure' in monitor) return { ...emptyOutcome, failure: monitor.failure };
  const restricted = withNoWrite(step, run.isWriteForbidden);
  const stopProgress = run.ports.reporter.showProgress(() => monitor.progress());
  const conversation = openConversation(run, ref, next, session, prompt);
  const turn: AgentTurn = {
    provider: next.provider,
    ...defined({ model: next.model }),
    prompt,
    session: turnSession(session),
    directory: next.directory,
    permission: permissionOf(restricted, run.permissions),
    mustNotWrite: isReadOnly(restricted, run.permissions),
    ...defined({ stallMs: step.guard.stallMs }),
    usageBefore,
    onEvent(event, model) {
      onEvent(run, ref, next, event);
      conversation?.add(event);
      monitor.onEvent(event, model);
    },
    signal: monitor.signal,
    cancelSignal: run.cancelSignal,
    graceMs: () => monitor.graceMs(),
  };
  // For each process, because an earlier process of this turn may have changed settings as well.
  const { mustNotWrite } = turn;
  const outcome = await withStartSettings(run, ref, { withInstructions: mustNotWrite }, () =>
    recordAtIntervals(run, { ref, next, mustNotWrite, progress: () => monitor.progress() }, () =>
      run.ports.agents.run(turn),
    ),
  )
    .catch(toStartFailure)
    .finally(stopProgress);
  await keepKnownSession(run, ref, next, session);
  const withUsage = await withSessionFileUsage(run, ref, next, usageBefore, outcome);
  const usage = await withEstimatedCost(next.provider, [withUsage.model, next.model], withUsage.usage);
  const firstTurn = session.effective === 'resumed' ? monitor.firstTurn(usage) : undefined;
  const lastTurn = monitor.lastTurn(usage);
  const end = monitor.end({ ...withUsage, usage });
  conversation?.end(end.failure);
  return { ...end, ...defined({ firstTurn, lastTurn }) };
}

function openConversation(
  run: EngineRun,
  { step, number: attempt, jobAttempt }: AttemptRef,
  { agent }: NextAttempt,
  { effective, id }: SessionDecision,
  prompt: string,
): OpenConversation | undefined {
  const head = { step, attempt, jobAttempt, agent, session: effective, ...defined({ id }), prompt };
  return run.ports.transcripts?.open(head);
}

/**
 * S8: a CLI may give a resumed session another id. If it stored no session with that id, the conversation is in the
 * one that was resumed, and a later attempt can resume only that.
 */
async function keepKnownSession(
  run: EngineRun,
  ref: AttemptRef,
  { provider, directory }: NextAttempt,
  { effective, id }: SessionDecision,
): Promise<void> {
  const reported = sessionOf(run, ref)?.id;
  if (effective !== 'resumed' || id === undefined || reported === undefined || reported === id) return;
  if (await run.ports.sessions.isStored(provider, reported, directory)) return;
  run.record({ type: 'session-known', ...ref, id });
  run.ports.reporter.log(
    `${provider.title} reported the session \`${reported}\` but did not store it. Keeping \`${id}\``,
  );
}

/** The agent cannot start. Parallel branches continue. */
function toStartFailure(error: unknown): AgentTurnOutcome {
  if (!(error instanceof UserError)) throw error;
  return { ...emptyOutcome, failure: { kind: 'crash', message: error.message, isFinal: true } };
}

function turnSession(session: SessionDecision) {
  if (session.effective === 'resumed' && session.id !== undefined)
    return { mode: 'resume', id: session.id } as const;
  return session.id === undefined
    ? ({ mode: 'start' } as const)
    : ({ mode: 'start', id: session.id } as const);
}

async function readUsageBefore(
  run: EngineRun,
  ref: AttemptRef,
  next: NextAttempt,
  session: SessionDecision,
): Promise<Usage> {
  if (session.effective === 'new' || session.id === undefined) return {};
  const recorded = totalsOf(run.state(), session.id);
  if (isUsageUnrecorded(run, ref)) return recorded;
  return (await run.ports.sessions.readUsage(next.provider, session.id, next.directory)) ?? recorded;
}

/**
 * The action was killed in the first part of this attempt. What that part spent is only in the session's file, unless it
 * was recorded at work: then the session was restored to that point.
 */
function isUsageUnrecorded(run: EngineRun, ref: AttemptRef): boolean {
  const part = run.state().steps.get(ref.step)?.attempts.at(-2);
  return part?.number === ref.number && !part.hasAgentEnded && part.usageAtWork === undefined;
}

/** An interrupted process reports no totals. What it spent is read from the session's file. */
async function withSessionFileUsage(
  run: EngineRun,
  ref: AttemptRef,
  { provider, directory }: NextAttempt,
  usageBefore: Usage,
  outcome: AgentTurnOutcome,
): Promise<AgentTurnOutcome> {
  const id = sessionOf(run, ref)?.id;
  if (outcome.totals !== undefined || id === undefined) return outcome;
  const totals = (await run.ports.sessions.readUsage(provider, id, directory)) ?? {};
  if (Object.keys(totals).length === 0) return outcome;
  const unreported = Object.entries(subtractUsage(totals, usageBefore)).filter(([, spent]) => spent > 0);
  return { ...outcome, usage: { ...Object.fromEntries(unreported), ...outcome.usage }, totals };
}

async function promptOf(
  run: EngineRun,
  step: AgentStep,
  ref: AttemptRef,
  next: NextAttempt,
  session: SessionDecision,
): Promise<string> {
  const present = next.isContinued ? await run.ports.workspace.listIgnoredNames() : [];
  const missing = next.previouslyIgnored.filter((name) => !present.includes(name));
  const contract = outputContractOf(step)?.instructions;
  return composePrompt({
    body: next.body,
    context: next.context,
    ...defined({ contract, failure: next.failure, earlierRun: await earlierRunNote(run, ref, session) }),
    ...(next.isContinued ? { interruption: { missing, isNewSession: session.effective === 'new' } } : {}),
    wasReset: next.resetWorktree,
  });
}

/** Only for the attempt that was to resume the session of an earlier run. */
async function earlierRunNote(
  run: EngineRun,
  { step }: AttemptRef,
  { earlier, reason, declared }: SessionDecision,
): Promise<string | undefined> {
  const { previous } = run.ports;
  if (earlier === undefined || previous === undefined) return undefined;
  const distance = await previous.compareCommits();
  if (reason === 'previous') return resumedRunNote(earlier, distance);
  const first = declared.slice('previous:'.length);
  const prefix = step.slice(0, step.lastIndexOf('/') + 1);
  return handOverNote(earlier, stepsForHandOver(run, earlier.runId, `${prefix}${first}`), distance);
}

/** S8: an id that the CLI reports is in the journal before anything else uses it. */
function onEvent(run: EngineRun, ref: AttemptRef, { provider }: NextAttempt, event: AgentEvent): void {
  // An id becomes part of command lines and paths, so text that is no id of this provider is ignored.
  const isId = event.type === 'session' && provider.isSessionId(event.id);
  if (isId && event.id !== sessionOf(run, ref)?.id)
    run.record({ type: 'session-known', ...ref, id: event.id });
  if (event.type === 'ignored-number')
    run.ports.reporter.warn(
      `Step \`${ref.step}\`: ${provider.title} reported \`${event.name}\` as ${event.value}, which cannot be true. The number is ignored.`,
    );
  run.ports.reporter.onAgentEvent(event);
}

export function sessionOf(run: EngineRun, ref: AttemptRef): SessionDecision | undefined {
  return attemptOf(run, ref)?.session;
}

function attemptOf(run: EngineRun, ref: AttemptRef): Attempt | undefined {
  return run
    .state()
    .steps.get(ref.step)
    ?.attempts.findLast((attempt) => attempt.number === ref.number);
}

/** Each reason that the user does not expect is reported once (docs/sessions.md, "Reasons"). */
export function warnAboutSession(run: EngineRun, ref: AttemptRef, session: SessionDecision): void {
  // The action has said once why no earlier run can be used.
  const isReported = session.reason === 'previous-not-found' && run.ports.previous?.run === undefined;
  const isUnexpected = isWarningReason(session.reason) || isInterruptedInEarlierRun(session);
  if (isUnexpected && !isReported)
    run.ports.reporter.warn(`Step \`${ref.step}\`, attempt ${ref.number}: ${sessionText(run, ref, session)}`);
}

/** For an attempt whose start is in the journal. */
export function sessionText(run: EngineRun, ref: AttemptRef, session: SessionDecision): string {
  const attempts = run.state().steps.get(ref.step)?.attempts ?? [];
  const index = attempts.findLastIndex(({ number }) => number === ref.number);
  return describeSession({
    session,
    ...defined({
      agent: attempts[index]?.agent,
      insteadOf: attempts[index]?.insteadOf,
      previous: index < 1 ? undefined : attempts[index - 1],
    }),
  });
}
