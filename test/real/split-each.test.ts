/** A `split` with `each:` as in the seed, with real CLIs: a task gets only its own data (S3). */
import { expect, test } from 'vitest';
import type { ModelRequest, ModelRule } from '../rig/model-server.js';
import {
  agentNameOf,
  attemptsOf,
  createRealCliHarness,
  fastClis,
  hasUserText,
  sessionIds,
  titleOf,
} from './real-cli-harness.js';

const workflow = (agent: string): string => `name: seed
steps:
  - name: build
    type: split
    run:
      agent: ${agent}
    get:
      prompt: "TOKEN-plan Plan the work."
    each:
      - name: tests
        type: code
        run:
          agent: ${agent}
        get:
          prompt: "Write tests for: {task.description} [[say:Written.]]"

      - name: impl
        type: code
        run:
          agent: ${agent}
        get:
          session: from: tests
          prompt: "Implement code to pass the tests."
        gate:
          - bash: "! grep half *.txt"
`;

const tasks = ['sums', 'words'].map((name) => ({
  name,
  description: `TOKEN-${name}`,
  files: [`${name}.txt`],
}));

/** The work on `words` is correct only after a prompt with the error. */
const model: ModelRule = (request) => {
  const { prompt, toolResults } = request;
  if (toolResults > 0) return { say: 'Done.' };
  if (prompt.includes('TOKEN-plan'))
    return { write: { path: '.gump/out/plan.json', content: JSON.stringify(tasks) } };
  if (!prompt.includes('Implement')) return undefined;
  const name = hasUserText(request, 'TOKEN-sums') ? 'sums' : 'words';
  const isRight = name === 'sums' || prompt.includes('at this task failed');
  return { bash: `echo ${isRight ? 'done' : 'half'} > ${name}.txt` };
};

/** The user texts up to and including this request, the first line of each. */
const firstLines = (request: ModelRequest | undefined): readonly string[] | undefined =>
  request?.userTexts.map((text) => text.trim().split('\n')[0] ?? '');

/** The requests that contain the token anywhere. */
const requestsWith = (requests: readonly ModelRequest[], token: string): readonly ModelRequest[] =>
  requests.filter(({ body }) => JSON.stringify(body).includes(token));

test.each(fastClis.map((cli) => [titleOf(cli), cli] as const))('%s', async (_name, cli) => {
  const { runJob } = await createRealCliHarness(workflow(agentNameOf(cli)), [model]);
  const failed = await runJob(cli, 1);
  expect(failed.main.outputs, failed.main.log).toMatchObject({
    status: 'failed',
    'failed-step': 'build/words/impl',
    tasks: '["sums","words"]',
  });
  const [planning, working] = [failed.requests.slice(0, 2), failed.requests.slice(2)];
  expect(requestsWith(planning, 'TOKEN-plan')).toHaveLength(2);
  expect(requestsWith(working, 'TOKEN-plan')).toEqual([]);
  for (const [task, other] of [
    ['sums', 'words'],
    ['words', 'sums'],
  ]) {
    const requests = requestsWith(working, `TOKEN-${task}`);
    expect(requests).toHaveLength(3);
    expect(requestsWith(requests, `TOKEN-${other}`)).toEqual([]);
    expect(firstLines(requests.at(-1))).toEqual([
      expect.stringContaining(`Write tests for: TOKEN-${task}`),
      'Implement code to pass the tests.',
    ]);
  }
  const ids = sessionIds(failed);
  expect(ids['build/sums/impl']).toBe(ids['build/sums/tests']);
  expect(ids['build/words/impl']).toBe(ids['build/words/tests']);
  expect(new Set(Object.values(ids)).size).toBe(3);

  const passed = await runJob(cli, 2);
  expect(passed.main.outputs, passed.main.log).toMatchObject({ status: 'passed', resumed: 'true' });
  expect(firstLines(passed.requests[0])).toEqual([
    expect.stringContaining('Write tests for: TOKEN-words'),
    'Implement code to pass the tests.',
    'Implement code to pass the tests.',
  ]);
  expect(passed.requests).toHaveLength(2);
  expect(requestsWith(passed.requests, 'TOKEN-sums')).toEqual([]);
  expect(sessionIds(passed)).toEqual(ids);
  expect(attemptsOf(passed, 'build/words/impl').map(({ jobAttempt }) => jobAttempt)).toEqual([1, 2]);
});
