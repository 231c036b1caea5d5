import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/failure.js';
import { newestSnapshot } from '../../src/journal/run-state.js';
import {
  createEngineHarness,
  type EngineHarness,
  type FakeAgent,
  type Files,
  MachineLost,
} from '../fakes/engine-harness.js';
import {
  agentStep,
  bashGate,
  exitAfter,
  groupStep,
  parallelSplit,
  planOf,
  retryAtAttempt,
  reviewCall,
  splitStep,
  validateGate,
} from '../fakes/plan.js';
import { firstPromptLines, rerun } from '../fakes/rerun.js';

const planOutput = (...names: readonly string[]) => JSON.stringify(names.map((name) => ({ name })));
const taskNames = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

const eachSteps = [
  agentStep('tests', { prompt: 'tests {task.name}' }),
  agentStep('impl', {
    prompt: 'impl {task.name}',
    session: { mode: 'from', step: 'tests' },
    gates: [bashGate('check')],
  }),
];

/** Lets every other parallel branch make as much progress as it can. */
const yieldToOthers = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
};

/** A plan of these tasks. `impl` writes the file of the task, with bad content as long as `isBad` returns true. */
function createAgent(names: readonly string[], isBad: (name: string) => boolean = () => false): FakeAgent {
  return async (turn, files) => {
    await yieldToOthers();
    if (turn.prompt.startsWith('plan')) return { output: planOutput(...names) };
    const name = /^impl (\w)/.exec(turn.prompt)?.[1];
    if (name !== undefined) files.set(`${name}.txt`, isBad(name) ? 'bad' : 'good');
    return {};
  };
}

const areFilesGood = (_gate: unknown, files: Files) => ![...files.values()].includes('bad');
const parallelGroup = (...names: readonly string[]) =>
  groupStep(
    'g',
    names.map((name) => agentStep(name)),
    { parallel: true },
  );

