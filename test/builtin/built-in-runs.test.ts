/** Runs the built-in workflows on the engine, with functions as agents. */
import { describe, expect, it } from 'vitest';
import { builtIns } from '../../src/builtin/builtin-workflows.js';
import { makePlan } from '../../src/plan/plan.js';
import type { Gate } from '../../src/workflow/workflow.js';
import { createEngineHarness, type EngineHarness, type FakeAgent } from '../fakes/engine-harness.js';
import { builtIn } from './load-built-in.js';

const spec = 'a basket that adds up';
const planBuiltIn = (name: string) => makePlan(builtIn(name), { vars: {}, spec });
const tasks = JSON.stringify(
  ['one', 'two'].map((name) => ({ name, description: `what ${name} is`, files: [`${name}.ts`] })),
);

/** Plans two tasks, approves every change, and appends a line to a file in each other turn. */
function createAgent(outputFor: (prompt: string) => string | undefined = () => undefined): FakeAgent {
  return ({ prompt, earlier }, files) => {
    const output = outputFor(prompt);
    if (output !== undefined) return { output };
    if (prompt.includes('.gump/out/plan.json')) return { output: tasks };
    if (prompt.includes('.gump/out/validate.json')) return { output: '{"pass": true, "comments": ""}' };
    const task = /what (one|two) is/.exec([...earlier, prompt].join('\n'))?.[1] ?? 'whole';
    files.set(`${task}.ts`, `${files.get(`${task}.ts`) ?? ''}more\n`);
    return {};
  };
}

const agents = ({ calls }: EngineHarness) => calls.map(({ agent }) => agent);

describe('every built-in', () => {
  it.each(Object.keys(builtIns).filter((name) => !name.includes('/')))('%s passes', async (name) => {
    const harness = createEngineHarness({ runAgent: createAgent() });
    const state = await harness.run(planBuiltIn(name));
    expect([...state.steps.values()].map(({ status }) => status)).not.toContain('failed');
    expect(state.runEnded?.status).toBe('passed');
    expect(harness.warnings).toEqual([]);
    // Every name in the prompts has a value.
    for (const { prompt } of harness.calls) expect(prompt).not.toMatch(/\{[a-z.]+\}/);
  });
});

describe('implement-spec', () => {
  it('gives the reviewer the task, the spec and the change, and the review comments to the working agent', async () => {
    let reviewCount = 0;
    const runAgent = createAgent((prompt) => {
      if (!prompt.includes('You review a change')) return undefined;
      reviewCount += 1;
      return JSON.stringify({ pass: reviewCount > 1, comments: 'mind the cents' });
    });
    const harness = createEngineHarness({ runAgent });
    const state = await harness.run(planBuiltIn('implement-spec'));
    expect(state.runEnded?.status).toBe('passed');
    const reviews = harness.calls.filter(({ prompt }) => prompt.includes('You review a change'));
    expect(reviews.map(({ agent, mode }) => [agent, mode])).toEqual([
      ['claude-opus', 'start'],
      ['claude-opus', 'start'],
      ['claude-opus', 'start'],
    ]);
    for (const part of ['what one is', spec, 'one.ts']) expect(reviews[0]?.prompt).toContain(part);
    const retried = harness.calls.find(({ prompt }) => prompt.includes('mind the cents'));
    expect(retried).toMatchObject({ agent: 'claude-sonnet', mode: 'resume' });
  });

  it('lets the agent of a task try out the result in the same session', async () => {
    const harness = createEngineHarness({ runAgent: createAgent() });
    await harness.run(planBuiltIn('implement-spec'));
    const smokeCalls = harness.calls.filter(({ prompt }) => prompt.includes('as its users'));
    expect(smokeCalls.map(({ agent, mode }) => [agent, mode])).toEqual([
      ['claude-sonnet', 'resume'],
      ['claude-sonnet', 'resume'],
    ]);
  });
});

describe('cheap2sota', () => {
  it('changes to a stronger agent with a new session until an attempt passes', async () => {
    let checks = 0;
    const gate = ({ type }: Gate) => type !== 'test' || ++checks >= 5;
    const harness = createEngineHarness({ runAgent: createAgent(), passesGate: gate });
    const state = await harness.run(planBuiltIn('cheap2sota'));
    expect(state.runEnded?.status).toBe('passed');
    const first = harness.calls.slice(1, 6);
    expect(first.map(({ agent, mode }) => [agent, mode])).toEqual([
      ['qwen-coder', 'start'],
      ['qwen-coder', 'resume'],
      ['claude-haiku', 'start'],
      ['claude-sonnet', 'start'],
      ['claude-opus', 'start'],
    ]);
    expect(harness.warnings).toEqual([]);
  });
});

describe('quality', () => {
  it('starts no agent if the final gates pass, and lets an agent fix the problems otherwise', async () => {
    const passing = createEngineHarness({ runAgent: createAgent() });
    await passing.run(planBuiltIn('refactor'));
    expect(agents(passing)).toEqual(['claude-sonnet', 'claude-sonnet', 'claude-sonnet']);

    let checks = 0;
    const lint = (gate: Gate) => gate.type !== 'lint' || ++checks > 1;
    const failing = createEngineHarness({ runAgent: createAgent(), passesGate: lint });
    const state = await failing.run(planBuiltIn('refactor'));
    expect(state.runEnded?.status).toBe('passed');
    const last = failing.calls.at(-1);
    expect(last).toMatchObject({ agent: 'claude-sonnet', mode: 'start' });
    for (const part of [spec, 'lint says no']) expect(last?.prompt).toContain(part);
    expect(failing.warnings).toEqual([]);
  });
});
