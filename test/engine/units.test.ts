import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/failure.js';
import { newestSnapshot } from '../../src/journal/state.js';
import {
  agentStep,
  bash,
  exits,
  groupStep,
  parallelSplit,
  planOf,
  retryAt,
  review,
  splitStep,
  validates,
} from '../fakes/plan.js';
import { prompts, rerun } from '../fakes/rerun.js';
import { createWorld, type Files, MachineLost, type Play, type World } from '../fakes/world.js';

const plan = (...names: readonly string[]) => JSON.stringify(names.map((name) => ({ name })));
const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

const each = [
  agentStep('tests', { prompt: 'tests {task.name}' }),
  agentStep('impl', {
    prompt: 'impl {task.name}',
    session: { mode: 'from', step: 'tests' },
    gates: [bash('check')],
  }),
];

/** Lets every other unit that may run get as far as it can. */
const breathe = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
};

/** A plan of these tasks; `impl` writes the task's file: bad as long as `isBad` says so. */
function player(names: readonly string[], isBad: (name: string) => boolean = () => false): Play {
  return async (turn, files) => {
    await breathe();
    if (turn.prompt.startsWith('plan')) return { output: plan(...names) };
    const name = /^impl (\w)/.exec(turn.prompt)?.[1];
    if (name !== undefined) files.set(`${name}.txt`, isBad(name) ? 'bad' : 'good');
    return {};
  };
}

const good = (_gate: unknown, files: Files) => ![...files.values()].includes('bad');
const side = (...names: readonly string[]) =>
  groupStep(
    'g',
    names.map((name) => agentStep(name)),
    { parallel: true },
  );

