/**
 * The real CLIs cut off at work: the job is cancelled in the middle of a model call, the action is killed, the
 * machine is lost. The re-run goes on in the session as far as it was stored (contract S10).
 */
import { describe, expect, test } from 'vitest';
import type { Stop } from '../rig/machine.js';
import type { ModelRequest, ModelRule } from '../rig/model-server.js';
import type { RealCli } from './drive.js';
import {
  agentOf,
  attemptsAt,
  current,
  fast,
  holds,
  nameOf,
  openRealScene,
  sessionIds,
} from './real-scene.js';

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
 * The model has a file written, then does not answer, once. In the re-run it is done at once after a
 * cancellation, when the file must be back; an action that was killed could not record the tree, so its agent
 * writes the file again.
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

async function open(cli: RealCli, session: string, how: Stop['how']) {
  const real = await openRealScene(workflow(agentOf(cli), session), [hangsOnce(how)]);
  const until = () => real.model.requests.some((asked) => isWork(asked) && asked.toolResults === 1);
  const stop: Stop = { when: { until }, how };
  return { ...real, stop };
}

interface Cut {
  readonly how: 'cancel' | 'kill';
  readonly session: 'new' | 'from: first';
}

/** The action alone is killed: post finds its agent still at work, and stores what there is. */
const killed: Cut = { how: 'kill', session: 'from: first' };

const further: readonly Cut[] = [
  // The id of a session that this very attempt began is known although it never came to an end.
  { how: 'cancel', session: 'new' },
  { how: 'cancel', session: 'from: first' },
  { how: 'kill', session: 'new' },
];

describe.each(current.map((cli) => [nameOf(cli), cli] as const))('%s', (_name, cli) => {
  test.each([killed, ...(fast.includes(cli) ? further : [])])(
    '$how during a model call, session: $session',
    async ({ how, session }) => {
      const { attempt, stop } = await open(cli, session, how);
      const cut = await attempt(cli, 1, { stop });
      expect(cut.main.isStopped, cut.main.log).toBe(true);
      expect(cut.main.exitCode ?? cut.main.signal).toBe(how === 'kill' ? 'SIGKILL' : 1);

      const passed = await attempt(cli, 2);
      expect(passed.main.outputs, passed.main.log).toMatchObject({ status: 'passed', resumed: 'true' });
      const [request] = passed.requests;
      expect(holds(request, 'TOKEN-first')).toBe(session !== 'new');
      expect(passed.requests.filter(({ prompt }) => prompt.includes('TOKEN-first'))).toEqual([]);
      const texts = request?.userTexts.filter((text) => text.includes('TOKEN-work')) ?? [];
      expect(texts).toHaveLength(2);
      expect(texts[1]).toContain('You were interrupted');
      const [, again] = attemptsAt(passed, 'work');
      expect(again).toMatchObject({
        number: 1,
        jobAttempt: 2,
        session: { effective: 'resumed', reason: 'continued' },
      });
      expect(attemptsAt(passed, 'work')[0]?.session?.id).toBe(again?.session?.id);
      if (how === 'cancel') expect(sessionIds(cut)).toEqual(sessionIds(passed));
    },
  );
});

describe.each(fast.map((cli) => [nameOf(cli), cli] as const))('%s', (_name, cli) => {
  test('a lost machine: it goes on from what the last checkpoint holds', async () => {
    const { attempt, model, stop } = await open(cli, 'from: first', 'lose');
    const lost = await attempt(cli, 1, { stop });
    expect(lost.main.signal).toBe('SIGKILL');
    expect(lost.post).toBeUndefined();
    const sent = model.requests.length;

    const passed = await attempt(cli, 2);
    expect(passed.main.exitCode, passed.main.log).toBe(0);
    // What was said after the checkpoint is gone with the machine.
    expect(model.requests[sent]?.userTexts.map((text) => text.trim())).toEqual([firstPrompt, workPrompt]);
    expect(attemptsAt(passed, 'work')).toMatchObject([
      { number: 1, jobAttempt: 2, session: { effective: 'resumed', reason: 'from' } },
    ]);
  });
});
