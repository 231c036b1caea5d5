/** A conversation that the service refuses for its content (HTTP 400), with each CLI. */
import { describe, expect, it } from 'vitest';
import { foldEvents } from '../../src/journal/run-state.js';
import { createCliHarness } from '../fakes/cli-harness.js';
import { agentStep, exitAfter, planOf } from '../fakes/plan.js';

describe.each(['claude', 'codex', 'gemini', 'qwen', 'opencode', 'cursor'])('%s', (agent) => {
  const plan = planOf([
    agentStep('tests', { agent }),
    agentStep('impl', { agent, session: { mode: 'from', step: 'tests' }, retry: [exitAfter(8)] }),
  ]);

  it('is not resumed again: the next attempt gets a new session', async () => {
    const { harness, calls, run } = createCliHarness({ rules: [{ call: 2, do: [{ fail: 400 }] }] });
    const state = await run(plan);
    expect(state.runEnded?.status).toBe('passed');
    const modes = (await calls()).map(({ session }) => session.mode);
    expect(modes).toEqual(['start', 'resume', 'start']);
    const attempts = foldEvents(harness.events).steps.get('impl')?.attempts ?? [];
    expect(attempts.map(({ failure }) => failure?.kind)).toEqual(['context', undefined]);
    expect(attempts[1]?.session?.reason).toBe('context-full');
    expect(harness.warnings.join('\n')).toContain('or the service refused its content');
  });

  it('a request that is also refused in new sessions ends after the attempts of `retry`', async () => {
    const { harness, calls, run } = createCliHarness({ rules: [{ do: [{ fail: 400 }] }] });
    const state = await run(planOf([agentStep('impl', { agent, retry: [exitAfter(3)] })]));
    expect(state.runEnded?.status).toBe('failed');
    const modes = (await calls()).map(({ session }) => session.mode);
    expect(modes).toEqual(['start', 'start', 'start']);
    expect(foldEvents(harness.events).steps.get('impl')?.attempts.at(-1)?.failure?.message).toContain(
      'If it refuses that one too, check the model and the input `agent-args`.',
    );
  });
});
