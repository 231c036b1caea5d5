/** The built-ins gone through by the engine, with agents that are functions. */
import { describe, expect, it } from 'vitest';
import { builtIns } from '../../src/builtin/registry.js';
import { makePlan } from '../../src/plan/plan.js';
import type { Gate } from '../../src/workflow/workflow.js';
import { createWorld, type Play, type World } from '../fakes/world.js';
import { builtIn } from './load-built-in.js';

const spec = 'a basket that adds up';
const planned = (name: string) => makePlan(builtIn(name), { vars: {}, spec });
const tasks = JSON.stringify(
  ['one', 'two'].map((name) => ({ name, description: `what ${name} is`, files: [`${name}.ts`] })),
);

/** Plans two tasks, agrees with everything, and writes a file for each turn of work. */
function player(say: (prompt: string) => string | undefined = () => undefined): Play {
  return ({ prompt, earlier }, files) => {
    const output = say(prompt);
    if (output !== undefined) return { output };
    if (prompt.includes('.gump/out/plan.json')) return { output: tasks };
    if (prompt.includes('.gump/out/validate.json')) return { output: '{"pass": true, "comments": ""}' };
    const task = /what (one|two) is/.exec([...earlier, prompt].join('\n'))?.[1] ?? 'whole';
    files.set(`${task}.ts`, `${files.get(`${task}.ts`) ?? ''}more\n`);
    return {};
  };
}

const agents = ({ calls }: World) => calls.map(({ agent }) => agent);

describe('every built-in', () => {
  it.each(Object.keys(builtIns).filter((name) => !name.includes('/')))('%s passes', async (name) => {
    const world = createWorld({ play: player() });
    const state = await world.run(planned(name));
    expect([...state.steps.values()].map(({ status }) => status)).not.toContain('failed');
    expect(state.ended?.status).toBe('passed');
    expect(world.warnings).toEqual([]);
    // No name of a template was left without a value in what the agents read.
    for (const { prompt } of world.calls) expect(prompt).not.toMatch(/\{[a-z.]+\}/);
  });
});

describe('implement-spec', () => {
  it('shows the reviewer the task, the spec and the change, and the reviewer’s words to who works', async () => {
    let judged = 0;
    const play = player((prompt) => {
      if (!prompt.includes('You review a change')) return undefined;
      judged += 1;
      return JSON.stringify({ pass: judged > 1, comments: 'mind the cents' });
    });
    const world = createWorld({ play });
    const state = await world.run(planned('implement-spec'));
    expect(state.ended?.status).toBe('passed');
    const reviews = world.calls.filter(({ prompt }) => prompt.includes('You review a change'));
    expect(reviews.map(({ agent, mode }) => [agent, mode])).toEqual([
      ['claude-opus', 'start'],
      ['claude-opus', 'start'],
      ['claude-opus', 'start'],
    ]);
    for (const part of ['what one is', spec, 'one.ts']) expect(reviews[0]?.prompt).toContain(part);
    const again = world.calls.find(({ prompt }) => prompt.includes('mind the cents'));
    expect(again).toMatchObject({ agent: 'claude-sonnet', mode: 'resume' });
  });

  it('asks the agent that did a task to try it out, in its own conversation', async () => {
    const world = createWorld({ play: player() });
    await world.run(planned('implement-spec'));
    const tried = world.calls.filter(({ prompt }) => prompt.includes('as its users'));
    expect(tried.map(({ agent, mode }) => [agent, mode])).toEqual([
      ['claude-sonnet', 'resume'],
      ['claude-sonnet', 'resume'],
    ]);
  });
});

describe('cheap2sota', () => {
  it('climbs from agent to agent, each beginning anew, until one gets there', async () => {
    let looks = 0;
    const gate = ({ type }: Gate) => type !== 'test' || ++looks >= 5;
    const world = createWorld({ play: player(), gate });
    const state = await world.run(planned('cheap2sota'));
    expect(state.ended?.status).toBe('passed');
    const first = world.calls.slice(1, 6);
    expect(first.map(({ agent, mode }) => [agent, mode])).toEqual([
      ['qwen-coder', 'start'],
      ['qwen-coder', 'resume'],
      ['claude-haiku', 'start'],
      ['claude-sonnet', 'start'],
      ['claude-opus', 'start'],
    ]);
    expect(world.warnings).toEqual([]);
  });
});

describe('quality', () => {
  it('costs nothing where the whole holds, and mends it where it does not', async () => {
    const calm = createWorld({ play: player() });
    await calm.run(planned('refactor'));
    expect(agents(calm)).toEqual(['claude-sonnet', 'claude-sonnet', 'claude-sonnet']);

    let looks = 0;
    const lint = (gate: Gate) => gate.type !== 'lint' || ++looks > 1;
    const mended = createWorld({ play: player(), gate: lint });
    const state = await mended.run(planned('refactor'));
    expect(state.ended?.status).toBe('passed');
    const last = mended.calls.at(-1);
    expect(last).toMatchObject({ agent: 'claude-sonnet', mode: 'start' });
    for (const part of [spec, 'lint says no']) expect(last?.prompt).toContain(part);
    expect(mended.warnings).toEqual([]);
  });
});
