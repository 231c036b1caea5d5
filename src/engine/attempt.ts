/**
 * One attempt of a step that runs an agent, in the order that survives being killed anywhere: write down
 * what will be done, run the agent, record tree and session together, write down that the agent is done,
 * run the gates, write down the end.
 */

import { type AgentEnded, type AttemptRef, failedUnjudged, type OutputFile } from '../journal/event.js';
import { type Attempt, newestAttempt, type StepState, versionOf } from '../journal/state.js';
import { defined } from '../optional-keys.js';
import { readVerdict } from '../outputs/verdict-file.js';
import type { PlacedStep } from '../plan/place.js';
import { pass } from '../plan/plan.js';
import type { Provider } from '../providers/provider.js';
import type { AgentStep } from '../workflow/workflow.js';
import type { RecordedSnapshot, Snapshot } from '../workspace/workspace.js';
import { barred, contractOf, isReadOnly, outputFault } from './contract.js';
import { converse, type Outcome, sessionOf, warnOfSession } from './conversation.js';
import { lastAttempt, needsOnlyGates } from './history.js';
import { judgeGates, type Verdict } from './judge.js';
import { treeNow } from './lane.js';
import { type NextAttempt, nextAttempt, type Obstacle } from './next-attempt.js';
import { pausesAt, stillWaits } from './pause.js';
import type { Run } from './run-context.js';

/** `stopped`: something that has to come before it was cut off, or waits; nothing of the attempt was begun. */
export async function runAgentAttempt(
  run: Run,
  placed: PlacedStep,
  step: AgentStep,
): Promise<'stopped' | undefined> {
  const state = run.state().steps.get(placed.path);
  if (state !== undefined && needsOnlyGates(state)) return goOnAtGates(run, placed, step);
  if (state !== undefined && isUnjudged(state)) return judgeAgain(run, placed, step, state);
  const next = await nextAttempt(run, placed, step);
  if (next === 'stopped') return next;
  const ref = { step: placed.path, number: next.number, jobAttempt: run.jobAttempt };
  if ('obstacle' in next) return stop(run, ref, next);
  const from = next.resetWorktree ? state?.from : undefined;
  if (next.isPass) await passOver(run, ref, next.body, from);
  else {
    announce(run, ref, next);
    if (isRefused(run, next)) return refuse(run, ref);
    if (from !== undefined) await run.ports.workspace.reset(from);
    run.agentWorks();
    await work(run, step, ref, next);
  }
  const done = lastAttempt(run, placed.path);
  if (done?.failure === undefined && pausesAt(run, ref, step.hitl, 'before-gate', done)) return undefined;
  run.ports.checkpoints.prepare(run.state());
  return judge(run, placed, step, ref);
}

/** What was to judge the last attempt has broken down: its work stands, and nobody has found fault with it. */
function isUnjudged(state: StepState): boolean {
  const last = newestAttempt(state);
  return last?.isUnjudged === true && last.snapshot !== undefined && state.isRedefined !== true;
}

async function judgeAgain(
  run: Run,
  placed: PlacedStep,
  step: AgentStep,
  state: StepState,
): Promise<undefined> {
  const last = newestAttempt(state);
  if (last?.snapshot === undefined) return undefined;
  const ref = { step: state.path, number: last.number + 1, jobAttempt: run.jobAttempt };
  run.ports.reporter.say(
    `The work of attempt ${last.number} of ${state.path} was not judged; only its gates run.`,
  );
  run.record({ type: 'attempt-started', ...ref, ...defined({ agent: last.agent }) });
  const { snapshot, changed, output } = last;
  const told = defined({ output });
  run.record({
    type: 'agent-ended',
    ...ref,
    ...told,
    usage: {},
    snapshot,
    changed,
    ignored: [],
    durationMs: 0,
  });
  return judge(run, placed, step, ref);
}

