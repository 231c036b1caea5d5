/** How much of an error prompts contain. */
import { describe, expect, it } from 'vitest';
import type { ErrorContext } from '../../src/engine/engine-run.js';
import { createEngineHarness } from '../fakes/engine-harness.js';
import { agentStep, bashGate, exitAfter, planOf } from '../fakes/plan.js';

/** The prompt of the second attempt. In the first one the gate printed 20,000 characters and 1,000 files changed. */
async function secondPrompt(errorContext?: ErrorContext, prompt?: string): Promise<string> {
  const retry = [
    ...(prompt === undefined ? [] : [{ when: { attempt: 2 }, overrides: { prompt } }]),
    exitAfter(2),
  ];
  const harness = createEngineHarness({
    runAgent(_, files) {
      for (let index = 0; index < 1000; index++) files.set(`file-${index}`, '');
      return {};
    },
    passesGate: () => false,
  });
  const plan = planOf([agentStep('impl', { gates: [bashGate('g'.repeat(20_000))], retry })]);
  await harness.run(plan, errorContext ? { errorContext } : {});
  return harness.calls[1]?.prompt ?? '';
}

/** The lengths of the error and of the diff in the note. */
async function noteLengths(errorContext?: ErrorContext): Promise<readonly [error: number, diff: number]> {
  const prompt = await secondPrompt(errorContext);
  const note = /Reported errors:\n([\s\S]+)\n\nChanges made[^\n]+\n([\s\S]+)\n\nFix the problem/.exec(prompt);
  return [note?.[1]?.length ?? 0, note?.[2]?.length ?? 0];
}

describe('the note about the previous attempt', () => {
  it('has 8,000 characters of the error and 3,000 of the diff by default', async () => {
    const [error, diff] = await noteLengths();
    expect(error).toBeGreaterThan(7_800);
    expect(error).toBeLessThanOrEqual(8_000);
    expect(diff).toBeGreaterThan(2_800);
    expect(diff).toBeLessThanOrEqual(3_000);
  });

  it('has the lengths that the project sets', async () => {
    const [error, diff] = await noteLengths({ maxErrorChars: 200, maxDiffChars: 100 });
    expect(error).toBeLessThanOrEqual(200);
    expect(error).toBeGreaterThan(150);
    expect(diff).toBeLessThanOrEqual(100);
    expect(diff).toBeGreaterThan(50);
    const more = await noteLengths({ maxErrorChars: 15_000, maxDiffChars: 9_000 });
    expect(more[0]).toBeGreaterThan(14_800);
    expect(more[1]).toBeGreaterThan(8_800);
  });
});

describe('a prompt with `{error}` and `{diff}`', () => {
  const errorContext = { maxErrorChars: 200, maxDiffChars: 100 };

  it('has the error with the length that the project sets, and the whole diff', async () => {
    const error = await secondPrompt(errorContext, '{error}');
    expect(error.length).toBeGreaterThan(150);
    expect(error.length).toBeLessThanOrEqual(201);
    const diff = await secondPrompt(errorContext, '{diff}');
    expect(diff).toContain('file-500\n');
    expect(diff.length).toBeGreaterThan(10_000);
  });
});
