/** How much of what went wrong an agent is told. */
import { describe, expect, it } from 'vitest';
import type { ErrorContext } from '../../src/engine/run-context.js';
import { agentStep, bash, exits, planOf } from '../fakes/plan.js';
import { createWorld } from '../fakes/world.js';

/** The prompt of the second attempt, after one whose gate printed 20,000 characters and that changed 1,000 files. */
async function secondPrompt(errorContext?: ErrorContext, prompt?: string): Promise<string> {
  const retry = [
    ...(prompt === undefined ? [] : [{ when: { attempt: 2 }, overrides: { prompt } }]),
    exits(2),
  ];
  const world = createWorld({
    play(_, files) {
      for (let index = 0; index < 1000; index++) files.set(`file-${index}`, '');
      return {};
    },
    gate: () => false,
  });
  const plan = planOf([agentStep('impl', { gates: [bash('g'.repeat(20_000))], retry })]);
  await world.run(plan, errorContext ? { errorContext } : {});
  return world.calls[1]?.prompt ?? '';
}

/** How much of the error and of the change the note has. */
async function told(errorContext?: ErrorContext): Promise<readonly [error: number, diff: number]> {
  const prompt = await secondPrompt(errorContext);
  const note = /What was reported:\n([\s\S]+)\n\nWhat has been changed[^\n]+\n([\s\S]+)\n\nMend what/.exec(
    prompt,
  );
  return [note?.[1]?.length ?? 0, note?.[2]?.length ?? 0];
}

describe('the note on the attempt before', () => {
  it('has 8,000 characters of the error and 3,000 of the change, unless told', async () => {
    const [error, diff] = await told();
    expect(error).toBeGreaterThan(7_800);
    expect(error).toBeLessThanOrEqual(8_000);
    expect(diff).toBeGreaterThan(2_800);
    expect(diff).toBeLessThanOrEqual(3_000);
  });

  it('has as much of each as the project asks for', async () => {
    const [error, diff] = await told({ maxErrorChars: 200, maxDiffChars: 100 });
    expect(error).toBeLessThanOrEqual(200);
    expect(error).toBeGreaterThan(150);
    expect(diff).toBeLessThanOrEqual(100);
    expect(diff).toBeGreaterThan(50);
    const more = await told({ maxErrorChars: 15_000, maxDiffChars: 9_000 });
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
