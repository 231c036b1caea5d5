/** What each CLI says at its end is the result of its step, in every job. Conversations are seen as they happen. */
import { describe, expect, it } from 'vitest';
import type { Conversation } from '../../src/engine/engine-ports.js';
import type { AgentEnded, JournalEvent } from '../../src/journal/event.js';
import { foldEvents } from '../../src/journal/run-state.js';
import { resultOfStep } from '../../src/report/result-of-step.js';
import { createCliHarness } from '../fakes/cli-harness.js';
import { agentStep, bashGate, planOf } from '../fakes/plan.js';
import type { AgentRule, StandInProvider } from '../rig/stand-in.js';

const clis: readonly { readonly id: StandInProvider; readonly agent: string }[] = [
  { id: 'claude', agent: 'claude-haiku-4-5' },
  { id: 'codex', agent: 'codex-gpt-5.4' },
  { id: 'gemini', agent: 'gemini-25-flash' },
  { id: 'qwen', agent: 'qwen-gpt-5.4' },
  { id: 'opencode', agent: 'opencode-openai/gpt-5.4' },
  { id: 'cursor', agent: 'cursor' },
];

const isAgentEnd = (event: JournalEvent): event is AgentEnded & { at: number } =>
  event.type === 'agent-ended';

const rule: AgentRule = { do: [{ write: 'a.txt', say: 'First a file.' }, { say: 'All is done.' }] };

describe.each(clis)('$id', ({ agent }) => {
  it('has its final message in the journal, and its conversation in a transcript', async () => {
    const seen: (Conversation | string)[] = [];
    const { harness, run } = createCliHarness({
      rules: [rule],
      transcripts: {
        open(conversation) {
          seen.push(conversation);
          return {
            add: (event) => {
              if (event.type === 'text') seen.push(event.text.trim());
              if (event.type === 'tool') seen.push(`tool: ${event.detail}`);
            },
            end: (failure) => seen.push(failure?.message ?? 'end'),
          };
        },
      },
    });
    const state = await run(planOf([agentStep('impl', { agent })]));
    expect(harness.events.filter(isAgentEnd).map(({ text }) => text)).toEqual(['All is done.']);
    expect(resultOfStep(state.steps.get('impl'))).toEqual({ text: 'All is done.' });
    expect(seen[0]).toMatchObject({ step: 'impl', attempt: 1, agent, session: 'new' });
    expect(seen.slice(1)).toEqual(['First a file.', expect.stringContaining('a.txt'), 'All is done.', 'end']);
  });
});

it('stays the result of an attempt of which a later job runs only the gates', async () => {
  const step = agentStep('impl', { agent: 'claude-haiku', gates: [bashGate('check')] });
  const first = createCliHarness({ rules: [rule] });
  await first.run(planOf([step]));
  const ended = first.harness.events.findIndex(isAgentEnd);
  // The machine was lost before the gates had run.
  first.harness.events.splice(ended + 1);
  const second = createCliHarness({ rules: [rule], after: first });
  const state = await second.run(planOf([step]), { jobAttempt: 2 });
  expect(state.steps.get('impl')?.status).toBe('passed');
  expect(resultOfStep(state.steps.get('impl'))).toEqual({ text: 'All is done.' });
  expect(await second.calls()).toHaveLength(1);
});

it('is not kept of an agent that failed', async () => {
  const { harness, run } = createCliHarness({ rules: [{ do: [{ say: 'Half.' }, { fail: 'context' }] }] });
  await run(planOf([agentStep('impl', { agent: 'claude-haiku' })]));
  expect(harness.events.filter(isAgentEnd).map(({ text }) => text)).toEqual([undefined]);
  expect(resultOfStep(foldEvents(harness.events).steps.get('impl'))).toBeUndefined();
});
