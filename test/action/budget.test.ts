/** A budget through `dist/`: it counts the real cost over a first job attempt, a re-run and parallel branches. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Machine } from '../rig/machine.js';
import type { AgentAction, AgentRule } from '../rig/stand-in.js';
import { createHarness } from './harness.js';

const workflow = `name: flow
steps:
  - {name: first, type: code, agent: opencode, prompt: Begin.}
  - name: build
    type: split
    agent: opencode
    prompt: Plan it.
    parallel: true
    max_parallel: 3
    each:
      - {name: impl, type: code, agent: opencode, prompt: "Build {task.name}."}
`;

const price = 0.1;

/** Answers that cost money. The test counts them in the file `billed`. */
const paidAnswers = (count: number): readonly AgentAction[] =>
  Array.from({ length: count }, () => [{ run: 'echo >> "$HOME/billed"' }, { sleep: 600 }]).flat();

const plan = JSON.stringify(['a', 'b', 'c'].map((name) => ({ name, description: name })));

const rules: readonly AgentRule[] = [
  { prompt: 'Begin.', usage: { costUsd: price }, do: [...paidAnswers(2), { say: 'Begun.' }] },
  {
    prompt: 'Plan it.',
    usage: { costUsd: price },
    do: [{ write: '.gump/out/plan.json', content: plan }, { say: 'Planned.' }],
  },
  // Costs far more than the budget allows.
  { usage: { costUsd: price }, do: [...paidAnswers(60), { say: 'Built.' }] },
];

async function countBilled(machine: Machine): Promise<number> {
  return (await readFile(join(machine.home, 'billed'), 'utf8').catch(() => '')).length;
}

it('is never exceeded by more than the cost of the running turns', async () => {
  const harness = await createHarness({ code: 'dist', workflow });
  let answers = 0;
  const job = (jobAttempt: number, maxBudget: string) =>
    harness.runJob({
      jobAttempt,
      inputs: { 'max-budget': maxBudget },
      rules,
      inspect: async (machine) => {
        answers += await countBilled(machine);
      },
    });
  const { main: one } = await job(1, '0.35');
  expect(one.outputs.status).toBe('failed');
  expect(one.report?.steps.find(({ path }) => path === 'build')?.attempts.at(-1)?.failure?.kind).toBe(
    'budget',
  );
  expect(one.masked).toContain('vars.GUMP_MAX_BUDGET');
  const { main: two } = await job(2, '1.00');
  const kinds = two.report?.steps.flatMap(({ path, attempts, failure }) =>
    path.endsWith('/impl') ? [failure?.kind ?? attempts.at(-1)?.failure?.kind] : [],
  );
  expect(kinds).toEqual(['budget', 'budget', 'budget']);
  // The other answers of the first step and of the planner are not in the file.
  const billed = (answers + 5) * price;
  expect(billed).toBeGreaterThan(0.99);
  expect(billed).toBeLessThanOrEqual(1 + 3 * price + 1e-9);
  const { main: three } = await job(3, '1.00');
  expect(three.outputs.status).toBe('failed');
  expect(Number(three.outputs['cost-usd'])).toBeCloseTo(Number(two.outputs['cost-usd']));
});
