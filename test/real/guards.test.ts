/** A model that never ends: the engine stops the real CLIs, and the retry resumes the session. */
import { describe, expect, test } from 'vitest';
import type { ModelRule } from '../rig/model-server.js';
import {
  agentNameOf,
  attemptsOf,
  createRealCliHarness,
  currentClis,
  hasUserText,
  sessionIds,
  titleOf,
} from './real-cli-harness.js';

const workflow = (agent: string, guard: string): string => `name: guarded
steps:
  - name: work
    type: code
    agent: ${agent}
    prompt: "TOKEN-work Build it."
    guard: {${guard}}
    retry:
      - exit: 2
`;

/** One command after the other, until the prompt contains the failure. */
const endlessCommands: ModelRule = ({ prompt, toolResults }) => {
  if (!prompt.includes('TOKEN-work')) return undefined;
  return prompt.includes('max_turns') ? { say: 'Done.' } : { bash: `echo ${toolResults}` };
};

/** The same, for tokens: each answer of the mock uses 120. */
const expensive: ModelRule = ({ prompt, toolResults }) => {
  if (!prompt.includes('TOKEN-work')) return undefined;
  return prompt.includes('max_tokens') ? { say: 'Done.' } : { bash: `echo ${toolResults}` };
};

/** One command, then no answer. */
const silent: ModelRule = ({ prompt, toolResults }) => {
  if (!prompt.includes('TOKEN-work')) return undefined;
  if (prompt.includes('max_time')) return { say: 'Done.' };
  return toolResults === 0 ? { bash: 'echo one' } : { hang: true };
};

describe.each(currentClis.map((cli) => [titleOf(cli), agentNameOf(cli), cli] as const))(
  '%s',
  (_name, agent, cli) => {
    test('max_turns: the third answer is the last request, and the retry resumes', async () => {
      const { runJob } = await createRealCliHarness(workflow(agent, 'max_turns: 2'), [endlessCommands]);
      const { main, requests, ...rest } = await runJob(cli, 1);
      expect(main.exitCode, main.log).toBe(0);
      expect(attemptsOf({ main, ...rest }, 'work')).toMatchObject([
        { status: 'failed', failure: { kind: 'guard' } },
        { status: 'passed', session: { effective: 'resumed', reason: 'kept-on-retry' } },
      ]);
      const work = requests.filter(({ prompt }) => prompt.includes('TOKEN-work'));
      const before = work.filter(({ prompt }) => !prompt.includes('max_turns'));
      // Requests between the third answer and the end of the CLI are already on their way.
      expect(before.length).toBeGreaterThanOrEqual(3);
      expect(before.length).toBeLessThanOrEqual(4);
      expect(hasUserText(work.at(-1), 'TOKEN-work')).toBe(true);
      expect(Object.keys(sessionIds({ main }))).toEqual(['work']);
    });

    test.each<[string, string, ModelRule]>([
      ['max_tokens', 'max_tokens: 300', expensive],
      ['max_time', 'max_time: 20s', silent],
    ])(
      '%s: the agent is stopped, none of its processes remain, and the retry resumes',
      async (limit, guard, rule) => {
        const { runJob } = await createRealCliHarness(workflow(agent, guard), [rule]);
        const { main, ...rest } = await runJob(cli, 1);
        expect(main.exitCode, main.log).toBe(0);
        expect(attemptsOf({ main, ...rest }, 'work')).toMatchObject([
          { status: 'failed', failure: { kind: 'guard', message: expect.stringContaining(limit) } },
          { status: 'passed', session: { effective: 'resumed', reason: 'kept-on-retry' } },
        ]);
      },
    );
  },
);