async function goOnAtGates(run: Run, placed: PlacedStep, step: AgentStep): Promise<undefined> {
  const { path } = placed;
  const waiting = lastAttempt(run, path);
  if (waiting === undefined || stillWaits(run, path, waiting)) return undefined;
  const last = lastAttempt(run, path) ?? waiting;
  const ref = { step: path, number: last.number, jobAttempt: last.jobAttempt };
  if (pausesAt(run, ref, step.hitl, 'before-gate', last)) return undefined;
  run.ports.reporter.say(`The agent of attempt ${last.number} of ${path} is done; only its gates run.`);
  return judge(run, placed, step, standAgain(run, path, last));
}

/** What an earlier job left of the attempt stands again under this one, so that its gates are told apart (J2). */
function standAgain(run: Run, path: string, last: Attempt): AttemptRef {
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

function stop(run: Run, ref: AttemptRef, { agent, obstacle }: Obstacle): undefined {
  run.record({ type: 'attempt-started', ...ref, agent });
  run.record(failedUnjudged(ref, obstacle));
}

/** `agent: pass`: what lies there is taken as the attempt's work. */
async function passOver(
  run: Run,
  ref: AttemptRef,
  prompt: string,
  resetTo: Snapshot | undefined,
): Promise<void> {
  run.record({ type: 'attempt-started', ...ref, agent: pass, ...(prompt === '' ? {} : { prompt }) });
  run.ports.reporter.attemptStarts(ref.step, ref.number, undefined, undefined);
  if (resetTo !== undefined) await run.ports.workspace.reset(resetTo);
  const nothing = { usage: {}, changed: false, ignored: [], durationMs: 0 };
  run.record({ type: 'agent-ended', ...ref, ...nothing, snapshot: resetTo ?? treeNow(run) });
}

/** `on-lost-session: fail`: a session that is known to be gone is not replaced, and nothing is spent. */
function isRefused(run: Run, { session }: NextAttempt): boolean {
  return session.reason === 'session-lost' && run.onLostSession === 'fail';
}

function refuse(run: Run, ref: AttemptRef): undefined {
  const message = 'the session to go on in is gone, and `on-lost-session: fail` asks for it';
  run.record(failedUnjudged(ref, { kind: 'session-lost', message }));
}

function announce(run: Run, ref: AttemptRef, next: NextAttempt): void {
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
  run.ports.reporter.attemptStarts(ref.step, ref.number, agent, session);
  warnOfSession(run, ref, session);
}

/** Runs the agent and records what it left: its end is in the journal when this resolves. */
async function work(run: Run, step: AgentStep, ref: AttemptRef, next: NextAttempt): Promise<void> {
  const { workspace, sessions } = run.ports;
  const before = next.resetWorktree ? run.state().steps.get(ref.step)?.from : treeNow(run);
  const [putBack] = await Promise.all([workspace.guard(), workspace.emptyOutput()]);
  const outcome = await converse(run, step, ref, next).finally(putBack);
  const id = sessionOf(run, ref)?.id;
  const [snapshot, mark, ignored] = await Promise.all([
    workspace.record(`${ref.step} attempt ${ref.number}`),
    id === undefined ? undefined : sessions.keep(next.provider, id, next.directory),
    workspace.ignored(),
  ]);
  tellLeftOut(run, snapshot);
  tellOtherVersion(run, next.provider, id, outcome.version);
  const output = outputOf(run, step, next.directory);
  const kept = await keepReadOnly(run, step, snapshot, before ?? workspace.start);
  run.record({
    type: 'agent-ended',
    ...ref,
    ...kept,
    ...endOf(outcome),
    ignored,
    ...defined({ mark, output }),
  });
}

function outputOf(run: Run, step: AgentStep, directory: string): OutputFile | undefined {
  const contract = contractOf(step);
  const text = contract === undefined ? undefined : run.ports.readOutput(directory, contract.file);
  return contract === undefined || text === undefined ? undefined : { name: contract.file, text };
}

function endOf(
  outcome: Outcome,
): Pick<AgentEnded, 'failure' | 'usage' | 'totals' | 'firstTurn' | 'version' | 'durationMs'> {
  const { failure, usage, totals, firstTurn, version, durationMs } = outcome;
  return {
    usage,
    durationMs,
    ...defined({ failure, totals, firstTurn, version }),
  };
}

/** How many files a message names. */
const mostNames = 20;

/** A step that only reads may write nothing but its answer: anything else is undone and fails the attempt (`no_write`). */
async function keepReadOnly(
  run: Run,
  step: AgentStep,
  snapshot: RecordedSnapshot,
  before: Snapshot,
): Promise<Pick<AgentEnded, 'snapshot' | 'changed'> & Partial<Pick<AgentEnded, 'failure'>>> {
  const { base, commit, changed } = snapshot;
  if (!isReadOnly(barred(step, run.isBarred), run.permissions) || !changed)
    return { snapshot: { base, commit }, changed };
  const changes = await run.ports.workspace.changes(before, snapshot);
  await run.ports.workspace.reset(before);
  const more = changes.length > mostNames ? ` and ${changes.length - mostNames} more` : '';
  const names =
    changes
      .slice(0, mostNames)
      .map((change) => change.path)
      .join(', ') + more;
  const message = `no_write: the agent of this step may change nothing but .gump/out, but it changed ${names}. The files were put back.`;
  return { snapshot: before, changed: false, failure: { kind: 'guard', message } };
}

function tellLeftOut(run: Run, snapshot: RecordedSnapshot): void {
  for (const file of snapshot.leftOut) {
    run.ports.reporter.warn(
      `${file} is not kept, so a re-run will not have it: it is larger than 100 MB, cannot be read, or is a repository of its own.`,
    );
  }
}

/** A session may go on with another version of the CLI; what differs then can be looked for there. */
function tellOtherVersion(
  run: Run,
  { title }: Pick<Provider, 'title'>,
  session: string | undefined,
  version: string | undefined,
): void {
  if (session === undefined || version === undefined) return;
  const before = versionOf(run.state(), session);
  if (before === undefined || before === version) return;
  run.ports.reporter.say(`The session was last at work in ${title} ${before} and went on with ${version}.`);
}

/** The second half of an attempt; also all that is left of one that was cut off between agent and gates. */
async function judge(run: Run, placed: PlacedStep, step: AgentStep, ref: AttemptRef): Promise<undefined> {
  const startedAt = run.ports.clock.now();
  const state = run.state().steps.get(ref.step);
  const attempt = state?.attempts.at(-1);
  if (state === undefined || attempt?.snapshot === undefined)
    throw new Error(`No tree was recorded for ${ref.step}.`);
  const { snapshot } = attempt;
  const changes = () => run.ports.workspace.changes(state.from, snapshot);
  const verdict =
    attempt.failure === undefined
      ? await judgeWork(run, placed, step, ref, changes, attempt.output?.text)
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

async function judgeWork(
  run: Run,
  placed: PlacedStep,
  step: AgentStep,
  ref: AttemptRef,
  changes: Parameters<typeof judgeGates>[4],
  output: string | undefined,
): Promise<(Verdict & { readonly comments?: string }) | 'cancelled'> {
  const message = outputFault(step, output);
  if (message !== undefined)
    return { status: 'failed', failure: { kind: 'output', message }, gates: [], files: [] };
  const review = step.type === 'validate' ? readVerdict(output) : undefined;
  const said = typeof review === 'object' ? { comments: review.comments } : {};
  if (typeof review === 'object' && !review.pass) {
    const failure = { kind: 'validate', message: `the review did not pass: ${review.comments}` } as const;
    return { status: 'failed', failure, gates: [], files: [], ...said };
  }
  const verdict = await judgeGates(run, placed, ref, step.gates, changes, output);
  return verdict === 'cancelled' ? verdict : { ...verdict, ...said };
}
