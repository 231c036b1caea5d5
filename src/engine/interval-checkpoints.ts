/**
 * Checkpoints while agents are at work (input `checkpoint-interval`), so that a machine that is lost in the middle of a
 * long attempt costs only the work since the last of them. One timer for the run: all running agents are recorded
 * together, each in its own worktree, and stored in one checkpoint.
 *
 * INTERVAL1 The agent is not stopped, so tree and session cannot be taken at exactly one moment. The session is copied
 *           first: it never speaks of files that the tree does not have yet. If the session did anything but grow in
 *           the meantime, the copy is no point of it and nothing is recorded.
 * INTERVAL2 A recording never fails or delays a run. It ends before the end of its agent is recorded.
 */
import type { AttemptRef } from '../journal/event.js';
import type { Usage } from '../providers/provider.js';
import { currentSnapshot } from './branch-context.js';
import type { EngineRun, RunningTurn } from './engine-run.js';
import type { NextAttempt } from './next-attempt.js';

export interface TurnOptions {
  readonly ref: AttemptRef;
  readonly next: Pick<NextAttempt, 'provider' | 'directory'>;
  /** Its changes will be undone, so the tree before it counts. */
  readonly mustNotWrite: boolean;
  /** What the process has spent so far. */
  progress(): Promise<Usage>;
}

/** Runs a process of an agent, which is recorded at intervals until it ends. */
export async function recordAtIntervals<T>(
  run: EngineRun,
  options: TurnOptions,
  runProcess: () => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const startedAt = run.ports.clock.now();
  let recording: Promise<unknown> = Promise.resolve();
  const turn: RunningTurn = {
    step: options.ref.step,
    record() {
      const recorded = recordTurn(run, options, startedAt, ended.signal);
      recording = recorded.catch(() => undefined);
      return recorded;
    },
  };
  run.runningTurns.add(turn);
  try {
    return await runProcess();
  } finally {
    run.runningTurns.delete(turn);
    ended.abort();
    await recording;
  }
}

async function recordTurn(
  run: EngineRun,
  { ref, next: { provider, directory }, mustNotWrite, progress }: TurnOptions,
  startedAt: number,
  ended: AbortSignal,
): Promise<boolean> {
  const { sessions, workspace } = run.ports;
  const id = attemptOf(run, ref)?.session?.id;
  const copy = id === undefined ? undefined : await sessions.copyRunning(provider, id, directory, ended);
  if (copy === undefined || ended.aborted) return false;
  const snapshot = mustNotWrite
    ? currentSnapshot(run)
    : await workspace.recordRunning(`${ref.step} attempt ${ref.number}, at work`);
  const [ignored, usage] = await Promise.all([workspace.listIgnoredNames(), progress()]);
  const before = attemptOf(run, ref);
  const isKnown = before?.mark?.sha256 === copy.mark.sha256 && before.snapshot?.commit === snapshot.commit;
  // An id that changed in the meantime is that of another session.
  if (ended.aborted || isKnown || before?.session?.id !== id) return false;
  if (!(await copy.keep())) throw new Error('its session was shortened or rewritten in the meantime');
  if (ended.aborted) return false;
  const durationMs = run.ports.clock.now() - startedAt;
  run.record({ type: 'agent-recorded', ...ref, snapshot, mark: copy.mark, ignored, usage, durationMs });
  return true;
}

function attemptOf(run: EngineRun, { step, number }: AttemptRef) {
  return run
    .state()
    .steps.get(step)
    ?.attempts.findLast((attempt) => attempt.number === number);
}

/** In one run, over all job attempts. The entries push out those of other workflows. */
const maxBytes = 500_000_000;

/** Call the returned function at the end of the run. */
export function startIntervalCheckpoints(run: EngineRun): () => void {
  const { checkpointIntervalMs } = run;
  const ended = new AbortController();
  if (checkpointIntervalMs !== undefined)
    void storeAtIntervals(run, checkpointIntervalMs, AbortSignal.any([run.signal, ended.signal]));
  return () => ended.abort();
}

async function storeAtIntervals(run: EngineRun, intervalMs: number, signal: AbortSignal): Promise<void> {
  const failures = createFailureLog(run);
  let isFull = run.state().intervalBytes >= maxBytes;
  while (!isFull) {
    // Rejects only if the run ends.
    if (await run.ports.clock.sleep(intervalMs, signal).then(isFalse, isTrue)) return;
    const steps = await recordRunningTurns(run, failures);
    if (steps.length === 0 || signal.aborted) continue;
    const left = maxBytes - run.state().intervalBytes;
    await run.ports.checkpoints.store(run.state(), {
      maxBytes: left,
      onSealed(bytes) {
        isFull = bytes >= left;
        // The journal is complete, or another checkpoint is being made.
        if (signal.aborted) return;
        run.record({ type: 'interval-sealed', jobAttempt: run.jobAttempt, bytes: Math.min(bytes, left) });
        run.ports.reporter.log(isFull ? fullText : storedText(steps));
      },
    });
  }
}

const isTrue = (): boolean => true;
const isFalse = (): boolean => false;

/** Returns the steps of the agents that were recorded. */
async function recordRunningTurns(run: EngineRun, failures: FailureLog): Promise<readonly string[]> {
  const recorded = [...run.runningTurns].map(async (turn) => {
    try {
      const isRecorded = await turn.record();
      failures.forget(turn);
      return isRecorded ? [turn.step] : [];
    } catch (error) {
      failures.note(turn, error);
      return [];
    }
  });
  return (await Promise.all(recorded)).flat();
}

interface FailureLog {
  note(turn: RunningTurn, error: unknown): void;
  forget(turn: RunningTurn): void;
}

/** One failure can be chance: the agent was just writing. The second in a row is reported, once in a run. */
function createFailureLog(run: EngineRun): FailureLog {
  const failed = new Set<RunningTurn>();
  let isReported = false;
  return {
    note(turn, error) {
      if (failed.has(turn) && !isReported && run.runningTurns.has(turn)) {
        isReported = true;
        run.ports.reporter.warn(failureText(turn, error));
      }
      failed.add(turn);
    },
    forget: (turn) => void failed.delete(turn),
  };
}

function failureText({ step }: RunningTurn, error: unknown): string {
  const reason = (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
  return `No checkpoint of step \`${step}\` while its agent is at work: ${reason}. If the machine is lost, a re-run continues from an earlier checkpoint.`;
}

function storedText(steps: readonly string[]): string {
  const names = steps.map((step) => `\`${step}\``).join(', ');
  return `Storing a checkpoint while the ${steps.length === 1 ? 'agent of step' : 'agents of steps'} ${names} ${steps.length === 1 ? 'is' : 'are'} at work`;
}

const fullText =
  'No more checkpoints while agents are at work: those of this run have reached 500 MB. A checkpoint is still stored after every attempt.';
