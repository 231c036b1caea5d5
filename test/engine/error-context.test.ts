/** How much of what went wrong an agent is told. */
import { describe, expect, it } from 'vitest';
import type { ErrorContext } from '../../src/engine/engine-run.js';
import { createEngineHarness } from '../fakes/engine-harness.js';
import { agentStep, bashGate, exitAfter, planOf } from '../fakes/plan.js';

/** The prompt of the second attempt, after one whose gate printed 20,000 characters and that changed 1,000 files. */
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

/** How much of the error and of the change the note has. */
async function noteLengths(errorContext?: ErrorContext): Promise<readonly [error: number, diff: number]> {
  const prompt = await secondPrompt(errorContext);
  const note = /What was reported:\n([\s\S]+)\n\nWhat has been changed[^\n]+\n([\s\S]+)\n\nMend what/.exec(
    prompt,
  );
  return [note?.[1]?.length ?? 0, note?.[2]?.length ?? 0];
}

describe('the note on the attempt before', () => {
  it('has 8,000 characters of the error and 3,000 of the change, unless told', async () => {
    const [error, diff] = await noteLengths();
    expect(error).toBeGreaterThan(7_800);
    expect(error).toBeLessThanOrEqual(8_000);
    expect(diff).toBeGreaterThan(2_800);
    expect(diff).toBeLessThanOrEqual(3_000);
  });

  it('has as much of each as the project asks for', async () => {
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

describe('a prompt that names them', () => {
  const errorContext = { maxErrorChars: 200, maxDiffChars: 100 };

  it('gets the error as long as the project asks for, and the whole change', async () => {
    const error = await secondPrompt(errorContext, '{error}');
    expect(error.length).toBeGreaterThan(150);
    expect(error.length).toBeLessThanOrEqual(201);
    const diff = await secondPrompt(errorContext, '{diff}');
    expect(diff).toContain('file-500\n');
    expect(diff.length).toBeGreaterThan(10_000);
  });
});
