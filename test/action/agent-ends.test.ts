/** How an agent can end, through `dist/`: without exiting, refused by the service, and with numbers that lie. */
import { expect, it } from 'vitest';
import { attemptLines } from './attempt-lines.js';
import { createHarness } from './harness.js';

const workflow = `name: flow
max_budget: 0.01
steps:
  - name: tests
    type: code
    agent: claude-haiku
    prompt: Tests.
  - name: impl
    type: code
    agent: claude-haiku
    prompt: Implement.
    session: from: tests
    retry:
      - exit: 8
`;

it('a CLI that hangs after its result: the result counts after 10 s', async () => {
  const harness = await createHarness({ code: 'dist', workflow });
  const { main } = await harness.runJob({
    rules: [
      { call: 1, do: [{ write: 'a.txt' }, { say: 'Done.' }], after: [{ hang: true, ignore: ['SIGTERM'] }] },
    ],
  });
  expect(main.outputs.status).toBe('passed');
  expect(attemptLines(main.report)).toEqual([
    'tests#1@1 new declared-new passed',
    'impl#1@1 resumed from passed',
  ]);
  expect(main.log).toContain('did not exit after its final result and was ended; the result counts');
});

it('a conversation that the service refuses is replaced at the next attempt', async () => {
  const harness = await createHarness({ code: 'dist', workflow });
  const { main } = await harness.runJob({ rules: [{ session: 'resume', do: [{ fail: 400 }] }] });
  expect(main.outputs.status).toBe('passed');
  expect(attemptLines(main.report)).toEqual([
    'tests#1@1 new declared-new passed',
    'impl#1@1 resumed from failed:context',
    'impl#2@1 new context-full passed',
  ]);
  expect(main.warnings.join('\n')).toContain('or the service refused its content');
});

it('numbers that cannot be true do not raise the budget', async () => {
  const last = '  - {name: docs, type: code, agent: claude-haiku, prompt: Docs.}\n';
  const harness = await createHarness({ code: 'dist', workflow: `${workflow}${last}` });
  const { main } = await harness.runJob({
    rules: [
      { call: 1, usage: { costUsd: -5 } },
      { usage: { costUsd: 0.02 }, do: [{ write: 'a.txt' }] },
    ],
  });
  expect(main.warnings.join('\n')).toMatch(/reported `total_cost_usd` as -5, which cannot be true/);
  expect(main.outputs.status).toBe('failed');
  // The answer that exceeds the budget is the last one of its agent, so its work counts.
  expect(attemptLines(main.report)).toEqual([
    'tests#1@1 new declared-new passed',
    'impl#1@1 resumed from passed',
  ]);
  expect(main.errors[0]).toMatch(/^Step `docs` failed \(budget\): /);
});
