/** Steps that resume the session of an earlier run, on the engine. */
import { describe, expect, it } from 'vitest';
import type { EarlierStep, PreviousRuns } from '../../src/engine/previous-run.js';
import { UserError } from '../../src/failure.js';
import { createEngineHarness, type EngineHarnessOptions } from '../fakes/engine-harness.js';
import { agentStep, planOf } from '../fakes/plan.js';

const commit = 'c'.repeat(40);

function step(path: string, more: Partial<EarlierStep> = {}): EarlierStep {
  const run = { runId: '1001', commit, endedAt: 0 };
  return { path, agent: 'claude-haiku', provider: 'claude', sessionId: 'X', files: [], ...run, ...more };
}

interface Port extends PreviousRuns {
  /** The sessions that were placed. */
  readonly restored: string[];
}

function port(steps: readonly EarlierStep[], more: Partial<PreviousRuns> = {}): Port {
  const restored: string[] = [];
  const run = { runId: '1001', commit, endedAt: 0, steps: new Map(steps.map((one) => [one.path, one])) };
  return {
    restored,
    run,
    maxTokens: 0,
    maxAgeMs: 1_000_000,
    sessionsInUse: new Set(),
    async restoreSession(_provider, id) {
      restored.push(id);
      return true;
    },
    compareCommits: async () => ({ relation: 'ahead', base: commit, files: ['a.ts'] }),
    readDiff: async () => 'the diff',
    ...more,
  };
}

const review = agentStep('review', { session: { mode: 'previous', step: 'review' } });

/** The run that left the session. The harness of the later run knows its sessions. */
const earlier = createEngineHarness({ runAgent: () => ({}) });
await earlier.run(planOf([agentStep('review')]));
const known = earlier.calls[0]?.sessionId ?? '';

async function runWith(
  previous: PreviousRuns | undefined,
  steps = [review],
  more: Partial<EngineHarnessOptions> = {},
) {
  const harness = createEngineHarness({
    runAgent: () => ({}),
    sessions: earlier,
    ports: previous ? { previous } : {},
    ...more,
  });
  const state = await harness.run(planOf(steps));
  const reasons = [...state.steps.values()].flatMap(({ path, attempts }) =>
    attempts.map(({ session }) => `${path} ${session?.effective} ${session?.reason}`),
  );
  return { harness, state, reasons };
}

describe('a step that resumes the session of an earlier run', () => {
  it('gets a note about what changed since', async () => {
    const { harness, reasons } = await runWith(port([step('review', { sessionId: known })]));
    expect(reasons).toEqual(['review resumed previous']);
    expect(harness.calls[0]).toMatchObject({ mode: 'resume', sessionId: known });
    expect(harness.calls[0]?.prompt).toContain('There are new commits since. Changed files: `a.ts`.');
    expect(harness.warnings).toEqual([]);
  });

  it('is told that the earlier run interrupted it, and the user gets one warning', async () => {
    const cut = step('review', { sessionId: known, isInterrupted: true });
    const { harness, reasons } = await runWith(port([cut]));
    expect(reasons).toEqual(['review resumed previous']);
    expect(harness.calls[0]?.prompt).toContain('You were interrupted in that run');
    expect(harness.warnings).toEqual([expect.stringContaining('was interrupted in that run')]);
  });

  it('starts new with the last results if the session cannot be placed', async () => {
    const steps = [
      step('review', { result: 'Rename a.ts.' }),
      step('other', { result: 'Also this.', sessionId: 'Y' }),
    ];
    const { harness, reasons } = await runWith(port(steps, { restoreSession: async () => false }));
    expect(reasons).toEqual(['review new session-lost']);
    expect(harness.calls[0]?.mode).toBe('start');
    expect(harness.calls[0]?.prompt).toMatch(
      /Its last results:\n\nResult of step `review`:\nRename a\.ts\.\n\nResult of step `other`:\nAlso this\./,
    );
    expect(harness.warnings).toEqual([expect.stringContaining('from run 1001 is missing')]);
  });

  it('starts again with the last results if the CLI does not know the session (S9)', async () => {
    const { harness, reasons } = await runWith(port([step('review', { result: 'Rename a.ts.' })]), [review], {
      sessions: 'none',
    });
    expect(reasons).toEqual(['review new session-lost']);
    expect(harness.calls.map(({ mode }) => mode)).toEqual(['resume', 'start']);
    expect(harness.calls[1]?.prompt).toContain('Rename a.ts.');
    expect(harness.warnings).toHaveLength(1);
  });

  it('shares a session with a step of this run, which is not placed again', async () => {
    const second = agentStep('second', { session: { mode: 'previous', step: 'review' } });
    const previous = port([step('review', { sessionId: known })]);
    const { harness, reasons } = await runWith(previous, [review, second]);
    expect(reasons).toEqual(['review resumed previous', 'second resumed previous']);
    expect(previous.restored).toEqual([known]);
    expect(harness.calls.map(({ sessionId }) => sessionId)).toEqual([known, known]);
  });

  it('says nothing more if the action has reported that there is no earlier run', async () => {
    const { run: _run, ...none } = port([]);
    const { harness, reasons } = await runWith(none);
    expect(reasons).toEqual(['review new previous-not-found']);
    expect(harness.warnings).toEqual([]);
    expect(harness.calls[0]?.prompt).toBe('do review\n');
  });

  it('warns if the earlier run knows other steps only', async () => {
    const { harness, reasons } = await runWith(port([step('other')]));
    expect(reasons).toEqual(['review new previous-not-found']);
    expect(harness.warnings).toEqual([
      expect.stringContaining('no earlier run has a session of step `review`'),
    ]);
  });
});

describe('the names of an earlier run', () => {
  const named = agentStep('named', {
    prompt: '{previous.review.result}|{previous.commit}|{previous.range}|{pr.diff_since_previous}',
  });

  it('have its values', async () => {
    const { harness } = await runWith(port([step('review', { result: 'r {spec}' })]), [named]);
    expect(harness.calls[0]?.prompt).toBe(`r {spec}|${commit}|${commit}..HEAD|the diff\n`);
  });

  it('refer to the merge base after a force-push', async () => {
    const compareCommits = async () => ({ relation: 'rewritten', base: 'b0', files: [] }) as const;
    const { harness } = await runWith(port([step('review')], { compareCommits }), [named]);
    expect(harness.calls[0]?.prompt).toContain('|b0..HEAD|');
  });

  it('are empty without an earlier run', async () => {
    const { run: _run, ...none } = port([]);
    expect((await runWith(none, [named])).harness.calls[0]?.prompt).toBe('|||\n');
    expect((await runWith(undefined, [named])).harness.calls[0]?.prompt).toBe('|||\n');
  });

  it('fail the step before its agent starts if they cannot be read', async () => {
    const readDiff = async () => {
      throw new UserError('cannot be read. Set `fetch-depth: 0`.');
    };
    const { harness, state } = await runWith(port([step('review')], { readDiff }), [named]);
    expect(harness.calls).toEqual([]);
    expect(state.steps.get('named')?.attempts.at(-1)?.failure).toMatchObject({
      kind: 'crash',
      isFinal: true,
    });
  });
});
