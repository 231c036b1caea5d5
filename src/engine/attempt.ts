/**
 * One attempt of a step that runs an agent. Its order allows the process to be killed anywhere: write the start
 * to the journal, run the agent, record tree and session together, write the end of the agent to the journal,
 * run the gates, write the end of the attempt to the journal.
 */

import { type AgentEnded, type AttemptRef, failedWithoutVerdict, type OutputFile } from '../journal/event.js';
import { type Attempt, cliVersionOf, newestAttemptOf, type StepState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { readVerdict } from '../outputs/verdict-file.js';
import type { PlacedStep } from '../plan/placed-step.js';
import { passAgent } from '../plan/plan.js';
import type { Provider } from '../providers/provider.js';
import type { AgentStep } from '../workflow/workflow.js';
import type { Snapshot } from '../workspace/workspace.js';
import { type AgentTurnOutcome, runTurn, sessionOf, sessionText, warnAboutSession } from './agent-turn.js';
import { currentSnapshot } from './branch-context.js';
import type { AgentWait } from './choose-agent.js';
import type { EngineRun } from './engine-run.js';
import { type AttemptVerdict, evaluateGates } from './evaluate-gates.js';
import { lastAttemptOf, needsOnlyGates } from './history.js';
import { type BlockedAttempt, type NextAttempt, nextAttempt } from './next-attempt.js';
import { outputContractOf, outputProblem } from './output-contract.js';
import { recordWork } from './record-work.js';
import { resultFields } from './result-fields.js';
import { pauseIfRequested, staysPaused } from './step-pause.js';

/** `stopped`: a call that must run first was interrupted or waits. Neither it nor an agent that waits has started. */
export async function runAgentAttempt(
  run: EngineRun,
  placed: PlacedStep,
  step: AgentStep,
): Promise<'stopped' | AgentWait | undefined> {
  const state = run.state().steps.get(placed.path);
  if (state !== undefined && needsOnlyGates(state)) return continueAtGates(run, placed, step);
  if (state !== undefined && isUnjudged(state)) return rerunGates(run, placed, step, state);
  const next = await nextAttempt(run, placed, step);
  if (next === 'stopped' || 'resumeAt' in next) return next;
  const ref = { step: placed.path, number: next.number, jobAttempt: run.jobAttempt };
  if ('obstacle' in next) return failBlockedAttempt(run, ref, next);
  const from = next.resetWorktree ? state?.startSnapshot : undefined;
  if (next.isPass) await skipAgent(run, ref, next.body, from);
  else {
    startAttempt(run, ref, next);
    if (isLostSessionRefused(run, next)) return failLostSession(run, ref);
    if (from !== undefined) await run.ports.workspace.reset(from);
    run.markCheckpointDue();
    await runAgent(run, step, ref, next);
  }
  const done = lastAttemptOf(run, placed.path);
  if (done?.failure === undefined && pauseIfRequested(run, ref, step.hitl, 'before-gate', done))
    return undefined;
  run.ports.checkpoints.prepare(run.state());
  return judgeAttempt(run, placed, step, ref);
}

/** A gate of the last attempt failed without a verdict. The work of the agent is kept and judged again. */
function isUnjudged(state: StepState): boolean {
  const last = newestAttemptOf(state);
  return last?.isUnjudged === true && last.snapshot !== undefined && state.isRedefined !== true;
}

async function rerunGates(
  run: EngineRun,
  placed: PlacedStep,
  step: AgentStep,
  state: StepState,
): Promise<undefined> {
  const last = newestAttemptOf(state);
  if (last?.snapshot === undefined) return undefined;
  const ref = { step: state.path, number: last.number + 1, jobAttempt: run.jobAttempt };
  run.ports.reporter.log(
    `Running only the gates of step \`${state.path}\`: attempt ${last.number} was not judged`,
  );
  run.record({ type: 'attempt-started', ...ref, ...defined({ agent: last.agent }) });
  const { snapshot, changed, output, text, findings } = last;
  const outputField = defined({ output, text, findings });
  run.record({
    type: 'agent-ended',
    ...ref,
    ...outputField,
    usage: {},
    snapshot,
    changed,
    ignored: [],
    durationMs: 0,
  });
  return judgeAttempt(run, placed, step, ref);
}

async function continueAtGates(run: EngineRun, placed: PlacedStep, step: AgentStep): Promise<undefined> {
  const { path } = placed;
  const paused = lastAttemptOf(run, path);
  if (paused === undefined || staysPaused(run, path, paused)) return undefined;
  const last = lastAttemptOf(run, path) ?? paused;
  const ref = { step: path, number: last.number, jobAttempt: last.jobAttempt };
  if (pauseIfRequested(run, ref, step.hitl, 'before-gate', last)) return undefined;
  run.ports.reporter.log(
    `Running only the gates of step \`${path}\`: the agent of attempt ${last.number} has already ended`,
  );
  return judgeAttempt(run, placed, step, carryAttemptOver(run, path, last));
}

/** Records what an earlier job left of the attempt again for this job, so that their gates are distinct (JOURNAL2). */
function carryAttemptOver(run: EngineRun, path: string, last: Attempt): AttemptRef {
  const ref = { step: path, number: last.number, jobAttempt: run.jobAttempt };
  const { agent, provider, session, prompt, snapshot } = last;
  if (last.jobAttempt === run.jobAttempt || snapshot === undefined)
    return { ...ref, jobAttempt: last.jobAttempt };
  run.record({
    type: 'attempt-started',
    ...ref,
    standsAgain: true,
    ...defined({ agent, provider, prompt, isBare: last.isBare }),
    ...(session === undefined ? {} : { session: { ...session, effective: 'resumed', reason: 'continued' } }),
  });
  return ref;
}

function failBlockedAttempt(run: EngineRun, ref: AttemptRef, { agent, obstacle }: BlockedAttempt): undefined {
  run.record({ type: 'attempt-started', ...ref, agent });
  run.record(failedWithoutVerdict(ref, obstacle));
}

/** `agent: pass`: the present files count as the work of the attempt. */
async function skipAgent(
  run: EngineRun,
  ref: AttemptRef,
  prompt: string,
  resetTo: Snapshot | undefined,
): Promise<void> {
  run.record({ type: 'attempt-started', ...ref, agent: passAgent, ...(prompt === '' ? {} : { prompt }) });
  run.ports.reporter.attemptStarts(ref.step, ref.number, undefined, undefined);
  if (resetTo !== undefined) await run.ports.workspace.reset(resetTo);
  const noWork = { usage: {}, changed: false, ignored: [], durationMs: 0 };
  run.record({ type: 'agent-ended', ...ref, ...noWork, snapshot: resetTo ?? currentSnapshot(run) });
}

/** With `on-lost-session: fail`, a missing session is not replaced, and no agent starts. */
function isLostSessionRefused(run: EngineRun, { session }: NextAttempt): boolean {
  return session.reason === 'session-lost' && run.onLostSession === 'fail';
}

function failLostSession(run: EngineRun, ref: AttemptRef): undefined {
  const message =
    'the session to resume is missing, and `on-lost-session` is `fail`. Set `on-lost-session: new` to start a new session.';
  run.record(failedWithoutVerdict(ref, { kind: 'session-lost', message }));
}

function startAttempt(run: EngineRun, ref: AttemptRef, next: NextAttempt): void {
  const { agent, session } = next;
  run.record({
    type: 'attempt-started',
    ...ref,
    agent,
    provider: next.provider.id,
    ...defined({ insteadOf: next.insteadOf }),
    session,
    prompt: next.body,
    ...(next.directory === run.ports.workspace.directory ? {} : { isBare: true }),
  });
  const text = sessionText(run, ref, session);
  run.ports.reporter.attemptStarts(ref.step, ref.number, agent, { text, ...defined({ id: session.id }) });
  warnAboutSession(run, ref, session);
}

/** Runs the agent and records its result. The end of the agent is in the journal when this resolves. */
async function runAgent(run: EngineRun, step: AgentStep, ref: AttemptRef, next: NextAttempt): Promise<void> {
  const { workspace, sessions } = run.ports;
  const before = next.resetWorktree ? run.state().steps.get(ref.step)?.startSnapshot : currentSnapshot(run);
  const [restoreGitState] = await Promise.all([workspace.saveGitState(), workspace.emptyOutput()]);
  const outcome = await runTurn(run, step, ref, next).catch(async (error: unknown) => {
    await restoreGitState();
    throw error;
  });
  const id = sessionOf(run, ref)?.id;
  // An error is part of what is recorded.
  const restoring = restoreGitState();
  await restoring.catch(() => undefined);
  const [work, mark] = await Promise.all([
    recordWork(run, step, ref, before ?? workspace.startSnapshot, restoring),
    id === undefined ? undefined : sessions.export(next.provider, id, next.directory),
  ]);
  run.markRecorded();
  reportVersionChange(run, next.provider, id, outcome.version);
  const output = outputOf(run, step, next.directory);
  const { error, ...result } = work;
  run.record({
    type: 'agent-ended',
    ...ref,
    ...result,
    ...agentEndFields(outcome),
    ...resultFields(run, step, ref, outcome, output),
    ...defined({ mark, output }),
  });
  if (error !== undefined) throw error;
}

function outputOf(run: EngineRun, step: AgentStep, directory: string): OutputFile | undefined {
  const contract = outputContractOf(step);
  const text = contract === undefined ? undefined : run.ports.readOutput(directory, contract.file);
  return contract === undefined || text === undefined ? undefined : { name: contract.file, text };
}

function agentEndFields(
  outcome: AgentTurnOutcome,
): Pick<AgentEnded, 'failure' | 'usage' | 'totals' | 'firstTurn' | 'lastTurn' | 'version' | 'durationMs'> {
  const { failure, usage, totals, firstTurn, lastTurn, version, durationMs } = outcome;
  return {
    usage,
    durationMs,
    ...defined({ failure, totals, firstTurn, lastTurn, version }),
  };
}

/** A session may be resumed with another version of the CLI. The log line helps to explain differences. */
function reportVersionChange(
  run: EngineRun,
  { title }: Pick<Provider, 'title'>,
  session: string | undefined,
  version: string | undefined,
): void {
  if (session === undefined || version === undefined) return;
  const before = cliVersionOf(run.state(), session);
  if (before === undefined || before === version) return;
  run.ports.reporter.log(`Resumed the session with ${title} ${version}; the last version was ${before}`);
}

/** The second half of an attempt. It is all that is left if the attempt was interrupted between agent and gates. */
async function judgeAttempt(
  run: EngineRun,
  placed: PlacedStep,
  step: AgentStep,
  ref: AttemptRef,
): Promise<undefined> {
  const startedAt = run.ports.clock.now();
  const state = run.state().steps.get(ref.step);
  const attempt = state?.attempts.at(-1);
  if (state === undefined || attempt?.snapshot === undefined)
    throw new Error(`No snapshot recorded for step ${ref.step}.`);
  const { snapshot } = attempt;
  const changes = () => run.ports.workspace.changes(state.startSnapshot, snapshot);
  const verdict =
    attempt.failure === undefined
      ? await judgeAgentWork(run, placed, step, ref, changes, attempt.output?.text)
      : undefined;
  if (verdict === 'cancelled') return undefined;
  // If the gates run in a later job, the time between the two jobs does not count.
  const agentMs = attempt.jobAttempt === run.jobAttempt ? startedAt - attempt.startedAt : attempt.durationMs;
  const durationMs = (agentMs ?? 0) + run.ports.clock.now() - startedAt;
  if (verdict !== undefined) {
    run.record({ type: 'attempt-ended', ...ref, ...verdict, durationMs });
    return undefined;
  }
  // The repository may be damaged. Then the reason of the failure is more important than the list of files.
  const files = (await changes().catch(() => [])).map((change) => change.path);
  const { failure } = attempt;
  const isInterrupted = failure?.kind === 'cancelled' || failure?.resumeAt !== undefined;
  run.record({
    type: 'attempt-ended',
    ...ref,
    status: isInterrupted ? 'cancelled' : 'failed',
    ...defined({ failure }),
    gates: [],
    files,
    durationMs,
  });
  return undefined;
}

async function judgeAgentWork(
  run: EngineRun,
  placed: PlacedStep,
  step: AgentStep,
  ref: AttemptRef,
  changes: Parameters<typeof evaluateGates>[4],
  output: string | undefined,
): Promise<(AttemptVerdict & { readonly comments?: string }) | 'cancelled'> {
  const message = outputProblem(step, output);
  if (message !== undefined)
    return { status: 'failed', failure: { kind: 'output', message }, gates: [], files: [] };
  const review = step.type === 'validate' ? readVerdict(output) : undefined;
  const commentsField = typeof review === 'object' ? { comments: review.comments } : {};
  if (typeof review === 'object' && !review.pass) {
    const failure = { kind: 'validate', message: `the verdict is negative: ${review.comments}` } as const;
    return { status: 'failed', failure, gates: [], files: [], ...commentsField };
  }
  const verdict = await evaluateGates(run, placed, ref, step.gates, changes, output);
  return verdict === 'cancelled' ? verdict : { ...verdict, ...commentsField };
}
