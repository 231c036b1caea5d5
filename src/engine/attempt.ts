/**
 * One attempt of a step that runs an agent, in the order that survives being killed anywhere: write down
 * what will be done, run the agent, record tree and session together, write down that the agent is done,
 * run the gates, write down the end.
 */

import { type AgentEnded, type AttemptRef, failedWithoutVerdict, type OutputFile } from '../journal/event.js';
import { type Attempt, cliVersionOf, newestAttemptOf, type StepState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { readVerdict } from '../outputs/verdict-file.js';
import type { PlacedStep } from '../plan/placed-step.js';
import { passAgent } from '../plan/plan.js';
import type { Provider } from '../providers/provider.js';
import type { AgentStep } from '../workflow/workflow.js';
import type { RecordedSnapshot, Snapshot } from '../workspace/workspace.js';
import { type AgentTurnOutcome, runTurn, sessionOf, sessionText, warnAboutSession } from './agent-turn.js';
import { currentSnapshot } from './branch-context.js';
import type { EngineRun } from './engine-run.js';
import { type AttemptVerdict, evaluateGates } from './evaluate-gates.js';
import { lastAttemptOf, needsOnlyGates } from './history.js';
import { type BlockedAttempt, type NextAttempt, nextAttempt } from './next-attempt.js';
import { isReadOnly, outputContractOf, outputProblem, withNoWrite } from './output-contract.js';
import { pauseIfRequested, staysPaused } from './step-pause.js';

/** `stopped`: something that has to come before it was cut off, or waits; nothing of the attempt was begun. */
export async function runAgentAttempt(
  run: EngineRun,
  placed: PlacedStep,
  step: AgentStep,
): Promise<'stopped' | undefined> {
  const state = run.state().steps.get(placed.path);
  if (state !== undefined && needsOnlyGates(state)) return continueAtGates(run, placed, step);
  if (state !== undefined && isUnjudged(state)) return rerunGates(run, placed, step, state);
  const next = await nextAttempt(run, placed, step);
  if (next === 'stopped') return next;
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

/** What was to judge the last attempt has broken down: its work stands, and nobody has found fault with it. */
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
    `The work of attempt ${last.number} of ${state.path} was not judged; only its gates run.`,
  );
  run.record({ type: 'attempt-started', ...ref, ...defined({ agent: last.agent }) });
  const { snapshot, changed, output } = last;
  const outputField = defined({ output });
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
  const waiting = lastAttemptOf(run, path);
  if (waiting === undefined || staysPaused(run, path, waiting)) return undefined;
  const last = lastAttemptOf(run, path) ?? waiting;
  const ref = { step: path, number: last.number, jobAttempt: last.jobAttempt };
  if (pauseIfRequested(run, ref, step.hitl, 'before-gate', last)) return undefined;
  run.ports.reporter.log(`The agent of attempt ${last.number} of ${path} is done; only its gates run.`);
  return judgeAttempt(run, placed, step, carryAttemptOver(run, path, last));
}

/** What an earlier job left of the attempt stands again under this one, so that its gates are told apart (J2). */
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

/** `agent: pass`: what lies there is taken as the attempt's work. */
async function skipAgent(
  run: EngineRun,
  ref: AttemptRef,
  prompt: string,
  resetTo: Snapshot | undefined,
): Promise<void> {
  run.record({ type: 'attempt-started', ...ref, agent: passAgent, ...(prompt === '' ? {} : { prompt }) });
  run.ports.reporter.attemptStarts(ref.step, ref.number, undefined, undefined);
  if (resetTo !== undefined) await run.ports.workspace.reset(resetTo);
  const nothing = { usage: {}, changed: false, ignored: [], durationMs: 0 };
  run.record({ type: 'agent-ended', ...ref, ...nothing, snapshot: resetTo ?? currentSnapshot(run) });
}

/** `on-lost-session: fail`: a session that is known to be gone is not replaced, and nothing is spent. */
function isLostSessionRefused(run: EngineRun, { session }: NextAttempt): boolean {
  return session.reason === 'session-lost' && run.onLostSession === 'fail';
}

function failLostSession(run: EngineRun, ref: AttemptRef): undefined {
  const message = 'the session to go on in is gone, and `on-lost-session: fail` asks for it';
  run.record(failedWithoutVerdict(ref, { kind: 'session-lost', message }));
}

function startAttempt(run: EngineRun, ref: AttemptRef, next: NextAttempt): void {
  const { agent, session } = next;
  run.record({
    type: 'attempt-started',
    ...ref,
    agent,
    provider: next.provider.id,
    session,
    prompt: next.body,
    ...(next.directory === run.ports.workspace.directory ? {} : { isBare: true }),
  });
  const text = sessionText(run, ref, session);
  run.ports.reporter.attemptStarts(ref.step, ref.number, agent, { text, ...defined({ id: session.id }) });
  warnAboutSession(run, ref, session);
}