describe('units side by side', () => {
  it('never run more at once than allowed, and as many as that', async () => {
    let now = 0;
    let most = 0;
    const work = player(letters);
    const world = createWorld({
      play: async (turn, files) => {
        now += 1;
        most = Math.max(most, now);
        const said = await work(turn, files);
        now -= 1;
        return said;
      },
    });
    const state = await world.run(planOf([parallelSplit('build', each, { maxParallel: 3 })]));
    expect(state.ended?.status).toBe('passed');
    expect(most).toBe(3);
    expect([...world.files.keys()].sort()).toEqual(letters.map((name) => `${name}.txt`));
  });

  it('do not break off where the CLI of one cannot be had', async () => {
    const group = groupStep(
      'g',
      [agentStep('a'), agentStep('b', { agent: 'codex', retry: [retryAt(1, {}), exits(3)] })],
      { parallel: true },
    );
    const message = 'Codex could not be installed: no network';
    const sessionIds = (agent: string) => (agent === 'codex' ? 'given' : 'chosen');
    const first = createWorld({
      sessionIds,
      play: () => breathe().then(() => ({})),
      async provides(agent) {
        if (agent === 'codex') throw new UserError(message);
        await breathe();
      },
    });
    const state = await first.run(planOf([group]));
    expect(['g/a', 'g/b', 'g'].map((path) => state.steps.get(path)?.status)).toEqual([
      'passed',
      'failed',
      'failed',
    ]);
    expect(state.steps.get('g/b')?.attempts.map(({ failure }) => failure)).toEqual([
      { kind: 'crash', message, isFinal: true },
    ]);
    const second = createWorld({ play: () => ({}), after: first, sessionIds });
    expect((await second.run(planOf([group]), { jobAttempt: 2 })).ended?.status).toBe('passed');
    expect(second.calls.map(({ agent }) => agent)).toEqual(['codex']);
  });

  it('take what the run allows where the step says nothing', async () => {
    let now = 0;
    let most = 0;
    const world = createWorld({
      play: async () => {
        now += 1;
        most = Math.max(most, now);
        await breathe();
        now -= 1;
        return {};
      },
    });
    await world.run(planOf([side('a', 'b', 'c', 'd', 'e')]), { maxParallel: 4 });
    expect(most).toBe(4);
  });

  it('see only their own files and steps, and begin in sessions of their own', async () => {
    const seen: string[] = [];
    const world = createWorld({
      play: async (turn, files) => {
        await breathe();
        if (turn.prompt.startsWith('plan')) return { output: plan('a', 'b') };
        seen.push(`${turn.prompt.trim()}: ${[...files.keys()].sort().join()}`);
        files.set(turn.prompt.trim().replaceAll(/\W/g, ''), 'x');
        return {};
      },
    });
    const steps = [
      agentStep('one', { prompt: 'one {task.name} {build/b/one.status}{build/a/one.status}' }),
      agentStep('two', { prompt: 'two {task.name} {one.status}', session: { mode: 'from', step: 'one' } }),
    ];
    await world.run(planOf([agentStep('first'), parallelSplit('build', steps)]));
    expect(seen.slice(1).sort()).toEqual([
      'one a: dofirst',
      'one b: dofirst',
      'two a pass: dofirst,onea',
      'two b pass: dofirst,oneb',
    ]);
    const id = (prompt: string) => world.calls.find((call) => call.prompt.startsWith(prompt))?.id;
    expect(id('two a')).toBe(id('one a'));
    expect(id('two b')).toBe(id('one b'));
    expect(id('one a')).not.toBe(id('one b'));
  });

  it('cannot go on in a session from outside, or from beside them (S3)', async () => {
    const from = (step: string) => agentStep(`from-${step}`, { session: { mode: 'from', step } });
    const world = createWorld({ play: () => ({}) });
    await world.run(
      planOf([
        agentStep('before'),
        groupStep('g', [agentStep('x'), from('before'), from('x')], { parallel: true }),
      ]),
    );
    expect(world.calls.map(({ mode }) => mode)).toEqual(['start', 'start', 'start', 'start']);
    expect(world.warnings.filter((one) => one.includes('not in the same scope'))).toHaveLength(2);
  });

  it('are put together in the order in which they are declared, and what comes after sees it all', async () => {
    const seen: string[][] = [];
    const world = createWorld({
      play: async (turn, files) => {
        // The later ones are the quicker ones.
        for (let turns = 'dcba'.indexOf(turn.prompt.trim().at(-1) ?? ''); turns >= 0; turns -= 1)
          await breathe();
        seen.push([...files.keys()]);
        files.set(turn.prompt.trim(), 'x');
        return {};
      },
    });
    await world.run(planOf([side('a', 'b', 'c'), agentStep('last')]), { maxParallel: 3 });
    expect(seen.at(-1)).toEqual(['do a', 'do b', 'do c']);
  });

  it('keep what they did where one fails; a re-run runs only that one', async () => {
    const workflow = planOf([parallelSplit('build', each, { maxParallel: 3 }), agentStep('last')]);
    const world = createWorld({ play: player(letters, (name) => name === 'd'), gate: good });
    const state = await world.run(workflow);
    expect(state.ended).toMatchObject({ status: 'failed', failedStep: 'build/d/impl' });
    const passed = [...state.steps.values()].filter(
      ({ path, status }) => path.endsWith('/impl') && status === 'passed',
    );
    expect(passed).toHaveLength(7);

    const next = await rerun(world, workflow, { play: player(letters), gate: good });
    expect(next.takeover.dropped).toEqual([]);
    expect(prompts(next.world)).toEqual(['impl d', 'do last']);
    expect(next.world.calls[0]?.mode).toBe('resume');
    expect(next.world.opened).toEqual(['build/d/']);
    expect([...next.world.files.keys()].sort()).toEqual(letters.map((name) => `${name}.txt`));
    expect(next.state.ended?.status).toBe('passed');
  });

  it('are not opened again for what a validator said of an attempt that failed', async () => {
    const judged = new Map<string, number>();
    const play: Play = (turn, files) => {
      if (turn.prompt.startsWith('plan')) return { output: plan('a', 'b') };
      if (!turn.prompt.startsWith('judge')) return player(['a', 'b'])(turn, files);
      const times = (judged.get(turn.directory) ?? 0) + 1;
      judged.set(turn.directory, times);
      return { output: JSON.stringify({ pass: times > 1, comments: 'not yet' }) };
    };
    const impl = agentStep('impl', {
      prompt: 'impl {task.name}',
      gates: [validates('review', review())],
      retry: [exits(2)],
    });
    const last = agentStep('last', { gates: [bash('never')] });
    const workflow = planOf([parallelSplit('build', [impl]), last]);
    const world = createWorld({ play, gate: () => false });
    expect((await world.run(workflow)).ended).toMatchObject({ failedStep: 'last' });
    const next = await rerun(world, workflow, { play });
    expect(next.takeover.dropped).toEqual([]);
    expect(next.world.opened).toEqual([]);
    expect(prompts(next.world)).toEqual(['do last']);
  });

  it('whose work tree cannot be made ready fail by themselves, and say so', async () => {
    const workflow = planOf([side('a', 'b', 'c'), agentStep('last')]);
    const world = createWorld({ play: writesName, opens: (lane) => lane !== 'g/b/' });
    const state = await world.run(workflow);
    expect(state.ended).toMatchObject({ status: 'failed', failedStep: 'g' });
    expect(state.steps.get('g')?.attempts.at(-1)?.failure?.message).toContain('g/b/ cannot be made ready');
    expect(prompts(world)).toEqual(['do a', 'do c']);
    const next = await rerun(world, workflow, { play: writesName });
    expect(prompts(next.world)).toEqual(['do b', 'do last']);
    expect(next.state.ended?.status).toBe('passed');
  });

  it('do not begin any more where one found that no other could get past either', async () => {
    const world = createWorld({
      play: (turn) =>
        turn.prompt.startsWith('plan')
          ? { output: plan(...letters) }
          : { failure: { kind: 'auth', message: 'no key' } },
    });
    const state = await world.run(planOf([parallelSplit('build', each, { maxParallel: 2 })]));
    expect(state.ended?.status).toBe('failed');
    expect(world.calls.length).toBeLessThanOrEqual(3);
  });

  it('do begin where another one failed for a reason of its own', async () => {
    const workflow = parallelSplit('build', [
      agentStep('impl', { prompt: 'impl {task.name}', context: [{ type: 'file', path: '{task.name}.md' }] }),
    ]);
    const play: Play = (turn, files) => {
      if (turn.prompt.startsWith('plan')) return { output: plan('a', 'b', 'c') };
      files.set('x', 'x');
      return {};
    };
    const world = createWorld({
      play: (turn, files) => {
        if (turn.prompt.startsWith('do first'))
          for (const name of ['b', 'c']) files.set(`${name}.md`, 'known');
        return play(turn, files);
      },
    });
    const state = await world.run(planOf([agentStep('first'), workflow]), { maxParallel: 1 });
    expect(state.ended).toMatchObject({ status: 'failed', failedStep: 'build/a/impl' });
    expect(prompts(world)).toEqual(['do first', 'plan build', 'impl b', 'impl c']);
  });

  it('end as cancelled, all of them, with the job; a re-run goes on in each one’s session', async () => {
    const controller = new AbortController();
    const workflow = planOf([parallelSplit('build', each, { maxParallel: 2 })]);
    const work = player(['a', 'b', 'c']);
    const world = createWorld({
      play: async (turn, files) => {
        if (!turn.prompt.startsWith('impl')) return work(turn, files);
        if (turn.prompt.startsWith('impl b')) controller.abort();
        while (!turn.signal.aborted) await breathe();
        return { failure: { kind: 'cancelled', message: 'cancelled' } };
      },
    });
    const state = await world.run(workflow, { signal: controller.signal });
    expect(state.ended?.status).toBe('cancelled');
    expect(prompts(world)).not.toContain('tests c');
    const next = await rerun(world, workflow, { play: player(['a', 'b', 'c']) });
    expect(prompts(next.world).toSorted()).toEqual(['impl a', 'impl b', 'impl c', 'tests c']);
    const cutOff = next.world.calls.filter(({ prompt }) => /^impl [ab]/.test(prompt));
    for (const { mode, id, prompt } of cutOff) {
      expect(mode).toBe('resume');
      expect(prompt).toContain('You were interrupted');
      expect(world.calls.find((call) => call.id === id)?.prompt.at(6)).toBe(prompt.at(5));
    }
    expect(next.state.ended?.status).toBe('passed');
  });

  it('go on in their own sessions after the machine was lost under two of them', async () => {
    const workflow = planOf([parallelSplit('build', each, { maxParallel: 2 }), agentStep('last')]);
    const work = player(['a', 'b']);
    let isLost = false;
    const world = createWorld({
      play: async (turn, files) => {
        if (!turn.prompt.startsWith('impl')) return work(turn, files);
        // The first one is in the middle of its work when the machine goes with the second.
        if (turn.prompt.startsWith('impl a')) while (!isLost) await breathe();
        isLost = true;
        return { crash: true };
      },
    });
    await expect(world.run(workflow)).rejects.toThrow(MachineLost);
    const next = await rerun(world, workflow, { play: work });
    expect(prompts(next.world).toSorted()).toEqual(['do last', 'impl a', 'impl b']);
    for (const name of ['a', 'b']) {
      const again = next.world.calls.find(({ prompt }) => prompt.startsWith(`impl ${name}`));
      const before = world.calls.find(({ prompt }) => prompt.startsWith(`tests ${name}`));
      expect(again).toMatchObject({ mode: 'resume', id: before?.id });
    }
    expect(next.state.ended?.status).toBe('passed');
  });

  it('may be a step of their own that is split into units again', async () => {
    const inner = parallelSplit('inner', [agentStep('impl', { prompt: 'impl {task.name}' })]);
    const workflow = planOf([
      groupStep('g', [groupStep('x', [inner, agentStep('after')]), agentStep('y')], { parallel: true }),
      agentStep('last'),
    ]);
    const world = createWorld({ play: player(['a', 'b']) });
    const state = await world.run(workflow);
    expect(state.ended?.status).toBe('passed');
    expect(state.steps.get('g/x/inner')?.lane).toBe('g/x/');
    expect(state.steps.get('g/x/inner/a/impl')?.lane).toBe('g/x/inner/a/');
    expect([...world.files.keys()].sort()).toEqual(['a.txt', 'b.txt']);
    expect(newestSnapshot(state, 'g/x/')).toEqual(state.steps.get('g/x/after')?.attempts.at(-1)?.snapshot);
  });

  it('stop after the step in one of them that `until` names; a later job runs the rest', async () => {
    const steps = [parallelSplit('build', each), agentStep('last')];
    const world = createWorld({ play: player(['a', 'b', 'c']) });
    const state = await world.run(planOf(steps, { until: 'build/b/tests' }), { maxParallel: 1 });
    expect(state.ended?.status).toBe('passed');
    expect(prompts(world)).toEqual(['plan build', 'tests a', 'impl a', 'tests b']);
    const next = await rerun(world, planOf(steps), { play: player(['a', 'b', 'c']) }, { maxParallel: 1 });
    expect(prompts(next.world)).toEqual(['impl b', 'tests c', 'impl c', 'do last']);
    expect([...next.world.files.keys()].sort()).toEqual(['a.txt', 'b.txt', 'c.txt']);
  });

  it('run once more, all of them, where the gates of their group fail', async () => {
    const world = createWorld({
      play: (turn, files) => {
        const name = turn.prompt.trim().split('\n')[0] ?? '';
        files.set(name, `${files.get(name) ?? ''}x`);
        return {};
      },
      gate: (_gate, files) => files.get('do a') === 'xx',
    });
    const group = { ...side('a', 'b'), gates: [bash('whole')], retry: [exits(2)] };
    const state = await world.run(planOf([group]));
    expect(state.ended?.status).toBe('passed');
    expect(Object.fromEntries(world.files)).toEqual({ 'do a': 'xx', 'do b': 'xx' });
    expect(world.calls.map(({ mode }) => mode)).toEqual(['start', 'start', 'resume', 'resume']);
    expect(world.calls[2]?.prompt).toContain('whole says no');
  });

  it('begin again from where their group began, where a round asks for it', async () => {
    const world = createWorld({
      play: (turn, files) => {
        const name = turn.prompt.trim().split('\n')[0] ?? '';
        files.set(name, `${files.get(name) ?? ''}x`);
        return {};
      },
      gate: () => false,
    });
    const retry = [retryAt(2, { worktree: 'reset' }), exits(2)];
    await world.run(planOf([agentStep('z'), { ...side('a', 'b'), gates: [bash('whole')], retry }]));
    expect(Object.fromEntries(world.files)).toEqual({ 'do z': 'x', 'do a': 'x', 'do b': 'x' });
  });
});