describe('parallel branches', () => {
  it('run exactly as many at once as allowed', async () => {
    let now = 0;
    let most = 0;
    const work = createAgent(taskNames);
    const harness = createEngineHarness({
      runAgent: async (turn, files) => {
        now += 1;
        most = Math.max(most, now);
        const result = await work(turn, files);
        now -= 1;
        return result;
      },
    });
    const state = await harness.run(planOf([parallelSplit('build', eachSteps, { maxParallel: 3 })]));
    expect(state.runEnded?.status).toBe('passed');
    expect(most).toBe(3);
    expect([...harness.files.keys()].sort()).toEqual(taskNames.map((name) => `${name}.txt`));
  });

  it('do not stop if the CLI of one is unavailable', async () => {
    const group = groupStep(
      'g',
      [agentStep('a'), agentStep('b', { agent: 'codex', retry: [retryAtAttempt(1, {}), exitAfter(3)] })],
      { parallel: true },
    );
    const message = 'Codex could not be installed: no network';
    const sessionIds = (agent: string) => (agent === 'codex' ? 'given' : 'chosen');
    const first = createEngineHarness({
      sessionIds,
      runAgent: () => yieldToOthers().then(() => ({})),
      async provideCli(agent) {
        if (agent === 'codex') throw new UserError(message);
        await yieldToOthers();
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
    const second = createEngineHarness({ runAgent: () => ({}), previous: first, sessionIds });
    expect((await second.run(planOf([group]), { jobAttempt: 2 })).runEnded?.status).toBe('passed');
    expect(second.calls.map(({ agent }) => agent)).toEqual(['codex']);
  });

  it('use the limit of the run if the step sets none', async () => {
    let now = 0;
    let most = 0;
    const harness = createEngineHarness({
      runAgent: async () => {
        now += 1;
        most = Math.max(most, now);
        await yieldToOthers();
        now -= 1;
        return {};
      },
    });
    await harness.run(planOf([parallelGroup('a', 'b', 'c', 'd', 'e')]), { maxParallel: 4 });
    expect(most).toBe(4);
  });

  it('see only their own files and steps, and start in their own sessions', async () => {
    const seen: string[] = [];
    const harness = createEngineHarness({
      runAgent: async (turn, files) => {
        await yieldToOthers();
        if (turn.prompt.startsWith('plan')) return { output: planOutput('a', 'b') };
        seen.push(`${turn.prompt.trim()}: ${[...files.keys()].sort().join()}`);
        files.set(turn.prompt.trim().replaceAll(/\W/g, ''), 'x');
        return {};
      },
    });
    const steps = [
      agentStep('one', { prompt: 'one {task.name} {build/b/one.status}{build/a/one.status}' }),
      agentStep('two', { prompt: 'two {task.name} {one.status}', session: { mode: 'from', step: 'one' } }),
    ];
    await harness.run(planOf([agentStep('first'), parallelSplit('build', steps)]));
    expect(seen.slice(1).sort()).toEqual([
      'one a: dofirst',
      'one b: dofirst',
      'two a pass: dofirst,onea',
      'two b pass: dofirst,oneb',
    ]);
    const id = (prompt: string) => harness.calls.find((call) => call.prompt.startsWith(prompt))?.sessionId;
    expect(id('two a')).toBe(id('one a'));
    expect(id('two b')).toBe(id('one b'));
    expect(id('one a')).not.toBe(id('one b'));
  });

  it('cannot resume a session from outside or from another branch (S3)', async () => {
    const from = (step: string) => agentStep(`from-${step}`, { session: { mode: 'from', step } });
    const harness = createEngineHarness({ runAgent: () => ({}) });
    await harness.run(
      planOf([
        agentStep('before'),
        groupStep('g', [agentStep('x'), from('before'), from('x')], { parallel: true }),
      ]),
    );
    expect(harness.calls.map(({ mode }) => mode)).toEqual(['start', 'start', 'start', 'start']);
    expect(harness.warnings.filter((one) => one.includes('is in a different scope'))).toHaveLength(2);
  });

  it('are merged in the order of the workflow, and later steps see all changes', async () => {
    const seen: string[][] = [];
    const harness = createEngineHarness({
      runAgent: async (turn, files) => {
        // Later branches are faster.
        for (let turns = 'dcba'.indexOf(turn.prompt.trim().at(-1) ?? ''); turns >= 0; turns -= 1)
          await yieldToOthers();
        seen.push([...files.keys()]);
        files.set(turn.prompt.trim(), 'x');
        return {};
      },
    });
    await harness.run(planOf([parallelGroup('a', 'b', 'c'), agentStep('last')]), { maxParallel: 3 });
    expect(seen.at(-1)).toEqual(['do a', 'do b', 'do c']);
  });

  it('keep their results if one fails; a re-run runs only the failed one', async () => {
    const workflow = planOf([parallelSplit('build', eachSteps, { maxParallel: 3 }), agentStep('last')]);
    const harness = createEngineHarness({
      runAgent: createAgent(taskNames, (name) => name === 'd'),
      passesGate: areFilesGood,
    });
    const state = await harness.run(workflow);
    expect(state.runEnded).toMatchObject({ status: 'failed', failedStep: 'build/d/impl' });
    const passed = [...state.steps.values()].filter(
      ({ path, status }) => path.endsWith('/impl') && status === 'passed',
    );
    expect(passed).toHaveLength(7);

    const next = await rerun(harness, workflow, {
      runAgent: createAgent(taskNames),
      passesGate: areFilesGood,
    });
    expect(next.reuse.dropped).toEqual([]);
    expect(firstPromptLines(next.harness)).toEqual(['impl d', 'do last']);
    expect(next.harness.calls[0]?.mode).toBe('resume');
    expect(next.harness.openedBranches).toEqual(['build/d/']);
    expect([...next.harness.files.keys()].sort()).toEqual(taskNames.map((name) => `${name}.txt`));
    expect(next.state.runEnded?.status).toBe('passed');
  });

  it('are not opened again because of a validator of a failed attempt', async () => {
    const judged = new Map<string, number>();
    const runAgent: FakeAgent = (turn, files) => {
      if (turn.prompt.startsWith('plan')) return { output: planOutput('a', 'b') };
      if (!turn.prompt.startsWith('judge')) return createAgent(['a', 'b'])(turn, files);
      const times = (judged.get(turn.directory) ?? 0) + 1;
      judged.set(turn.directory, times);
      return { output: JSON.stringify({ pass: times > 1, comments: 'not yet' }) };
    };
    const impl = agentStep('impl', {
      prompt: 'impl {task.name}',
      gates: [validateGate('review', reviewCall())],
      retry: [exitAfter(2)],
    });
    const last = agentStep('last', { gates: [bashGate('never')] });
    const workflow = planOf([parallelSplit('build', [impl]), last]);
    const harness = createEngineHarness({ runAgent, passesGate: () => false });
    expect((await harness.run(workflow)).runEnded).toMatchObject({ failedStep: 'last' });
    const next = await rerun(harness, workflow, { runAgent });
    expect(next.reuse.dropped).toEqual([]);
    expect(next.harness.openedBranches).toEqual([]);
    expect(firstPromptLines(next.harness)).toEqual(['do last']);
  });

  it('fail alone if their worktree cannot be set up, with the reason', async () => {
    const workflow = planOf([parallelGroup('a', 'b', 'c'), agentStep('last')]);
    const harness = createEngineHarness({
      runAgent: writesName,
      canOpenBranch: (prefix) => prefix !== 'g/b/',
    });
    const state = await harness.run(workflow);
    expect(state.runEnded).toMatchObject({ status: 'failed', failedStep: 'g' });
    expect(state.steps.get('g')?.attempts.at(-1)?.failure?.message).toContain('g/b/ cannot be made ready');
    expect(firstPromptLines(harness)).toEqual(['do a', 'do c']);
    const next = await rerun(harness, workflow, { runAgent: writesName });
    expect(firstPromptLines(next.harness)).toEqual(['do b', 'do last']);
    expect(next.state.runEnded?.status).toBe('passed');
  });

  it('do not start any more after a failure that would stop every branch', async () => {
    const harness = createEngineHarness({
      runAgent: (turn) =>
        turn.prompt.startsWith('plan')
          ? { output: planOutput(...taskNames) }
          : { failure: { kind: 'auth', message: 'no key' } },
    });
    const state = await harness.run(planOf([parallelSplit('build', eachSteps, { maxParallel: 2 })]));
    expect(state.runEnded?.status).toBe('failed');
    expect(harness.calls.length).toBeLessThanOrEqual(3);
  });

  it('still start if another one failed for its own reason', async () => {
    const workflow = parallelSplit('build', [
      agentStep('impl', { prompt: 'impl {task.name}', context: [{ type: 'file', path: '{task.name}.md' }] }),
    ]);
    const runAgent: FakeAgent = (turn, files) => {
      if (turn.prompt.startsWith('plan')) return { output: planOutput('a', 'b', 'c') };
      files.set('x', 'x');
      return {};
    };
    const harness = createEngineHarness({
      runAgent: (turn, files) => {
        if (turn.prompt.startsWith('do first'))
          for (const name of ['b', 'c']) files.set(`${name}.md`, 'known');
        return runAgent(turn, files);
      },
    });
    const state = await harness.run(planOf([agentStep('first'), workflow]), { maxParallel: 1 });
    expect(state.runEnded).toMatchObject({ status: 'failed', failedStep: 'build/a/impl' });
    expect(firstPromptLines(harness)).toEqual(['do first', 'plan build', 'impl b', 'impl c']);
  });

  it('all end as cancelled with the job; a re-run resumes the session of each', async () => {
    const controller = new AbortController();
    const workflow = planOf([parallelSplit('build', eachSteps, { maxParallel: 2 })]);
    const work = createAgent(['a', 'b', 'c']);
    const harness = createEngineHarness({
      runAgent: async (turn, files) => {
        if (!turn.prompt.startsWith('impl')) return work(turn, files);
        if (turn.prompt.startsWith('impl b')) controller.abort();
        while (!turn.signal.aborted) await yieldToOthers();
        return { failure: { kind: 'cancelled', message: 'cancelled' } };
      },
    });
    const state = await harness.run(workflow, { signal: controller.signal });
    expect(state.runEnded).toMatchObject({ status: 'waiting', reason: 'cancelled' });
    expect(firstPromptLines(harness)).not.toContain('tests c');
    const next = await rerun(harness, workflow, { runAgent: createAgent(['a', 'b', 'c']) });
    expect(firstPromptLines(next.harness).toSorted()).toEqual(['impl a', 'impl b', 'impl c', 'tests c']);
    const cutOff = next.harness.calls.filter(({ prompt }) => /^impl [ab]/.test(prompt));
    for (const { mode, sessionId, prompt } of cutOff) {
      expect(mode).toBe('resume');
      expect(prompt).toContain('You were interrupted');
      expect(harness.calls.find((call) => call.sessionId === sessionId)?.prompt.at(6)).toBe(prompt.at(5));
    }
    expect(next.state.runEnded?.status).toBe('passed');
  });

  it('resume their own sessions after the machine was lost while two of them ran', async () => {
    const workflow = planOf([parallelSplit('build', eachSteps, { maxParallel: 2 }), agentStep('last')]);
    const work = createAgent(['a', 'b']);
    let isLost = false;
    const harness = createEngineHarness({
      runAgent: async (turn, files) => {
        if (!turn.prompt.startsWith('impl')) return work(turn, files);
        // The first one is running when the second one loses the machine.
        if (turn.prompt.startsWith('impl a')) while (!isLost) await yieldToOthers();
        isLost = true;
        return { crash: true };
      },
    });
    await expect(harness.run(workflow)).rejects.toThrow(MachineLost);
    const next = await rerun(harness, workflow, { runAgent: work });
    expect(firstPromptLines(next.harness).toSorted()).toEqual(['do last', 'impl a', 'impl b']);
    for (const name of ['a', 'b']) {
      const resumed = next.harness.calls.find(({ prompt }) => prompt.startsWith(`impl ${name}`));
      const before = harness.calls.find(({ prompt }) => prompt.startsWith(`tests ${name}`));
      expect(resumed).toMatchObject({ mode: 'resume', sessionId: before?.sessionId });
    }
    expect(next.state.runEnded?.status).toBe('passed');
  });

  it('may contain a step that is split into parallel branches again', async () => {
    const inner = parallelSplit('inner', [agentStep('impl', { prompt: 'impl {task.name}' })]);
    const workflow = planOf([
      groupStep('g', [groupStep('x', [inner, agentStep('after')]), agentStep('y')], { parallel: true }),
      agentStep('last'),
    ]);
    const harness = createEngineHarness({ runAgent: createAgent(['a', 'b']) });
    const state = await harness.run(workflow);
    expect(state.runEnded?.status).toBe('passed');
    expect(state.steps.get('g/x/inner')?.branchPrefix).toBe('g/x/');
    expect(state.steps.get('g/x/inner/a/impl')?.branchPrefix).toBe('g/x/inner/a/');
    expect([...harness.files.keys()].sort()).toEqual(['a.txt', 'b.txt']);
    expect(newestSnapshot(state, 'g/x/')).toEqual(state.steps.get('g/x/after')?.attempts.at(-1)?.snapshot);
  });

  it('stop after the step that `until` names in one of them; a later job runs the rest', async () => {
    const steps = [parallelSplit('build', eachSteps), agentStep('last')];
    const harness = createEngineHarness({ runAgent: createAgent(['a', 'b', 'c']) });
    const state = await harness.run(planOf(steps, { until: 'build/b/tests' }), { maxParallel: 1 });
    expect(state.runEnded?.status).toBe('passed');
    expect(firstPromptLines(harness)).toEqual(['plan build', 'tests a', 'impl a', 'tests b']);
    const next = await rerun(
      harness,
      planOf(steps),
      { runAgent: createAgent(['a', 'b', 'c']) },
      { maxParallel: 1 },
    );
    expect(firstPromptLines(next.harness)).toEqual(['impl b', 'tests c', 'impl c', 'do last']);
    expect([...next.harness.files.keys()].sort()).toEqual(['a.txt', 'b.txt', 'c.txt']);
  });

  it('all run once more if the gates of their group fail', async () => {
    const harness = createEngineHarness({
      runAgent: (turn, files) => {
        const name = turn.prompt.trim().split('\n')[0] ?? '';
        files.set(name, `${files.get(name) ?? ''}x`);
        return {};
      },
      passesGate: (_gate, files) => files.get('do a') === 'xx',
    });
    const group = { ...parallelGroup('a', 'b'), gates: [bashGate('whole')], retry: [exitAfter(2)] };
    const state = await harness.run(planOf([group]));
    expect(state.runEnded?.status).toBe('passed');
    expect(Object.fromEntries(harness.files)).toEqual({ 'do a': 'xx', 'do b': 'xx' });
    expect(harness.calls.map(({ mode }) => mode)).toEqual(['start', 'start', 'resume', 'resume']);
    expect(harness.calls[2]?.prompt).toContain('whole says no');
  });

  it('start again from the start of their group in a round with `worktree: reset`', async () => {
    const harness = createEngineHarness({
      runAgent: (turn, files) => {
        const name = turn.prompt.trim().split('\n')[0] ?? '';
        files.set(name, `${files.get(name) ?? ''}x`);
        return {};
      },
      passesGate: () => false,
    });
    const retry = [retryAtAttempt(2, { worktree: 'reset' }), exitAfter(2)];
    await harness.run(
      planOf([agentStep('z'), { ...parallelGroup('a', 'b'), gates: [bashGate('whole')], retry }]),
    );
    expect(Object.fromEntries(harness.files)).toEqual({ 'do z': 'x', 'do a': 'x', 'do b': 'x' });
  });
});

const writesName: FakeAgent = (turn, files) => {
  const name = turn.prompt.trim().split('\n')[0] ?? '';
  files.set(name, 'x');
  return {};
};

/** All of them write the same file. One that sees the text of another adds to it. */
const clashing: FakeAgent = (turn, files) => {
  if (turn.prompt.startsWith('plan')) return { output: planOutput('a', 'b', 'c') };
  const name = /^impl (\w)/.exec(turn.prompt)?.[1];
  if (name === 'c') files.set('c.txt', 'c');
  else if (name !== undefined) files.set('shared.txt', `${files.get('shared.txt') ?? ''}${name}`);
  return {};
};

describe('parallel branches that conflict', () => {
  const steps = [agentStep('impl', { prompt: 'impl {task.name}' })];

  it('fail the step, with the files and both branches; in a re-run the later one adds to the earlier one', async () => {
    const workflow = planOf([parallelSplit('build', steps), agentStep('last')]);
    const harness = createEngineHarness({ runAgent: clashing });
    const state = await harness.run(workflow);
    expect(state.runEnded).toMatchObject({ status: 'failed', failedStep: 'build' });
    const message = state.steps.get('build')?.failure?.message;
    for (const part of ['build/a', 'build/b', 'shared.txt']) expect(message).toContain(part);

    const next = await rerun(harness, workflow, { runAgent: clashing });
    expect(next.reuse.dropped).toEqual([]);
    expect(firstPromptLines(next.harness)).toEqual(['impl b', 'do last']);
    expect(next.harness.calls[0]).toMatchObject({
      mode: 'resume',
      sessionId: harness.calls.find(({ prompt }) => prompt.startsWith('impl b'))?.sessionId,
    });
    expect(next.harness.calls[0]?.prompt).toContain('conflict with those of `build/a`');
    expect(Object.fromEntries(next.harness.files)).toEqual({ 'shared.txt': 'ab', 'c.txt': 'c' });
    expect(next.state.runEnded?.status).toBe('passed');
    expect(next.state.steps.get('build')?.conflict).toBeUndefined();
  });

  it('are resolved within the job if `retry` allows another round', async () => {
    const harness = createEngineHarness({ runAgent: clashing });
    const state = await harness.run(planOf([parallelSplit('build', steps, { retry: [exitAfter(2)] })]));
    expect(state.runEnded?.status).toBe('passed');
    expect(firstPromptLines(harness)).toEqual(['plan build', 'impl a', 'impl b', 'impl c', 'impl b']);
    expect(harness.files.get('shared.txt')).toBe('ab');
  });

  it('of a group behave the same', async () => {
    const group = groupStep(
      'g',
      ['a', 'b'].map((name) => agentStep(name, { prompt: `impl ${name}` })),
      { parallel: true },
    );
    const workflow = planOf([group, agentStep('last')]);
    const harness = createEngineHarness({ runAgent: clashing });
    expect((await harness.run(workflow)).runEnded).toMatchObject({ status: 'failed', failedStep: 'g' });
    const next = await rerun(harness, workflow, { runAgent: clashing });
    expect(firstPromptLines(next.harness)).toEqual(['impl b', 'do last']);
    expect(next.harness.files.get('shared.txt')).toBe('ab');
  });

  it('are resolved one after the other, also in a group with `worktree: reset` in every further round', async () => {
    const all = parallelSplit('build', [agentStep('impl', { prompt: 'impl {task.name}' })]);
    const retry = [retryAtAttempt(2, { worktree: 'reset' }), exitAfter(2)];
    const workflow = planOf([groupStep('g', [all], { retry }), agentStep('last')]);
    const runAgent: FakeAgent = (turn, files) =>
      clashing({ ...turn, prompt: turn.prompt.replace('impl c', 'impl d') }, files);
    const one = createEngineHarness({ runAgent });
    expect((await one.run(workflow)).runEnded).toMatchObject({ failedStep: 'g/build' });
    const two = await rerun(one, workflow, { runAgent });
    expect(firstPromptLines(two.harness)).toEqual(['impl b']);
    const three = await rerun(two.harness, workflow, { runAgent }, { jobAttempt: 3 });
    expect(firstPromptLines(three.harness)).toEqual(['impl c', 'do last']);
    expect(three.harness.files.get('shared.txt')).toBe('abd');
  });

  it('end the same with any prefix of the journal', async () => {
    const workflow = planOf([parallelSplit('build', steps, { retry: [exitAfter(2)] }), agentStep('last')]);
    await everyPrefix(workflow, { runAgent: clashing }, (harness) => {
      expect(harness.files.get('shared.txt')).toBe('ab');
      expect(harness.files.get('c.txt')).toBe('c');
    });
  });
});

async function everyPrefix(
  workflow: ReturnType<typeof planOf>,
  options: Parameters<typeof createEngineHarness>[0],
  check: (harness: EngineHarness) => void,
): Promise<void> {
  const whole = createEngineHarness(options);
  expect((await whole.run(workflow)).runEnded?.status).toBe('passed');
  for (let length = 0; length <= whole.events.length; length += 1) {
    const before = { ...whole, events: whole.events.slice(0, length) };
    const next = await rerun(before, workflow, { ...options, sessions: whole });
    expect(next.state.runEnded?.status, `prefix ${length}`).toBe('passed');
    expect(next.reuse.dropped, `prefix ${length}`).toEqual([]);
    const recorded = before.events.filter(({ type }) => type === 'agent-ended').length;
    expect(next.harness.calls.length, `prefix ${length}`).toBeLessThanOrEqual(whole.calls.length - recorded);
    check(next.harness);
  }
}

describe('any prefix of a journal with parallel branches leads to the same end', () => {
  it('of a parallel split', async () => {
    await everyPrefix(
      planOf([agentStep('first'), parallelSplit('build', eachSteps), agentStep('last')]),
      { runAgent: createAgent(['a', 'b', 'c']) },
      (harness) => expect([...harness.files.keys()].sort()).toEqual(['a.txt', 'b.txt', 'c.txt']),
    );
  });

  it('of a parallel split in a branch of a parallel group', async () => {
    const inner = parallelSplit('inner', eachSteps);
    await everyPrefix(
      planOf([
        groupStep('g', [groupStep('x', [inner, agentStep('after')]), splitStep('y', eachSteps)], {
          parallel: true,
        }),
        agentStep('last'),
      ]),
      {
        runAgent: (turn, files) =>
          turn.prompt.startsWith('plan y')
            ? { output: planOutput('c') }
            : createAgent(['a', 'b'])(turn, files),
      },
      (harness) => expect([...harness.files.keys()].sort()).toEqual(['a.txt', 'b.txt', 'c.txt']),
    );
  });

  it('of a parallel group whose own gates fail at first', async () => {
    const group = groupStep('g', [agentStep('a'), agentStep('b')], {
      parallel: true,
      gates: [bashGate('whole')],
      retry: [exitAfter(2)],
    });
    await everyPrefix(
      planOf([group, agentStep('last')]),
      {
        runAgent: (turn, files) => {
          const name = turn.prompt.trim().split('\n')[0] ?? '';
          files.set(name, `${files.get(name) ?? ''}x`);
          return {};
        },
        passesGate: (_gate, files) => (files.get('do a') ?? '').length >= 2,
      },
      (harness) => expect((harness.files.get('do a') ?? '').length).toBeGreaterThanOrEqual(2),
    );
  });
});