/** Runs the agent and records what it left: its end is in the journal when this resolves. */
async function runAgent(run: EngineRun, step: AgentStep, ref: AttemptRef, next: NextAttempt): Promise<void> {
  const { workspace, sessions } = run.ports;
  const before = next.resetWorktree ? run.state().steps.get(ref.step)?.startSnapshot : currentSnapshot(run);
  const [restoreGuarded] = await Promise.all([workspace.saveGitState(), workspace.emptyOutput()]);
  const outcome = await runTurn(run, step, ref, next).finally(restoreGuarded);
  const id = sessionOf(run, ref)?.id;
  const [snapshot, mark, ignored] = await Promise.all([
    workspace.record(`${ref.step} attempt ${ref.number}`),
    id === undefined ? undefined : sessions.export(next.provider, id, next.directory),
    workspace.listIgnoredNames(),
  ]);
  warnAboutLeftOutFiles(run, snapshot);
  reportVersionChange(run, next.provider, id, outcome.version);
  const output = outputOf(run, step, next.directory);
  const kept = await enforceReadOnly(run, step, snapshot, before ?? workspace.startSnapshot);
  run.record({
    type: 'agent-ended',
    ...ref,
    ...kept,
    ...agentEndFields(outcome),
    ignored,
    ...defined({ mark, output }),
  });
}

function outputOf(run: EngineRun, step: AgentStep, directory: string): OutputFile | undefined {
  const contract = outputContractOf(step);
  const text = contract === undefined ? undefined : run.ports.readOutput(directory, contract.file);
  return contract === undefined || text === undefined ? undefined : { name: contract.file, text };
}

function agentEndFields(
  outcome: AgentTurnOutcome,
): Pick<AgentEnded, 'failure' | 'usage' | 'totals' | 'firstTurn' | 'version' | 'durationMs'> {
  const { failure, usage, totals, firstTurn, version, durationMs } = outcome;
  return {
    usage,
    durationMs,
    ...defined({ failure, totals, firstTurn, version }),
  };
}

/** How many files a message names. */
const maxNamedFiles = 20;

/** A step that only reads may write nothing but its answer: anything else is undone and fails the attempt (`no_write`). */
async function enforceReadOnly(
  run: EngineRun,
  step: AgentStep,
  snapshot: RecordedSnapshot,
  before: Snapshot,
): Promise<Pick<AgentEnded, 'snapshot' | 'changed'> & Partial<Pick<AgentEnded, 'failure'>>> {
  const { base, commit, changed } = snapshot;
  if (!isReadOnly(withNoWrite(step, run.isWriteForbidden), run.permissions) || !changed)
    return { snapshot: { base, commit }, changed };
  const changes = await run.ports.workspace.changes(before, snapshot);
  await run.ports.workspace.reset(before);
  const more = changes.length > maxNamedFiles ? ` and ${changes.length - maxNamedFiles} more` : '';
  const names =
    changes
      .slice(0, maxNamedFiles)
      .map((change) => change.path)
      .join(', ') + more;
  const message = `no_write: the agent of this step may change nothing but .gump/out, but it changed ${names}. The files were put back.`;
  return { snapshot: before, changed: false, failure: { kind: 'guard', message } };
}

function warnAboutLeftOutFiles(run: EngineRun, snapshot: RecordedSnapshot): void {
  for (const file of snapshot.leftOut) {
    run.ports.reporter.warn(
      `${file} is not kept, so a re-run will not have it: it is larger than 100 MB, cannot be read, or is a repository of its own.`,
    );
  }
}

/** A session may go on with another version of the CLI; what differs then can be looked for there. */
function reportVersionChange(
  run: EngineRun,
  { title }: Pick<Provider, 'title'>,
  session: string | undefined,
  version: string | undefined,
): void {
  if (session === undefined || version === undefined) return;
  const before = cliVersionOf(run.state(), session);
  if (before === undefined || before === version) return;
  run.ports.reporter.log(`The session was last at work in ${title} ${before} and went on with ${version}.`);
}

/** The second half of an attempt; also all that is left of one that was cut off between agent and gates. */
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
    throw new Error(`No tree was recorded for ${ref.step}.`);
  const { snapshot } = attempt;
  const changes = () => run.ports.workspace.changes(state.startSnapshot, snapshot);
  const verdict =
    attempt.failure === undefined
      ? await judgeAgentWork(run, placed, step, ref, changes, attempt.output?.text)
      : undefined;
  if (verdict === 'cancelled') return undefined;
  // Of an attempt whose gates run in a later job only the time at work counts, not the time in between.
  const worked = attempt.jobAttempt === run.jobAttempt ? startedAt - attempt.startedAt : attempt.durationMs;
  const durationMs = (worked ?? 0) + run.ports.clock.now() - startedAt;
  if (verdict !== undefined) {
    run.record({ type: 'attempt-ended', ...ref, ...verdict, durationMs });
    return undefined;
  }
  const files = (await changes()).map((change) => change.path);
  const status = attempt.failure?.kind === 'cancelled' ? 'cancelled' : 'failed';
  const { failure } = attempt;
  run.record({
    type: 'attempt-ended',
    ...ref,
    status,
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
    const failure = { kind: 'validate', message: `the review did not pass: ${review.comments}` } as const;
    return { status: 'failed', failure, gates: [], files: [], ...commentsField };
  }
  const verdict = await evaluateGates(run, placed, ref, step.gates, changes, output);
  return verdict === 'cancelled' ? verdict : { ...verdict, ...commentsField };
}