const writesName: Play = (turn, files) => {
  const name = turn.prompt.trim().split('\n')[0] ?? '';
  files.set(name, 'x');
  return {};
};

/** All of them write the same file; one that sees what another wrote adds to it. */
const clashing: Play = (turn, files) => {
  if (turn.prompt.startsWith('plan')) return { output: plan('a', 'b', 'c') };
  const name = /^impl (\w)/.exec(turn.prompt)?.[1];
  if (name === 'c') files.set('c.txt', 'c');
  else if (name !== undefined) files.set('shared.txt', `${files.get('shared.txt') ?? ''}${name}`);
  return {};
};

describe('units that clash', () => {
  const steps = [agentStep('impl', { prompt: 'impl {task.name}' })];

  it('fail the step, which names the files and both units; a re-run has the later one add to the earlier', async () => {
    const workflow = planOf([parallelSplit('build', steps), agentStep('last')]);
    const world = createWorld({ play: clashing });
    const state = await world.run(workflow);
    expect(state.ended).toMatchObject({ status: 'failed', failedStep: 'build' });
    const message = state.steps.get('build')?.failure?.message;
    for (const part of ['build/a', 'build/b', 'shared.txt']) expect(message).toContain(part);

    const next = await rerun(world, workflow, { play: clashing });
    expect(next.takeover.dropped).toEqual([]);
    expect(prompts(next.world)).toEqual(['impl b', 'do last']);
    expect(next.world.calls[0]).toMatchObject({
      mode: 'resume',
      id: world.calls.find(({ prompt }) => prompt.startsWith('impl b'))?.id,
    });
    expect(next.world.calls[0]?.prompt).toContain('clashes with what `build/a` changed');
    expect(Object.fromEntries(next.world.files)).toEqual({ 'shared.txt': 'ab', 'c.txt': 'c' });
    expect(next.state.ended?.status).toBe('passed');
    expect(next.state.steps.get('build')?.conflict).toBeUndefined();
  });

  it('are seen to within the job where `retry` allows another round', async () => {
    const world = createWorld({ play: clashing });
    const state = await world.run(planOf([parallelSplit('build', steps, { retry: [exits(2)] })]));
    expect(state.ended?.status).toBe('passed');
    expect(prompts(world)).toEqual(['plan build', 'impl a', 'impl b', 'impl c', 'impl b']);
    expect(world.files.get('shared.txt')).toBe('ab');
  });

  it('of a group do the same', async () => {
    const group = groupStep(
      'g',
      ['a', 'b'].map((name) => agentStep(name, { prompt: `impl ${name}` })),
      { parallel: true },
    );
    const workflow = planOf([group, agentStep('last')]);
    const world = createWorld({ play: clashing });
    expect((await world.run(workflow)).ended).toMatchObject({ status: 'failed', failedStep: 'g' });
    const next = await rerun(world, workflow, { play: clashing });
    expect(prompts(next.world)).toEqual(['impl b', 'do last']);
    expect(next.world.files.get('shared.txt')).toBe('ab');
  });

  it('are seen to one after the other, also in a group that puts the files back at every further round', async () => {
    const all = parallelSplit('build', [agentStep('impl', { prompt: 'impl {task.name}' })]);
    const retry = [retryAt(2, { worktree: 'reset' }), exits(2)];
    const workflow = planOf([groupStep('g', [all], { retry }), agentStep('last')]);
    const play: Play = (turn, files) =>
      clashing({ ...turn, prompt: turn.prompt.replace('impl c', 'impl d') }, files);
    const one = createWorld({ play });
    expect((await one.run(workflow)).ended).toMatchObject({ failedStep: 'g/build' });
    const two = await rerun(one, workflow, { play });
    expect(prompts(two.world)).toEqual(['impl b']);
    const three = await rerun(two.world, workflow, { play }, { jobAttempt: 3 });
    expect(prompts(three.world)).toEqual(['impl c', 'do last']);
    expect(three.world.files.get('shared.txt')).toBe('abd');
  });

  it('end the same, whatever prefix of the journal survived', async () => {
    const workflow = planOf([parallelSplit('build', steps, { retry: [exits(2)] }), agentStep('last')]);
    await everyPrefix(workflow, { play: clashing }, (world) => {
      expect(world.files.get('shared.txt')).toBe('ab');
      expect(world.files.get('c.txt')).toBe('c');
    });
  });
});

