import { describe, expect, it } from 'vitest';
import { createEngineHarness, type FakeAgent } from '../fakes/engine-harness.js';
import { agentStep, bashGate, exitAfter, planOf, retryAtAttempt } from '../fakes/plan.js';
import { firstPromptLines, rerun } from '../fakes/rerun.js';

const writePrompt: FakeAgent = (turn, files) => {
  files.set(`${(turn.prompt.split('\n')[0] ?? '').replaceAll(/\W/g, '-')}.txt`, 'x');
  return {};
};

describe('`agent: pass`', () => {
  it('runs no agent: the gates judge what is there', async () => {
    const harness = createEngineHarness({
      runAgent: writePrompt,
      passesGate: (_gate, files) => files.has('do-a.txt'),
    });
    const state = await harness.run(
      planOf([agentStep('a'), agentStep('check', { agent: 'pass', gates: [bashGate('there')] })]),
    );
    expect(firstPromptLines(harness)).toEqual(['do a']);
    expect(state.steps.get('check')?.attempts).toMatchObject([
      { agent: 'pass', status: 'passed', files: [] },
    ]);
  });

  it('leaves the work to an agent that a retry entry names, told what the gates said', async () => {
    const harness = createEngineHarness({
      runAgent: writePrompt,
      passesGate: (_gate, files) => files.size > 0,
    });
    const retry = [retryAtAttempt(2, { agent: 'claude-opus' }), exitAfter(3)];
    const state = await harness.run(
      planOf([agentStep('a', { agent: 'pass', gates: [bashGate('there')], retry })]),
    );
    expect(harness.calls.map(({ agent, mode }) => `${agent} ${mode}`)).toEqual(['claude-opus start']);
    expect(harness.calls[0]?.prompt).toContain('there says no');
    expect(harness.warnings).toEqual([]);
    expect(state.runEnded?.status).toBe('passed');
  });

  it('gives the first real agent the session that the step declares', async () => {
    const harness = createEngineHarness({
      runAgent: writePrompt,
      passesGate: (_gate, files) => files.has('do-b.txt'),
    });
    const b = agentStep('b', {
      agent: 'pass',
      session: { mode: 'from', step: 'a' },
      gates: [bashGate('there')],
      retry: [retryAtAttempt(2, { agent: 'claude-haiku' }), exitAfter(2)],
    });
    await harness.run(planOf([agentStep('a'), b]));
    expect(harness.calls[1]).toMatchObject({ mode: 'resume', sessionId: harness.calls[0]?.sessionId });
  });

  it('has the files put back where a retry entry asks for it', async () => {
    const harness = createEngineHarness({ runAgent: writePrompt, passesGate: () => false });
    const retry = [retryAtAttempt(2, { agent: 'pass', worktree: 'reset' }), exitAfter(2)];
    await harness.run(planOf([agentStep('a', { gates: [bashGate('never')], retry })]));
    expect([...harness.files.keys()]).toEqual([]);
  });

  it('is gone on from after a crash at any point', async () => {
    const plan = planOf([
      agentStep('a'),
      agentStep('b', {
        agent: 'pass',
        gates: [bashGate('there')],
        retry: [retryAtAttempt(2, { agent: 'claude-opus' }), exitAfter(2)],
      }),
    ]);
    const gate = (_gate: unknown, files: ReadonlyMap<string, string>) => files.has('do-b.txt');
    const whole = createEngineHarness({ runAgent: writePrompt, passesGate: gate });
    await whole.run(plan);
    for (let length = 0; length <= whole.events.length; length += 1) {
      const before = { ...whole, events: whole.events.slice(0, length) };
      const next = await rerun(before, plan, { runAgent: writePrompt, passesGate: gate, sessions: whole });
      expect(next.state.runEnded?.status, `prefix ${length}`).toBe('passed');
    }
  });
});

describe('an artifact', () => {
  const step = agentStep('text', { type: 'artifact' });

  it('is a text that later steps read', async () => {
    const harness = createEngineHarness({ runAgent: () => ({ output: 'line 1\n{spec}' }) });
    await harness.run(planOf([step, agentStep('last', { prompt: '<{text.output}>' })], { spec: 'S' }));
    expect(harness.calls[0]?.prompt).toContain('.gump/out/artifact.txt');
    expect(harness.calls[1]?.prompt).toContain('<line 1\n{spec}>');
  });

  it('must be there, and may be empty', async () => {
    const said = [{}, { output: '' }];
    const harness = createEngineHarness({ runAgent: () => said.shift() ?? {} });
    const state = await harness.run(planOf([{ ...step, retry: [exitAfter(2)] }]));
    expect(state.steps.get('text')?.attempts.map(({ failure, status }) => failure?.kind ?? status)).toEqual([
      'output',
      'passed',
    ]);
  });

  it('changes no file', async () => {
    const harness = createEngineHarness({
      runAgent: (_turn, files) => {
        files.set('sneaky.txt', 'x');
        return { output: 'text' };
      },
    });
    const state = await harness.run(planOf([step]));
    expect(state.steps.get('text')?.attempts[0]?.failure).toMatchObject({ kind: 'guard' });
    expect(harness.files.size).toBe(0);
  });
});

