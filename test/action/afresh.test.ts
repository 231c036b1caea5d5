/** Where a run begins: afresh (S14), with all taken over, in the next job, or not at all (`resume`, `state-name`). */
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openScene } from './scene.js';
import { bodies, sessionsOf, story, talk } from './story.js';

const workflow = (agent = 'claude-haiku') => `name: flow
steps:
  - name: tests
    type: code
    agent: ${agent}
    prompt: Tests.
  - name: impl
    type: code
    agent: ${agent}
    session: from: tests
    prompt: Implement.
    gate: [{bash: "test -e done.txt"}]
`;

const done = [{ prompt: 'Implement', do: [{ write: 'done.txt', content: 'done\n' }] }];

describe('S14: a re-run of a run that had passed', () => {
  it('starts afresh, and says so, where the job had ended with success', async () => {
    const scene = await openScene({ workflow: workflow() });
    const first = await scene.attempt({ rules: done });
    expect(first.main.outputs.status).toBe('passed');
    const { main } = await scene.attempt({ attempt: 2, rules: done });
    expect(main.log).toContain('this re-run starts afresh');
    expect(story(main.report)).toEqual(['tests#1@2 new declared-new passed', 'impl#1@2 resumed from passed']);
    expect(talk(await scene.calls())).toEqual([
      'claude start a after 0',
      'claude resume a after 1',
      'claude start b after 0',
      'claude resume b after 1',
    ]);
    expect(main.outputs).toMatchObject({ status: 'passed', resumed: 'false', persisted: 'true' });
    expect(main.warnings).toEqual([]);
  });

  it('takes all over, and runs nothing, where the job failed later', async () => {
    const scene = await openScene({ workflow: workflow() });
    const first = await scene.attempt({ rules: done, laterStatus: 'failure' });
    let content = '';
    const { main } = await scene.attempt({
      attempt: 2,
      laterStatus: 'failure',
      inspect: async (machine) => {
        content = await readFile(join(machine.workspace, 'done.txt'), 'utf8');
      },
    });
    expect(await scene.calls()).toHaveLength(2);
    expect(content).toBe('done\n');
    expect(main.outputs).toMatchObject({ status: 'passed', resumed: 'true', persisted: 'true' });
    expect(main.report?.steps.map((step) => step.takenOver)).toEqual([true, true]);
    for (const name of ['sessions', 'tokens', 'turns', 'cost-usd'])
      expect(main.outputs[name]).toBe(first.main.outputs[name]);
    expect(main.log).toContain('impl: passed in job attempt 1, taken over');
    const third = await scene.attempt({ attempt: 3 });
    expect(third.main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(await scene.calls()).toHaveLength(2);
  });
});

describe('`until` and one state for two jobs', () => {
  const shared = { 'state-name': 'shared' };

  it('stops after a step; the next job goes on from there, in the same conversation, also when it is re-run', async () => {
    const scene = await openScene({ workflow: workflow('codex') });
    const plan = await scene.attempt({ job: 'plan', inputs: { ...shared, until: 'tests' } });
    expect(plan.main.outputs).toMatchObject({ status: 'passed', persisted: 'true' });
    expect(plan.main.report?.steps.map((step) => step.status)).toEqual(['passed', 'not-run']);
    const build = await scene.attempt({ job: 'build', inputs: shared });
    expect(story(build.main.report)).toEqual([
      'tests#1@1 new declared-new passed',
      'impl#1@1 resumed from failed:gate',
    ]);
    expect(build.main.outputs).toMatchObject({ status: 'failed', resumed: 'true' });
    const again = await scene.attempt({ job: 'build', attempt: 2, inputs: shared, rules: done });
    expect(again.main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(talk(await scene.calls())).toEqual([
      'codex start a after 0',
      'codex resume a after 1',
      'codex resume a after 2',
    ]);
    expect([...build.main.warnings, ...again.main.warnings]).toEqual([]);
  });

  it('starts both jobs afresh, once both had ended with success, where all jobs are re-run', async () => {
    const scene = await openScene({ workflow: workflow(), store: 'directory' });
    const run = async (attempt: number) => {
      await scene.attempt({ attempt, job: 'plan', inputs: { ...shared, until: 'tests' } });
      return scene.attempt({ attempt, job: 'build', inputs: shared, rules: done });
    };
    await run(1);
    const { main } = await run(2);
    expect(bodies((await scene.calls()).map((call) => call.prompt))).toEqual([
      'Tests.',
      'Implement.',
      'Tests.',
      'Implement.',
    ]);
    expect(story(main.report)).toEqual(['tests#1@2 new declared-new passed', 'impl#1@2 resumed from passed']);
  });

  it('is an error for the one that finds the other at work with the same name', async () => {
    const scene = await openScene({ workflow: workflow() });
    const [stored, mayEnd] = [`${scene.stateDirectory}-stored`, `${scene.stateDirectory}-end`];
    // `late` comes to its first checkpoint when `early` has stored one, and `early` goes on after that.
    const early = scene.attempt({
      job: 'early',
      inputs: shared,
      rules: [
        {
          prompt: 'Implement',
          do: [{ run: `touch ${stored}` }, { waitFor: mayEnd }, { write: 'done.txt' }],
        },
      ],
    });
    const late = scene.attempt({
      job: 'late',
      inputs: { ...shared, resume: 'never' },
      rules: [
        { prompt: 'Tests', do: [{ waitFor: stored }] },
        { prompt: 'Implement', do: [{ run: `touch ${mayEnd}` }, { write: 'done.txt' }] },
      ],
    });
    const [one, other] = await Promise.all([early, late]);
    expect(one.main.errors).toEqual([]);
    expect(one.main.outputs).toMatchObject({ status: 'passed', persisted: 'true' });
    expect(other.main.errors).toHaveLength(1);
    expect(other.main.errors[0]).toContain('two jobs use the state name "shared" at once');
    expect(other.main.outputs).toMatchObject({ status: 'failed', persisted: 'false' });
    expect(other.main.exitCode).toBe(1);
  });
});

describe('the input `resume`', () => {
  it('auto: starts afresh with a warning where the state is gone', async () => {
    const scene = await openScene({ workflow: workflow() });
    await scene.attempt();
    for (const { key } of scene.cache.entries()) scene.cache.delete(key);
    const { main } = await scene.attempt({ attempt: 2, rules: done });
    expect(main.warnings).toHaveLength(1);
    expect(main.warnings[0]).toContain('Starting afresh: no checkpoint');
    expect(main.outputs).toMatchObject({ status: 'passed', resumed: 'false' });
    expect(talk(await scene.calls())[2]).toBe('claude start b after 0');
  });

  it('require: fails before any agent starts where it is gone, but not in a first attempt', async () => {
    const scene = await openScene({ workflow: workflow(), store: 'directory' });
    const first = await scene.attempt({ inputs: { resume: 'require', until: 'tests' } });
    expect(first.main.outputs.status).toBe('passed');
    const { main } = await scene.attempt({
      attempt: 2,
      inputs: { resume: 'require', 'state-store': `directory:${scene.stateDirectory}-empty` },
    });
    expect(main.exitCode).toBe(1);
    expect(main.errors).toHaveLength(1);
    expect(main.errors[0]).toContain('`resume: require`');
    expect(main.outputs.status).toBe('failed');
    expect(await scene.calls()).toHaveLength(1);
  });

  it('never: starts afresh and says so; what it stores is what a later re-run goes on from', async () => {
    const scene = await openScene({ workflow: workflow() });
    await scene.attempt();
    const second = await scene.attempt({ attempt: 2, inputs: { resume: 'never' } });
    expect(second.main.log).toContain('Starting afresh, as the input `resume` says.');
    expect(second.main.outputs.resumed).toBe('false');
    const { main } = await scene.attempt({ attempt: 3, rules: done });
    expect(sessionsOf(main.outputs).impl).toBe(sessionsOf(second.main.outputs).impl);
    expect([...second.main.warnings, ...main.warnings]).toEqual([]);
    expect(story(main.report)).toEqual([
      'tests#1@2 new declared-new passed',
      'impl#1@2 resumed from failed:gate',
      'impl#2@3 resumed continued passed',
    ]);
  });
});

describe('a machine that is not like the one before', () => {
  it.each([
    ['claude-haiku', 'CLAUDE_CONFIG_DIR', '.claude'],
    ['codex', 'CODEX_HOME', '.codex'],
  ])('another workspace, and another place for the sessions of %s', async (agent, variable, usual) => {
    const scene = await openScene({ workflow: workflow(agent) });
    await scene.attempt();
    const places: boolean[] = [];
    const { main } = await scene.attempt({
      attempt: 2,
      rules: done,
      workspace: 'somewhere/else with spaces/sample',
      env: (machine) => ({ [variable]: join(machine.root, 'agent home') }),
      prepare: async (machine) => void (await mkdir(join(machine.root, 'agent home'))),
      inspect: async (machine) => {
        places.push(existsSync(join(machine.home, usual)));
      },
    });
    expect(main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(talk(await scene.calls()).at(-1)).toMatch(/ resume a after 2$/);
    expect((await scene.calls()).at(-1)?.cwd).toContain('else with spaces');
    expect(places).toEqual([false]);
    const back = await scene.attempt({ attempt: 3, inputs: { 'from-step': 'impl' }, rules: done });
    expect(bodies((await scene.calls()).at(-1)?.earlier ?? [])).toEqual(['Tests.']);
    expect(back.main.outputs.status).toBe('passed');
  });
});
