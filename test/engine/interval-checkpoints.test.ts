/** Checkpoints while agents are at work: what is recorded, when, and where a re-run continues. */
import { describe, expect, it } from 'vitest';
import type { AgentTurn } from '../../src/engine/engine-ports.js';
import { totalUsage } from '../../src/journal/ledger.js';
import { foldEvents } from '../../src/journal/run-state.js';
import { createEngineHarness, type EngineHarness, MachineLost } from '../fakes/engine-harness.js';
import { agentStep, groupStep, planOf } from '../fakes/plan.js';

const every = { checkpointIntervalMs: 1000 };

/** Lets a test decide when an interval is over. */
function createTimer() {
  let wake = (): void => undefined;
  let onNext = (): void => undefined;
  return {
    onSleep: () =>
      new Promise<void>((resolve) => {
        wake = resolve;
        onNext();
      }),
    /** An interval is over. Resolves when the next one has begun, with everything recorded and stored. */
    tick: () =>
      new Promise<void>((resolve) => {
        onNext = resolve;
        wake();
      }),
    /** The same, if no further interval begins. */
    async lastTick() {
      wake();
      for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    },
    /** Resolves when the first interval has begun. */
    async begun() {
      for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    },
  };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

const typesOf = ({ events }: EngineHarness) => events.map(({ type }) => type);
const countOf = (harness: EngineHarness, type: string) =>
  typesOf(harness).filter((one) => one === type).length;

/** What the last checkpoint holds. */
function stored(harness: EngineHarness): EngineHarness {
  return { ...harness, events: harness.events.slice(0, harness.storedJournalLengths.at(-1)) };
}

describe('an agent at work', () => {
  it('is recorded, and after the loss of the machine the attempt continues from there', async () => {
    const timer = createTimer();
    const plan = planOf([agentStep('impl')]);
    const harness = createEngineHarness({
      onSleep: timer.onSleep,
      async runAgent(_turn, files) {
        files.set('half.txt', '1');
        await timer.begun();
        await timer.tick();
        files.set('late.txt', '1');
        return { crash: true };
      },
    });
    await expect(harness.run(plan, every)).rejects.toThrow(MachineLost);
    const next = createEngineHarness({ runAgent: () => ({}), previous: stored(harness), sessions: harness });
    expect([...next.files.keys()]).toEqual(['half.txt']);
    const state = await next.run(plan, { jobAttempt: 2 });
    expect(next.calls).toMatchObject([{ mode: 'resume', sessionId: 'chosen-1' }]);
    expect(next.calls[0]?.prompt).toContain('You were interrupted');
    const attempts = state.steps.get('impl')?.attempts ?? [];
    expect(attempts.map((one) => `${one.jobAttempt}:${one.number} ${one.status}`)).toEqual([
      '1:1 cancelled',
      '2:1 passed',
    ]);
    expect(attempts[0]?.mark).toEqual({ length: 1, sha256: harness.calls[0]?.prompt });
  });

  it('is not recorded again if nothing is new, and not at all without an interval', async () => {
    const timer = createTimer();
    const harness = createEngineHarness({
      onSleep: timer.onSleep,
      async runAgent(_turn, files) {
        files.set('a.txt', '1');
        await timer.begun();
        await timer.tick();
        await timer.tick();
        return {};
      },
    });
    await harness.run(planOf([agentStep('impl')]), every);
    expect(countOf(harness, 'agent-recorded')).toBe(1);
    expect(countOf(harness, 'interval-sealed')).toBe(1);
    expect(harness.sleeps).toEqual([1000, 1000, 1000]);
    const without = createEngineHarness({ runAgent: () => ({}) });
    await without.run(planOf([agentStep('impl')]));
    expect(without.sleeps).toEqual([]);
  });

  it('is not recorded after its end, also if it ends while it is recorded', async () => {
    const timer = createTimer();
    let end = (): void => undefined;
    const harness = createEngineHarness({
      onSleep: timer.onSleep,
      async isSessionKept() {
        end();
        await nextTurn();
        return true;
      },
      async runAgent() {
        await timer.begun();
        const ended = new Promise<void>((resolve) => {
          end = resolve;
        });
        void timer.tick();
        await ended;
        return {};
      },
    });
    const state = await harness.run(planOf([agentStep('impl')]), every);
    expect(state.runEnded?.status).toBe('passed');
    expect(countOf(harness, 'agent-recorded')).toBe(0);
  });

  it('that may change no file is recorded with the tree before it', async () => {
    const timer = createTimer();
    const harness = createEngineHarness({
      onSleep: timer.onSleep,
      async runAgent(_turn, files) {
        files.set('not-allowed.txt', '1');
        await timer.begun();
        await timer.tick();
        return { crash: true };
      },
    });
    await expect(harness.run(planOf([agentStep('review', { type: 'validate' })]), every)).rejects.toThrow(
      MachineLost,
    );
    const recorded = harness.events.find(({ type }) => type === 'agent-recorded');
    expect(recorded).toMatchObject({ snapshot: { base: 'start', commit: 'start' } });
  });
});

it('parallel branches are recorded together, each with its own tree, in one checkpoint', async () => {
  const timer = createTimer();
  const names: string[] = [];
  let release = (): void => undefined;
  const both = new Promise<void>((resolve) => {
    release = resolve;
  });
  const harness = createEngineHarness({
    onSleep: timer.onSleep,
    async runAgent(turn, files) {
      const name = turn.prompt.trim().split(' ')[1] ?? '';
      files.set(name, '1');
      names.push(name);
      if (names.length === 2) {
        await timer.begun();
        await timer.tick();
        release();
      }
      await both;
      return {};
    },
  });
  const group = groupStep('both', [agentStep('left'), agentStep('right')], { parallel: true });
  const before = harness.storedJournalLengths.length;
  await harness.run(planOf([group]), every);
  const recorded = harness.events.filter((event) => event.type === 'agent-recorded');
  expect(recorded.map(({ step }) => step).sort()).toEqual(['both/left', 'both/right']);
  expect(new Set(recorded.map(({ snapshot }) => snapshot.commit)).size).toBe(2);
  expect(countOf(harness, 'interval-sealed')).toBe(1);
  expect(harness.storedJournalLengths.length).toBeGreaterThan(before);
  expect(harness.logLines.join('\n')).toMatch(
    /Storing a checkpoint while the agents of steps `both\/(left|right)`, `both\/(left|right)` are at work/,
  );
});

it('a session that was rewritten is not recorded: one warning at the second failure in a row', async () => {
  const timer = createTimer();
  const warnings: number[] = [];
  const harness = createEngineHarness({
    onSleep: timer.onSleep,
    isSessionKept: () => false,
    async runAgent() {
      await timer.begun();
      for (let count = 0; count < 3; count += 1) {
        await timer.tick();
        warnings.push(harness.warnings.length);
      }
      return {};
    },
  });
  const state = await harness.run(planOf([agentStep('impl')]), every);
  expect(state.runEnded?.status).toBe('passed');
  expect(warnings).toEqual([0, 1, 1]);
  expect(harness.warnings).toEqual([
    'No checkpoint of step `impl` while its agent is at work: its session was shortened or rewritten in the meantime. If the machine is lost, a re-run continues from an earlier checkpoint.',
  ]);
  expect(countOf(harness, 'agent-recorded')).toBe(0);
});

it('a failure between two recordings that work is not reported', async () => {
  const timer = createTimer();
  const kept = [true, false, true, false, true];
  const harness = createEngineHarness({
    onSleep: timer.onSleep,
    isSessionKept: () => kept.shift() ?? true,
    async runAgent(_turn, files) {
      await timer.begun();
      for (let count = 0; count < 5; count += 1) {
        files.set('count', String(count));
        await timer.tick();
      }
      return {};
    },
  });
  await harness.run(planOf([agentStep('impl')]), every);
  expect(harness.warnings).toEqual([]);
  expect(countOf(harness, 'agent-recorded')).toBe(3);
});

it('at most 500 MB are stored in one run, over all job attempts', async () => {
  const timer = createTimer();
  const plan = planOf([agentStep('impl')]);
  const harness = createEngineHarness({
    onSleep: timer.onSleep,
    intervalBytes: 300_000_000,
    async runAgent(_turn, files) {
      await timer.begun();
      await timer.tick();
      const before = harness.storedJournalLengths.length;
      files.set('a.txt', '1');
      await timer.lastTick();
      expect(harness.storedJournalLengths.length).toBe(before);
      return { crash: true };
    },
  });
  await expect(harness.run(plan, every)).rejects.toThrow(MachineLost);
  expect(foldEvents(harness.events).intervalBytes).toBe(500_000_000);
  expect(harness.logLines.filter((line) => line.includes('500 MB'))).toHaveLength(1);
  const next = createEngineHarness({ runAgent: () => ({}), previous: harness });
  await next.run(plan, { ...every, jobAttempt: 2 });
  expect(next.sleeps).toEqual([]);
});

it('what a lost agent had spent when it was recorded counts, once', async () => {
  const timer = createTimer();
  const spend = (turn: AgentTurn, inputTokens: number) =>
    turn.onEvent({ type: 'turn', usage: { inputTokens } }, undefined);
  const plan = planOf([agentStep('impl', { guard: { maxTokens: 25 } })]);
  const harness = createEngineHarness({
    onSleep: timer.onSleep,
    async runAgent(turn) {
      await timer.begun();
      spend(turn, 10);
      await timer.tick();
      spend(turn, 10);
      // If what was recorded counted in addition, the limit would be exceeded.
      expect(turn.signal.aborted).toBe(false);
      return { crash: true };
    },
  });
  await expect(harness.run(plan, every)).rejects.toThrow(MachineLost);
  const before = stored(harness);
  before.events.push({ ...jobStarted, jobAttempt: 2, at: 5 });
  const next = createEngineHarness({
    runAgent: () => ({ usage: { inputTokens: 7 } }),
    previous: before,
    sessions: harness,
  });
  const state = await next.run(plan, { jobAttempt: 2 });
  expect(state.runEnded?.status).toBe('passed');
  expect(totalUsage(state.ledger).inputTokens).toBe(17);
  expect(state.steps.get('impl')?.attempts.map(({ usage }) => usage.inputTokens)).toEqual([10, 7]);
});

it('what an agent spent that ended counts as it reported at its end', async () => {
  const timer = createTimer();
  const harness = createEngineHarness({
    onSleep: timer.onSleep,
    async runAgent(turn) {
      await timer.begun();
      turn.onEvent({ type: 'turn', usage: { inputTokens: 10 } }, undefined);
      await timer.tick();
      return { usage: { inputTokens: 12 } };
    },
  });
  const state = await harness.run(planOf([agentStep('impl')]), every);
  expect(countOf(harness, 'agent-recorded')).toBe(1);
  expect(totalUsage(state.ledger).inputTokens).toBe(12);
  expect(state.ledger.atWork).toEqual([]);
  expect(state.steps.get('impl')?.attempts[0]?.usage.inputTokens).toBe(12);
});

const jobStarted = {
  type: 'job-started',
  version: 3,
  job: 'job',
  workflow: 'test',
  startCommit: 'start',
  startTree: 'tree',
} as const;

it('what is recorded of a session does not count for the one that replaces it', () => {
  const at = 0;
  const ref = { step: 'a', number: 1, jobAttempt: 1 };
  const snapshot = { base: 'start', commit: 'x' };
  const mark = { length: 1, sha256: 'x' };
  const decision = (id: string) =>
    ({ declared: 'new', effective: 'new', reason: 'declared-new', id }) as const;
  const fingerprint = { definition: '', agent: '', spec: '', vars: '' };
  const begun = [
    { type: 'step-started', step: 'a', fingerprint, from: snapshot, at },
    { type: 'attempt-started', ...ref, agent: 'x', provider: 'x', session: decision('one'), at },
    { type: 'agent-recorded', ...ref, snapshot, mark, ignored: [], usage: {}, durationMs: 1, at },
  ] as const;
  const attemptOf = (events: Parameters<typeof foldEvents>[0]) =>
    foldEvents(events).steps.get('a')?.attempts[0];
  expect(attemptOf(begun)).toMatchObject({ snapshot, mark });
  const replaced = attemptOf([
    ...begun,
    { type: 'session-replaced', ...ref, session: decision('two'), usage: {}, at },
  ]);
  expect(replaced?.snapshot).toEqual(snapshot);
  expect(replaced?.mark).toBeUndefined();
  expect(attemptOf([...begun, { type: 'session-known', ...ref, id: 'one', at }])?.mark).toEqual(mark);
  expect(attemptOf([...begun, { type: 'session-known', ...ref, id: 'two', at }])?.mark).toBeUndefined();
});
