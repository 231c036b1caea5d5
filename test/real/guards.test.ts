/** A model that would go on for ever: the real CLIs are stopped by the engine, and the session goes on. */
import { describe, expect, test } from 'vitest';
import type { ModelRule } from '../rig/model-server.js';
import { agentOf, attemptsAt, current, holds, nameOf, openRealScene, sessionIds } from './real-scene.js';

const workflow = (agent: string): string => `name: guarded
steps:
  - name: work
    type: code
    agent: ${agent}
    prompt: "TOKEN-work Build it."
    guard: {max_turns: 2}
    retry:
      - exit: 2
`;

/** A command after the other, until it is told what became of that. */
const restless: ModelRule = ({ prompt, toolResults }) => {
  if (!prompt.includes('TOKEN-work')) return undefined;
  return prompt.includes('max_turns') ? { say: 'Done.' } : { bash: `echo ${toolResults}` };
};

describe.each(current.map((cli) => [nameOf(cli), agentOf(cli), cli] as const))('%s', (_name, agent, cli) => {
  test('max_turns: the third answer is the last that is asked for, and the retry resumes', async () => {
    const { attempt } = await openRealScene(workflow(agent), [restless]);
    const { main, requests, ...rest } = await attempt(cli, 1);
    expect(main.exitCode, main.log).toBe(0);
    expect(attemptsAt({ main, ...rest }, 'work')).toMatchObject([
      { status: 'failed', failure: { kind: 'guard' } },
      { status: 'passed', session: { effective: 'resumed', reason: 'kept-on-retry' } },
    ]);
    const work = requests.filter(({ prompt }) => prompt.includes('TOKEN-work'));
    const asked = work.filter(({ prompt }) => !prompt.includes('max_turns'));
    // What the CLI asks between the third answer and its end is on its way already.
    expect(asked.length).toBeGreaterThanOrEqual(3);
    expect(asked.length).toBeLessThanOrEqual(4);
    expect(holds(work.at(-1), 'TOKEN-work')).toBe(true);
    expect(Object.keys(sessionIds({ main }))).toEqual(['work']);
  });
});
