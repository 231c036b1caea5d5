/** A CLI that reports another id after a resume. */
import { expect, it } from 'vitest';
import { foldEvents } from '../../src/journal/run-state.js';
import { createCliHarness } from '../fakes/cli-harness.js';
import { agentStep, planOf } from '../fakes/plan.js';

const otherId = '0b5f2c1e-1111-4222-8333-444455556666';
const otherLine: Readonly<Record<string, object>> = {
  claude: { type: 'system', subtype: 'status', session_id: otherId },
  codex: { type: 'thread.started', thread_id: otherId },
  gemini: { type: 'init', session_id: otherId, model: 'm' },
  qwen: { type: 'system', subtype: 'status', session_id: otherId },
  cursor: { type: 'system', session_id: otherId },
};

it.each(Object.keys(otherLine))('%s: the known id is kept if no session has the other one', async (agent) => {
  const { harness, calls, run } = createCliHarness({
    rules: [{ call: 2, do: [{ say: 'working' }], after: [{ print: JSON.stringify(otherLine[agent]) }] }, {}],
  });
  const state = await run(
    planOf([
      agentStep('one', { agent }),
      agentStep('two', { agent, session: { mode: 'from', step: 'one' } }),
      agentStep('three', { agent, session: { mode: 'from', step: 'two' } }),
    ]),
  );
  expect(state.runEnded?.status).toBe('passed');
  const [first, second, third] = await calls();
  const known = foldEvents(harness.events).steps.get('one')?.attempts[0]?.session?.id;
  expect([second?.session, third?.session]).toEqual([
    { mode: 'resume', id: known },
    { mode: 'resume', id: known },
  ]);
  expect(third?.earlier).toHaveLength(2);
  expect(first?.session.mode).toBe('start');
  expect(harness.logLines.join('\n')).toContain(`reported the session \`${otherId}\` but did not store it.`);
});
