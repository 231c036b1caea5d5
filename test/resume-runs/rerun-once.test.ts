/** A run is re-run once, whatever happens to the request. */
import { describe, expect, it } from 'vitest';
import { rerunOnce } from '../../src/resume-runs/rerun-once.js';
import { SourceError, type SourceProblem } from '../../src/resume-runs/run-source.js';
import { createFakeClock } from '../fakes/clock.js';
import { createFakeRuns } from '../fakes/run-source.js';
import type { StoredRun } from '../rig/github/state.js';
import { failedJob, storedRun } from './sample-runs.js';

async function open(change: (run: StoredRun) => void = () => {}) {
  const stored = storedRun([[failedJob([])]]);
  const source = createFakeRuns([stored]);
  const judged = await source.run(stored.id);
  change(stored);
  const clock = createFakeClock({ sleeping: 'jumps' });
  const requests = () => source.calls.filter((call) => call.startsWith('rerun')).length;
  return { stored, source, clock, requests, rerun: () => rerunOnce(source, judged, clock) };
}

/** Fails the first `times` re-run requests; with `tookEffect`, after GitHub has started the re-run. */
function failRerun(
  { source, stored }: Awaited<ReturnType<typeof open>>,
  problem: SourceProblem,
  options: { readonly times?: number; readonly tookEffect?: boolean; readonly retryAfterMs?: number } = {},
): void {
  let left = options.times ?? 1;
  source.before((call) => {
    if (!call.startsWith('rerun') || left === 0) return;
    left -= 1;
    if (options.tookEffect) {
      stored.attempt += 1;
      stored.status = 'queued';
    }
    throw new SourceError(problem, 'no answer', options.retryAfterMs);
  });
}

describe('a re-run', () => {
  it('is requested if the run is as it was judged', async () => {
    const scene = await open();
    expect(await scene.rerun()).toEqual({ kind: 'rerun' });
    expect(scene.stored.attempt).toBe(2);
  });

  it.each<[string, (run: StoredRun) => void]>([
    ['is in progress', (run) => Object.assign(run, { status: 'in_progress' })],
    ['has another job attempt', (run) => Object.assign(run, { attempt: 2 })],
  ])('is not requested if the run %s', async (_, change) => {
    const scene = await open(change);
    expect(await scene.rerun()).toEqual({ kind: 'changed' });
    expect(scene.requests()).toBe(0);
  });

  it('of another process in the same moment is enough', async () => {
    const scene = await open();
    scene.source.before((call) => {
      if (call.startsWith('rerun')) Object.assign(scene.stored, { attempt: 2, status: 'queued' });
    });
    expect(await scene.rerun()).toEqual({ kind: 'running' });
    expect(scene.stored.attempt).toBe(2);
  });

  it('is not repeated if only its answer was lost', async () => {
    const scene = await open();
    failRerun(scene, 'no-answer', { tookEffect: true });
    expect(await scene.rerun()).toEqual({ kind: 'rerun' });
    expect(scene.requests()).toBe(1);
    expect(scene.stored.attempt).toBe(2);
  });

  it('is repeated if the request did not take effect', async () => {
    const scene = await open();
    failRerun(scene, 'no-answer');
    expect(await scene.rerun()).toEqual({ kind: 'rerun' });
    expect(scene.requests()).toBe(2);
    expect(scene.stored.attempt).toBe(2);
  });

  it('is repeated only once', async () => {
    const scene = await open();
    failRerun(scene, 'no-answer', { times: 5 });
    expect(await scene.rerun()).toEqual({ kind: 'unknown', message: 'no answer' });
    expect(scene.requests()).toBe(2);
    expect(scene.stored.attempt).toBe(1);
  });

  it('that took effect late counts', async () => {
    const scene = await open();
    let asked = 0;
    scene.source.before((call) => {
      if (!call.startsWith('rerun')) return;
      asked += 1;
      if (asked === 1) throw new SourceError('no-answer', 'no answer');
      Object.assign(scene.stored, { attempt: 2, status: 'queued' });
    });
    expect(await scene.rerun()).toEqual({ kind: 'rerun' });
    expect(scene.stored.attempt).toBe(2);
  });

  it('waits for a short rate limit, and looks at the run again before it repeats', async () => {
    const scene = await open();
    failRerun(scene, 'limited', { retryAfterMs: 5000 });
    expect(await scene.rerun()).toEqual({ kind: 'rerun' });
    expect(scene.clock.sleeps).toEqual([5000]);
    const { id } = scene.stored;
    expect(scene.source.calls.slice(1)).toEqual([`run ${id}`, `rerun ${id}`, `run ${id}`, `rerun ${id}`]);
  });

  it.each([
    ['limited', 61_000],
    ['limited', undefined],
    ['permission', undefined],
  ] as const)('is not repeated: %s, %s ms', async (problem, retryAfterMs) => {
    const scene = await open();
    failRerun(scene, problem, retryAfterMs === undefined ? {} : { retryAfterMs });
    await expect(scene.rerun()).rejects.toMatchObject({ problem });
    expect(scene.requests()).toBe(1);
  });
});
