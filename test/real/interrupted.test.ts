/**
 * The real CLIs, interrupted: the job is cancelled during a model call, the action is killed, the machine is lost. The
 * re-run resumes the session as far as it was stored (S10).
 */
import { describe, expect, test } from 'vitest';
import type { Stop } from '../rig/machine.js';
import type { ModelRequest, ModelRule } from '../rig/model-server.js';
import type { RealCli } from './real-cli.js';
import {
  agentNameOf,
  attemptsOf,
  createRealCliHarness,
  currentClis,
  fastClis,
  hasUserText,
  sessionIds,
  titleOf,
} from './real-cli-harness.js';

const firstPrompt = 'TOKEN-first Begin. [[say:Begun.]]';
const workPrompt = 'TOKEN-work Write it.';
const isWork = ({ prompt }: ModelRequest): boolean => prompt.includes('TOKEN-work');

const workflow = (agent: string, session: string): string => `name: cut
steps:
  - name: first
    type: code
    agent: ${agent}
    prompt: "${firstPrompt}"
  - name: work
    type: code
    agent: ${agent}
    session: ${session}
    prompt: "${workPrompt}"
    gate:
      - touched: "part.txt"
`;

/**
 * The model requests a file, then once does not answer. In the re-run after a cancellation, the file must be restored
 * and the model ends immediately. A killed action could not record the tree, so its agent writes the file again.
 */
function hangsOnce(how: Stop['how']): ModelRule {
  let hasHung = false;
  return (request) => {
    if (!isWork(request)) return undefined;
    if (request.toolResults === 0 && !(hasHung && how === 'cancel'))
      return { write: { path: 'part.txt', content: 'half' } };
    if (hasHung) return { say: 'Done.' };
    hasHung = true;
    return { hang: true };
  };
}

async function createInterruptedRun(cli: RealCli, session: string, how: Stop['how']) {
  const real = await createRealCliHarness(workflow(agentNameOf(cli), session), [hangsOnce(how)]);
  const until = () => real.model.requests.some((request) => isWork(request) && request.toolResults === 1);
  const stop: Stop = { when: { until }, how };
  return { ...real, stop };
}

interface Interruption {
  readonly how: 'cancel' | 'kill';
  readonly session: 'new' | 'from: first';
}

/** Only the action is killed: post finds its agent still running, and stores the state so far. */
const killedRun: Interruption = { how: 'kill', session: 'from: first' };

const moreInterruptions: readonly Interruption[] = [
  // The id of a session that this attempt started is known although the attempt did not end.
  { how: 'cancel', session: 'new' },
  { how: 'cancel', session: 'from: first' },
  { how: 'kill', session: 'new' },
];

describe.each(currentClis.map((cli) => [titleOf(cli), cli] as const))('%s', (_name, cli) => {
  test.each([killedRun, ...(fastClis.includes(cli) ? moreInterruptions : [])])(
    '$how during a model call, session: $session',
    async ({ how, session }) => {
      const { runJob, stop } = await createInterruptedRun(cli, session, how);
      const interrupted = await runJob(cli, 1, { stop });
      expect(interrupted.main.isStopped, interrupted.main.log).toBe(true);
      expect(interrupted.main.exitCode ?? interrupted.main.signal).toBe(how === 'kill' ? 'SIGKILL' : 1);

      const passed = await runJob(cli, 2);
      expect(passed.main.outputs, passed.main.log).toMatchObject({ status: 'passed', resumed: 'true' });
      const [request] = passed.requests;
      expect(hasUserText(request, 'TOKEN-first')).toBe(session !== 'new');
      expect(passed.requests.filter(({ prompt }) => prompt.includes('TOKEN-first'))).toEqual([]);
      const texts = request?.userTexts.filter((text) => text.includes('TOKEN-work')) ?? [];
      expect(texts).toHaveLength(2);
      expect(texts[1]).toContain('You were interrupted');
      const [, again] = attemptsOf(passed, 'work');
      expect(again).toMatchObject({
        number: 1,
        jobAttempt: 2,
        session: { effective: 'resumed', reason: 'continued' },
      });
      expect(attemptsOf(passed, 'work')[0]?.session?.id).toBe(again?.session?.id);
      if (how === 'cancel') expect(sessionIds(interrupted)).toEqual(sessionIds(passed));
    },
  );
});

describe.each(fastClis.map((cli) => [titleOf(cli), cli] as const))('%s', (_name, cli) => {
  test('a lost machine: the re-run continues from the last checkpoint', async () => {
    const { runJob, model, stop } = await createInterruptedRun(cli, 'from: first', 'lose');
    const lost = await runJob(cli, 1, { stop });
    expect(lost.main.signal).toBe('SIGKILL');
    expect(lost.post).toBeUndefined();
    const sent = model.requests.length;

    const passed = await runJob(cli, 2);
    expect(passed.main.exitCode, passed.main.log).toBe(0);
    // The part of the session after the checkpoint was lost with the machine.
    expect(model.requests[sent]?.userTexts.map((text) => text.trim())).toEqual([firstPrompt, workPrompt]);
    expect(attemptsOf(passed, 'work')).toMatchObject([
      { number: 1, jobAttempt: 2, session: { effective: 'resumed', reason: 'from' } },
    ]);
  });
});