async function everyPrefix(
  workflow: ReturnType<typeof planOf>,
  options: Parameters<typeof createWorld>[0],
  check: (world: World) => void,
): Promise<void> {
  const whole = createWorld(options);
  expect((await whole.run(workflow)).ended?.status).toBe('passed');
  for (let length = 0; length <= whole.events.length; length += 1) {
    const before = { ...whole, events: whole.events.slice(0, length) };
    const next = await rerun(before, workflow, { ...options, sessions: whole });
    expect(next.state.ended?.status, `prefix ${length}`).toBe('passed');
    expect(next.takeover.dropped, `prefix ${length}`).toEqual([]);
    const recorded = before.events.filter(({ type }) => type === 'agent-ended').length;
    expect(next.world.calls.length, `prefix ${length}`).toBeLessThanOrEqual(whole.calls.length - recorded);
    check(next.world);
  }
}

describe('every prefix of a journal with units leads to the same end', () => {
  it('of a parallel split', async () => {
    await everyPrefix(
      planOf([agentStep('first'), parallelSplit('build', each), agentStep('last')]),
      { play: player(['a', 'b', 'c']) },
      (world) => expect([...world.files.keys()].sort()).toEqual(['a.txt', 'b.txt', 'c.txt']),
    );
  });

  it('of a parallel split in a unit of a parallel group', async () => {
    const inner = parallelSplit('inner', each);
    await everyPrefix(
      planOf([
        groupStep('g', [groupStep('x', [inner, agentStep('after')]), splitStep('y', each)], {
          parallel: true,
        }),
        agentStep('last'),
      ]),
      {
        play: (turn, files) =>
          turn.prompt.startsWith('plan y') ? { output: plan('c') } : player(['a', 'b'])(turn, files),
      },
      (world) => expect([...world.files.keys()].sort()).toEqual(['a.txt', 'b.txt', 'c.txt']),
    );
  });

  it('of a parallel group with gates of its own that fail at first', async () => {
    const group = groupStep('g', [agentStep('a'), agentStep('b')], {
      parallel: true,
      gates: [bash('whole')],
      retry: [exits(2)],
    });
    await everyPrefix(
      planOf([group, agentStep('last')]),
      {
        play: (turn, files) => {
          const name = turn.prompt.trim().split('\n')[0] ?? '';
          files.set(name, `${files.get(name) ?? ''}x`);
          return {};
        },
        gate: (_gate, files) => (files.get('do a') ?? '').length >= 2,
      },
      (world) => expect((world.files.get('do a') ?? '').length).toBeGreaterThanOrEqual(2),
    );
  });
});
