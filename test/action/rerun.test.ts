/** S10, interrupted attempts: however a job ends early, the re-run continues the same attempt. */
import { describe, expect, it } from 'vitest';
import { writeFiles } from '../rig/files.js';
import type { Machine } from '../rig/machine.js';
import { attemptLines, callLines, promptBodies } from './attempt-lines.js';
import { createHarness, readJournal } from './harness.js';

const flow = (agent: string) => `name: flow
steps:
  - name: tests
    type: code
    agent: ${agent}
    prompt: Tests.
  - name: impl
    type: code
    agent: ${agent}
    session: from: tests
    prompt: Implement {attempt}.
    gate: [{bash: "echo missing >&2; test -e first.txt && test -e second.txt"}]
    retry:
      - exit: 2
`;

const files = { '.gitignore': 'node_modules/\ncache/\n' };

/** Does a part of the work, and then hangs. */
const interruptedRule = {
  prompt: 'Implement',
  do: [
    { write: 'first.txt', content: 'one\n' },
    { run: 'mkdir -p node_modules cache && touch node_modules/x cache/y' },
    { say: 'halfway there' },
    { hang: true },
  ],
} as const;

const secondRule = { prompt: 'Implement', do: [{ write: 'second.txt', content: 'two\n' }] } as const;

describe('a re-run continues an interrupted attempt', () => {
  it.each(['claude-haiku', 'codex'])('after a cancelled job (%s)', async (agent) => {
    const harness = await createHarness({ code: 'dist', workflow: flow(agent), files });
    const interrupted = await harness.runJob({
      rules: [interruptedRule],
      stop: { how: 'cancel', when: { log: 'halfway' } },
    });
    expect(interrupted.main.exitCode).toBe(1);
    expect(interrupted.main.outputs).toMatchObject({
      status: 'waiting',
      'failed-step': 'impl',
      persisted: 'true',
    });
    expect(interrupted.main.summary).toContain('**impl** was interrupted in attempt 1.');
    const { main } = await harness.runJob({
      jobAttempt: 2,
      rules: [secondRule],
    });
    expect(attemptLines(main.report)).toEqual([
      'tests#1@1 new declared-new passed',
      'impl#1@1 resumed from cancelled:cancelled',
      'impl#1@2 resumed continued passed',
    ]);
    const calls = await harness.calls();
    expect(callLines(calls).at(-1)).toBe(`${calls[0]?.provider} resume a after 2`);
    expect(promptBodies(calls.at(-1)?.earlier ?? [])).toEqual(['Tests.', 'Implement 1.']);
    expect(promptBodies([calls.at(-1)?.prompt ?? ''])).toEqual(['Implement 1.']);
    expect(calls.at(-1)?.prompt).toContain('You were interrupted');
    expect(calls.at(-1)?.prompt).toContain('were present before and are missing now: cache, node_modules.');
    const [before, after] = main.report?.steps[1]?.attempts ?? [];
    expect(before?.usage?.inputTokens).toBeGreaterThanOrEqual(200);
    expect(after?.usage?.inputTokens).toBe(200);
    expect(main.report?.totals.inputTokens).toBe(
      100 + (before?.usage?.inputTokens ?? 0) + (after?.usage?.inputTokens ?? 0),
    );
    expect(main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(main.warnings).toEqual([]);
  });

  it('and names only the ignored folders that are missing', async () => {
    const harness = await createHarness({ workflow: flow('claude-haiku'), files, store: 'directory' });
    await harness.runJob({ rules: [interruptedRule], stop: { how: 'cancel', when: { log: 'halfway' } } });
    const { main } = await harness.runJob({
      jobAttempt: 2,
      rules: [secondRule],
      prepare: (machine) => writeFiles(machine.workspace, { 'node_modules/x': '' }),
    });
    expect(main.outputs.status).toBe('passed');
    expect((await harness.calls()).at(-1)?.prompt).toContain('missing now: cache.');
  });

  it.each(['claude-haiku', 'codex'])(
    'after main was killed and post stored the state (%s)',
    async (agent) => {
      const harness = await createHarness({ workflow: flow(agent), files });
      const interrupted = await harness.runJob({
        rules: [interruptedRule],
        stop: { how: 'kill', when: { log: 'halfway' } },
      });
      expect(interrupted.main.signal).toBe('SIGKILL');
      expect(interrupted.post?.exitCode).toBe(0);
      const { main } = await harness.runJob({
        jobAttempt: 2,
        rules: [{ prompt: 'Implement', do: [{ write: 'first.txt' }, { write: 'second.txt' }] }],
      });
      expect(attemptLines(main.report)).toEqual([
        'tests#1@1 new declared-new passed',
        'impl#1@1 resumed from cancelled:cancelled',
        'impl#1@2 resumed continued passed',
      ]);
      // Codex records its usage in the session file, so the usage of the killed turn is not lost.
      if (agent === 'codex') expect(main.report?.totals.inputTokens).toBe(100 + 300 + 300);
      expect(callLines(await harness.calls()).at(-1)).toMatch(/ resume a after 2$/);
      expect((await harness.calls()).at(-1)?.prompt).toContain('You were interrupted');
    },
  );

  it('after the runner shut down, from the state that main stored in time', async () => {
    const harness = await createHarness({ workflow: flow('claude-haiku'), files });
    const interrupted = await harness.runJob({
      rules: [interruptedRule],
      stop: { how: 'shutdown', when: { log: 'halfway' } },
    });
    expect(interrupted.post).toBeUndefined();
    const { main } = await harness.runJob({ jobAttempt: 2, rules: [secondRule] });
    expect(attemptLines(main.report).slice(1)).toEqual([
      'impl#1@1 resumed from cancelled:cancelled',
      'impl#1@2 resumed continued passed',
    ]);
  });

  it('after the machine was lost, from the last stored attempt and its session', async () => {
    const harness = await createHarness({ workflow: flow('codex'), files });
    const interrupted = await harness.runJob({
      rules: [{ ...interruptedRule, call: 2 }],
      stop: { how: 'lose', when: { log: 'halfway' } },
    });
    expect(interrupted.post).toBeUndefined();
    const { main } = await harness.runJob({
      jobAttempt: 2,
      rules: [{ prompt: 'Implement', do: [{ write: 'first.txt' }, { write: 'second.txt' }] }],
    });
    expect(attemptLines(main.report)).toEqual([
      'tests#1@1 new declared-new passed',
      'impl#1@1 resumed from failed:gate',
      'impl#2@2 resumed continued passed',
    ]);
    const calls = await harness.calls();
    expect(promptBodies(calls.at(-1)?.earlier ?? [])).toEqual(['Tests.', 'Implement 1.']);
    expect(promptBodies([calls.at(-1)?.prompt ?? ''])).toEqual(['Implement 2.']);
    expect(calls.at(-1)?.prompt).toContain('missing');
  });

  it('with only its gates if the agent had finished', async () => {
    const workflow = `name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: Implement.
    gate: [{bash: "test -e first.txt && { test \\"$PHASE\\" = two || sleep 60; }"}]
`;
    const harness = await createHarness({ workflow });
    const interrupted = await harness.runJob({
      rules: [{ do: [{ write: 'first.txt' }] }],
      stop: (machine) => ({
        how: 'cancel',
        when: { until: async () => (await readJournal(machine)).includes('"agent-ended"') },
      }),
    });
    expect(interrupted.main.outputs).toMatchObject({ status: 'waiting', 'failed-step': 'impl' });
    expect(interrupted.main.log).toContain('gate bash_0: interrupted');
    expect(interrupted.main.log).not.toContain('gate bash_0: failed');
    const { main } = await harness.runJob({ jobAttempt: 2, env: { PHASE: 'two' } });
    expect(await harness.calls()).toHaveLength(1);
    expect(main.log).toContain('Running only the gates of step');
    expect(main.outputs.status).toBe('passed');
    expect(attemptLines(main.report)).toEqual([
      'impl#1@1 new declared-new cancelled:cancelled',
      'impl#1@2 resumed continued passed',
    ]);
  });

  it('with the changed prompt if the step changed before the re-run', async () => {
    const harness = await createHarness({
      workflow: `name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: "Implement {what} with {spec}."
    gate: [{bash: "test \\"$PHASE\\" = two || sleep 60"}]
`,
    });
    const interrupted = (event: string) => (machine: Machine) =>
      ({
        how: 'cancel',
        when: { until: async () => (await readJournal(machine)).includes(event) },
      }) as const;
    const inputs = { 'state-name': 'flow', spec: 'mint' };
    await harness.runJob({ inputs: { ...inputs, vars: 'what: sums' }, stop: interrupted('"agent-ended"') });
    const { main } = await harness.runJob({
      jobAttempt: 2,
      inputs: { ...inputs, vars: 'what: products' },
      env: { PHASE: 'two' },
    });
    expect(promptBodies((await harness.calls()).map((call) => call.prompt))).toEqual([
      'Implement sums with mint.',
      'Implement products with mint.',
    ]);
    expect(attemptLines(main.report)).toEqual([
      'impl#1@1 new declared-new cancelled:cancelled',
      'impl#1@2 resumed continued passed',
    ]);
  });
});

describe('two calls of one reusable workflow in one run', () => {
  it('keep their sessions, files and cost apart, although their job and step have the same ids', async () => {
    const harness = await createHarness({
      workflow: `name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: "Implement {spec}."
    gate: [{bash: "test -e done.txt"}]
`,
    });
    const call = (spec: string, jobAttempt: number, rules: Parameters<typeof harness.runJob>[0] = {}) =>
      harness.runJob({ code: 'dist', jobAttempt, inputs: { spec }, ...rules });
    await call('alpha', 1);
    const beta = await call('beta', 1);
    expect(beta.main.outputs).toMatchObject({ resumed: 'false', turns: '1' });
    const done = { rules: [{ do: [{ write: 'done.txt' }] }] };
    const again = await call('alpha', 2, done);
    expect(again.main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    const [first, second, third] = await harness.calls();
    expect(second?.earlier).toEqual([]);
    expect(third?.session).toEqual({ mode: 'resume', id: first?.session.id });
  });
});
