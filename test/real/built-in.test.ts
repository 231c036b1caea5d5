/** The built-in `tdd` with real CLIs: a planner that writes its plan, then tests, then the code in the same session. */
import { expect, test } from 'vitest';
import type { ModelRule } from '../rig/model-server.js';
import {
  agentNameOf,
  createRealCliHarness,
  fastClis,
  hasUserText,
  sessionIds,
  titleOf,
} from './real-cli-harness.js';

const files = {
  'src/add.mjs': 'export const add = (a, b) => a - b;\n',
  'test/start.test.mjs': "import { test } from 'node:test';\ntest('starts', () => {});\n",
};

const commands = `compile: "node --check src/add.mjs"
test: node --test
lint: "! grep debugger src/add.mjs"
`;

const plan = [{ name: 'sum', description: 'TOKEN-sum Add.', files: ['src/add.mjs', 'test/add.test.mjs'] }];

const addTest = `import assert from "node:assert";
import { test } from "node:test";
import { add } from "../src/add.mjs";
test("adds", () => assert.equal(add(1, 2), 3));
`;

/** Incorrect at first; correct after a prompt with the output of the tests. */
const model: ModelRule = ({ prompt, toolResults }) => {
  if (toolResults > 0) return { say: 'Done.' };
  if (prompt.includes('Plan the work'))
    return { write: { path: '.gump/out/plan.json', content: JSON.stringify(plan) } };
  if (prompt.includes('Write the tests')) return { write: { path: 'test/add.test.mjs', content: addTest } };
  const sign = prompt.includes('AssertionError') ? '+' : '*';
  return { bash: `echo 'export const add = (a, b) => a ${sign} b;' > src/add.mjs` };
};

test.each(fastClis.map((cli) => [titleOf(cli), cli] as const))('%s', async (_name, cli) => {
  const agent = agentNameOf(cli);
  const { runJob } = await createRealCliHarness('not this one', [model], files);
  const { main, requests } = await runJob(cli, 1, {
    inputs: { workflow: 'tdd', agent, spec: 'SPEC', commands },
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed', tasks: '["sum"]' });
  expect(main.errors).toEqual([]);
  // The workflow's budget is in dollars, and the price of Codex's default model is unknown.
  const unseen = main.warnings.filter((warning) => !/do not count the cost of Codex/.test(warning));
  expect(unseen).toEqual([]);
  const reported = main.report?.steps.flatMap((step) =>
    step.attempts.map(({ number, status, session }) => `${step.path}#${number} ${session?.reason} ${status}`),
  );
  expect(reported).toEqual([
    'build#1 declared-new passed',
    'build/sum/tests#1 declared-new passed',
    'build/sum/impl#1 from failed',
    'build/sum/impl#2 kept-on-retry passed',
    'quality#1 undefined passed',
  ]);
  const ids = sessionIds({ main });
  expect(ids['build/sum/impl']).toBe(ids['build/sum/tests']);
  expect(ids.build).not.toBe(ids['build/sum/impl']);
  // The last request contains all texts of the task, and none of the planning.
  const last = requests.at(-1);
  expect(hasUserText(last, 'Write the tests for this task')).toBe(true);
  expect(hasUserText(last, 'AssertionError')).toBe(true);
  expect(hasUserText(last, 'SPEC')).toBe(false);
});
