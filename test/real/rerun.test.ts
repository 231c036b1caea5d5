/**
 * The main feature, with the real CLIs: the test reads in the requests to the model what a failed step sends after a
 * re-run on a new machine.
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { defined } from '../../src/optional-keys.js';
import type { Machine } from '../rig/machine.js';
import type { ModelRule } from '../rig/model-server.js';
import type { RealCli } from './real-cli.js';
import {
  agentNameOf,
  attemptsOf,
  cliOf,
  createRealCliHarness,
  currentClis,
  sessionIds,
  titleOf,
} from './real-cli-harness.js';

const testsPrompt = 'TOKEN-tests Write the tests. [[write:tests.txt|the tests]] [[say:Tests are there.]]';
const implPrompt = 'TOKEN-impl Make them pass. [[write:impl.txt|first try]] [[say:Tried.]]';

const workflow = (agent: string): string => `name: tdd
steps:
  - name: tests
    type: code
    agent: ${agent}
    prompt: "${testsPrompt}"
    gate:
      - touched: "tests.txt"
  - name: impl
    type: code
    agent: ${agent}
    session: from: tests
    prompt: "${implPrompt}"
    gate:
      - bash: "grep second impl.txt || { echo TOKEN-verdict it is not the second try; exit 1; }"
`;

/**
 * The model fixes the problem after a prompt with the error; before that the markers of the prompt decide. It uses a
 * command, because Qwen Code overwrites no file that the same process has not read.
 */
const fixesOnRetry: ModelRule = ({ prompt, toolResults }) =>
  prompt.includes('at this task failed') && toolResults === 0
    ? { bash: "printf 'second try' > impl.txt" }
    : undefined;

const read = (machine: Machine, file: string): string | undefined => {
  const path = join(machine.workspace, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
};

interface RerunCase {
  readonly name: string;
  readonly first: RealCli;
  readonly second: RealCli;
  readonly workspace?: string;
}

const reruns: readonly RerunCase[] = [
  ...currentClis.map((cli) => ({ name: titleOf(cli), first: cli, second: cli })),
  ...currentClis.map((cli) => ({
    name: `${titleOf(cli)}, with the workspace at another path`,
    first: cli,
    second: cli,
    workspace: 'other/place_2/My.Sample',
  })),
  {
    name: 'Claude Code 2.1.197, and then 2.1.330',
    first: cliOf('2.1.197'),
    second: cliOf('2.1.330'),
    workspace: 'other/sample',
  },
];

describe('a re-run resumes the session', () => {
  test.each(reruns)('$name', async ({ first, second, workspace }) => {
    const { runJob } = await createRealCliHarness(workflow(agentNameOf(first)), [fixesOnRetry]);

    const failed = await runJob(first, 1);
    expect(failed.main.exitCode, failed.main.log).toBe(1);
    expect(failed.main.outputs, failed.main.log).toMatchObject({
      status: 'failed',
      'failed-step': 'impl',
      persisted: 'true',
    });
    const ids = sessionIds(failed);
    expect(ids.impl).toBe(ids.tests);

    const files: Record<string, string | undefined> = {};
    const passed = await runJob(second, 2, {
      ...defined({ workspace }),
      inspect: (machine) => {
        files.tests = read(machine, 'tests.txt');
        files.impl = read(machine, 'impl.txt');
      },
    });
    expect(passed.main.exitCode, passed.main.log).toBe(0);
    expect(passed.main.outputs).toMatchObject({ status: 'passed', resumed: 'true', persisted: 'true' });
    expect(files).toEqual({ tests: 'the tests', impl: 'second try' });

    const [request] = passed.requests;
    expect(request?.userTexts.map((text) => text.trim().split('\n')[0])).toEqual([
      testsPrompt,
      implPrompt,
      implPrompt,
    ]);
    expect(request?.prompt).toContain('TOKEN-verdict');
    expect(passed.requests.filter(({ prompt }) => prompt.includes('TOKEN-tests'))).toEqual([]);
    // The answers of the model belong to the session too.
    expect(JSON.stringify(request?.body)).toContain('Tests are there.');

    expect(sessionIds(passed)).toEqual(ids);
    expect(attemptsOf(passed, 'tests')).toHaveLength(1);
    expect(attemptsOf(passed, 'impl')).toMatchObject([
      { number: 1, jobAttempt: 1, status: 'failed', session: { effective: 'resumed', reason: 'from' } },
      { number: 2, jobAttempt: 2, status: 'passed', session: { effective: 'resumed', reason: 'continued' } },
    ]);
    expect(passed.main.report?.totals.turns).toBe(6);
  });
});