describe('`worktree` and `guard: no_write`', () => {
  it.each([
    [{ worktree: 'read-only' as const }, true],
    [{ guard: { noWrite: true } }, true],
    // The check of the workflow warns that this has no effect.
    [{ type: 'artifact' as const, guard: { noWrite: false } }, true],
    [{}, false],
  ])('%j: undoes what is written: %s', async (reported, isUndone) => {
    const harness = createEngineHarness({
      runAgent: (_turn, files) => {
        files.set('x.txt', 'x');
        return { output: 'text' };
      },
    });
    const state = await harness.run(planOf([agentStep('a', reported)]));
    expect(harness.files.has('x.txt')).toBe(!isUndone);
    expect(state.steps.get('a')?.attempts[0]?.failure?.kind).toBe(isUndone ? 'guard' : undefined);
  });

  it('asks for no more than reading where nothing may be written', async () => {
    const requested: string[] = [];
    const harness = createEngineHarness({
      runAgent: (turn) => {
        requested.push(turn.permission);
        return {};
      },
    });
    await harness.run(planOf([agentStep('a', { worktree: 'read-only' }), agentStep('b')]));
    expect(requested).toEqual(['read-only', 'workspace']);
  });

  it('`none`: the agent works in an empty directory, and its answer is read from there', async () => {
    const seen: string[] = [];
    const harness = createEngineHarness({
      runAgent: (turn, files) => {
        if (turn.prompt.startsWith('do first')) return writePrompt(turn, files);
        seen.push(`${turn.directory}: ${[...files.keys()].join()}`);
        files.set('stray.txt', 'x');
        return { output: 'text' };
      },
    });
    const step = agentStep('a', { type: 'artifact', worktree: 'none' });
    const last = agentStep('first2', { prompt: '{a.output}' });
    const state = await harness.run(planOf([agentStep('first'), step, last]));
    expect(seen[0]).toBe('/bare/a: ');
    expect(state.steps.get('a')?.attempts[0]).toMatchObject({
      status: 'passed',
      isBare: true,
      changed: false,
    });
    expect(firstPromptLines(harness).at(-1)).toBe('text');
    expect([...harness.files.keys()]).not.toContain('/bare/a');
  });
});

describe('`context`', () => {
  const file = (path: string) => ({ type: 'file', path }) as const;
  const command = (text: string) => ({ type: 'bash', command: text }) as const;
  const writesNotes: FakeAgent = (turn, files) => {
    if (turn.prompt.startsWith('do first')) files.set('notes/a.md', 'the {spec} notes');
    return {};
  };

  it('puts files and what commands print behind the prompt, in order and as they are', async () => {
    const harness = createEngineHarness({
      runAgent: writesNotes,
      contextOutput: (text) => `printed by ${text}`,
    });
    const context = [file('notes/{name}.md'), command('git {log}')];
    await harness.run(planOf([agentStep('first'), agentStep('a', { context })], { vars: { name: 'a' } }));
    const prompt = harness.calls[1]?.prompt ?? '';
    const places = ['do a', 'notes/a.md', 'the {spec} notes', 'git {log}', 'printed by git {log}'].map(
      (part) => prompt.indexOf(part),
    );
    expect(places).toEqual(places.toSorted((one, other) => one - other));
    expect(places).not.toContain(-1);
  });

  it('stops before the agent where a file is not there, and tries no further', async () => {
    const harness = createEngineHarness({ runAgent: writesNotes });
    const state = await harness.run(
      planOf([agentStep('a', { context: [file('gone.md')], retry: [exitAfter(3)] })]),
    );
    expect(harness.calls).toEqual([]);
    expect(state.steps.get('a')?.attempts).toHaveLength(1);
    expect(state.steps.get('a')?.attempts[0]?.failure?.message).toContain('gone.md');
  });

  it('lets a re-run try again, with nothing said of an earlier failure of the agent', async () => {
    const plan = planOf([agentStep('a', { context: [file('notes.md')] })]);
    const harness = createEngineHarness({ runAgent: writesNotes });
    await harness.run(plan);
    const next = createEngineHarness({ runAgent: writesNotes, previous: harness });
    next.files.set('notes.md', 'here now');
    const state = await next.run(plan, { jobAttempt: 2 });
    expect(state.runEnded?.status).toBe('passed');
    expect(next.calls[0]?.mode).toBe('start');
    expect(next.calls[0]?.prompt).not.toContain('did not pass');
    expect(next.warnings).toEqual([]);
  });

  it('goes on without a command that fails, and says so', async () => {
    const harness = createEngineHarness({ runAgent: writesNotes, contextOutput: () => '!ended with 3' });
    const state = await harness.run(planOf([agentStep('a', { context: [command('false')] })]));
    expect(state.runEnded?.status).toBe('passed');
    expect(harness.calls[0]?.prompt).not.toContain('false');
    expect(harness.warnings.join()).toContain('`false`, which ended with 3');
  });
});
