/**
 * The service or the CLI refuses: the action reports the kind of failure of the real CLIs, and resumes the session when
 * the service answers again. A lost session is replaced (S9).
 */
import { describe, expect, test } from 'vitest';
import type { ModelRule } from '../rig/model-server.js';
import {
  agentNameOf,
  attemptsOf,
  createRealCliHarness,
  fastClis,
  hasUserText,
  sessionIds,
  titleOf,
} from './real-cli-harness.js';

const workflow = (agent: string): string => `name: refused
steps:
  - name: first
    type: code
    agent: ${agent}
    prompt: "TOKEN-first Begin."
  - name: work
    type: code
    agent: ${agent}
    session: from: first
    prompt: "TOKEN-work Go on."
    gate:
      - bash: "true"
    retry:
      - exit: 2
`;

/** The service answers the second step with this status, this many times. */
function refuses(status: number, times: number): ModelRule {
  let left = times;
  return ({ prompt }) => {
    if (!prompt.includes('TOKEN-work') || left === 0) return undefined;
    left -= 1;
    return { fail: status };
  };
}

// The tests of the adapters cover the messages of the other CLIs.
describe.each(fastClis.map((cli) => [titleOf(cli), agentNameOf(cli), cli] as const))(
  '%s',
  (_name, agent, cli) => {
    test('401 is not retried; with a valid key the re-run resumes the session', async () => {
      const { runJob } = await createRealCliHarness(workflow(agent), [refuses(401, 1)]);
      const refused = await runJob(cli, 1);
      expect(refused.main.exitCode).toBe(1);
      expect(refused.main.errors.join('\n')).toMatch(/Step `work` failed at attempt 1 \(auth\): .*401/);
      expect(attemptsOf(refused, 'work')).toMatchObject([{ failure: { kind: 'auth' } }]);

      const passed = await runJob(cli, 2);
      expect(passed.main.exitCode, passed.main.log).toBe(0);
      expect(passed.requests).toHaveLength(1);
      expect(hasUserText(passed.requests[0], 'TOKEN-first')).toBe(true);
      expect(sessionIds(passed)).toEqual(sessionIds(refused));
    });

    test.each([429, 500])('after %i the attempt waits and continues in the session', async (status) => {
      const { runJob } = await createRealCliHarness(workflow(agent), [refuses(status, 1)]);
      const { main, requests, ...rest } = await runJob(cli, 1);
      expect(main.exitCode, main.log).toBe(0);
      expect(attemptsOf({ main, ...rest }, 'work')).toMatchObject([
        { status: 'passed', session: { effective: 'resumed', reason: 'from' } },
      ]);
      expect(requests.filter(({ prompt }) => prompt.includes('TOKEN-work')).length).toBeGreaterThanOrEqual(2);
      expect(hasUserText(requests.at(-1), 'TOKEN-first')).toBe(true);
      expect(new Set(Object.values(sessionIds({ main }))).size).toBe(1);
    });

    test('a session that the CLI does not find is replaced in the same attempt', async () => {
      const { runJob } = await createRealCliHarness(workflow(agent), [refuses(401, 1)]);
      const refused = await runJob(cli, 1);
      const passed = await runJob(cli, 2, {
        commandsAtStart: 'rm -rf "$HOME/.claude/projects" "$HOME/.codex/sessions"',
      });
      expect(passed.main.exitCode, passed.main.log).toBe(0);
      expect(passed.main.warnings.join('\n')).toContain('the session to resume is missing');
      expect(attemptsOf(passed, 'work').at(-1)).toMatchObject({
        number: 2,
        session: { effective: 'new', reason: 'session-lost' },
      });
      expect(sessionIds(passed).work).not.toBe(sessionIds(refused).work);
      expect(passed.requests.map((request) => hasUserText(request, 'TOKEN-first'))).toEqual([false]);
    });
  },
);
