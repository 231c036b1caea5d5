import { describe, expect, it } from 'vitest';
import { createEngineHarness, type FakeAgent } from '../fakes/engine-harness.js';
import { agentStep, bashGate, exitAfter, planOf, retryAtAttempt } from '../fakes/plan.js';
import { firstPromptLines, rerun } from '../fakes/rerun.js';

const writePrompt: FakeAgent = (turn, files) => {
  files.set(`${(turn.prompt.split('\n')[0] ?? '').replaceAll(/\W/g, '-')}.txt`, 'x');
  return {};
};

describe('`agent: pass`', () => {
  it('runs no agent, only gates on the present files', async () => {
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

  it('gives the output of the gates to the agent of a retry entry', async () => {
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

  it('restores the files if a retry entry sets `worktree: reset`', async () => {
    const harness = createEngineHarness({ runAgent: writePrompt, passesGate: () => false });
    const retry = [retryAtAttempt(2, { agent: 'pass', worktree: 'reset' }), exitAfter(2)];
    await harness.run(planOf([agentStep('a', { gates: [bashGate('never')], retry })]));
    expect([...harness.files.keys()]).toEqual([]);
  });

  it('continues after a crash at any point', async () => {
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

  it('is a text for later steps', async () => {
    const harness = createEngineHarness({ runAgent: () => ({ output: 'line 1\n{spec}' }) });
    await harness.run(planOf([step, agentStep('last', { prompt: '<{text.output}>' })], { spec: 'S' }));
    expect(harness.calls[0]?.prompt).toContain('.gump/out/artifact.txt');
    expect(harness.calls[1]?.prompt).toContain('<line 1\n{spec}>');
  });

  it('must be present, and may be empty', async () => {
    const results = [{}, { output: '' }];
    const harness = createEngineHarness({ runAgent: () => results.shift() ?? {} });
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
    // The check of the workflow file warns that this has no effect.
    [{ type: 'artifact' as const, guard: { noWrite: false } }, true],
    [{}, false],
  ])('%j undoes changes: %s', async (overrides, isUndone) => {
    const harness = createEngineHarness({
      runAgent: (_turn, files) => {
        files.set('x.txt', 'x');
        return { output: 'text' };
      },
    });
    const state = await harness.run(planOf([agentStep('a', overrides)]));
    expect(harness.files.has('x.txt')).toBe(!isUndone);
    expect(state.steps.get('a')?.attempts[0]?.failure?.kind).toBe(isUndone ? 'guard' : undefined);
  });

  it('requests only the permission to read if the step may not write', async () => {
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

  it('`none`: the agent works in an empty directory, which contains its answer', async () => {
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

  it('adds files and the output of commands to the prompt, in order and unchanged', async () => {
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

  it('fails without an agent and without a retry if a file is missing', async () => {
    const harness = createEngineHarness({ runAgent: writesNotes });
    const state = await harness.run(
      planOf([agentStep('a', { context: [file('gone.md')], retry: [exitAfter(3)] })]),
    );
    expect(harness.calls).toEqual([]);
    expect(state.steps.get('a')?.attempts).toHaveLength(1);
    expect(state.steps.get('a')?.attempts[0]?.failure?.message).toContain('gone.md');
  });

  it('starts fresh in a re-run, without a note about an earlier failure', async () => {
    const plan = planOf([agentStep('a', { context: [file('notes.md')] })]);
    const harness = createEngineHarness({ runAgent: writesNotes });
    await harness.run(plan);
    const next = createEngineHarness({ runAgent: writesNotes, previous: harness });
    next.files.set('notes.md', 'here now');
    const state = await next.run(plan, { jobAttempt: 2 });
    expect(state.runEnded?.status).toBe('passed');
    expect(next.calls[0]?.mode).toBe('start');
    expect(next.calls[0]?.prompt).not.toContain('at this task failed');
    expect(next.warnings).toEqual([]);
  });

  it('fails without an agent and without a retry if a command fails', async () => {
    const harness = createEngineHarness({ runAgent: writesNotes, contextOutput: () => '!ended with 3' });
    const state = await harness.run(
      planOf([agentStep('a', { context: [command('false')], retry: [exitAfter(3)] })]),
    );
    expect(harness.calls).toEqual([]);
    expect(state.steps.get('a')?.attempts.map(({ failure }) => failure)).toEqual([
      {
        kind: 'crash',
        message:
          '`context`: the command `false` ended with 3. Correct the command, or set `optional: true` in the entry.',
        isFinal: true,
      },
    ]);
  });

  it('leaves out an optional command or file that is unavailable, with a warning', async () => {
    const harness = createEngineHarness({ runAgent: writesNotes, contextOutput: () => '!ended with 3' });
    const context = [command('false'), file('gone.md')].map(
      (entry) => ({ ...entry, optional: true }) as const,
    );
    const state = await harness.run(planOf([agentStep('a', { context })]));
    expect(state.runEnded?.status).toBe('passed');
    expect(harness.calls[0]?.prompt).toBe('do a\n');
    expect(harness.warnings).toEqual([
      'Step `a`: the prompt lacks an optional entry of `context`: the command `false` ended with 3.',
      'Step `a`: the prompt lacks an optional entry of `context`: the file `gone.md` is missing or cannot be read.',
    ]);
  });
});
