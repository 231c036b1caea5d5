/** S10, cut off: whatever ends a job in the middle, the re-run goes on with the same attempt. */
import { describe, expect, it } from 'vitest';
import { writeFiles } from '../rig/files.js';
import type { Machine } from '../rig/machine.js';
import { journalOf, openScene } from './scene.js';
import { bodies, story, talk } from './story.js';

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

/** Work of which a part is done, and then nothing comes any more. */
const halfway = {
  prompt: 'Implement',
  do: [
    { write: 'first.txt', content: 'one\n' },
    { run: 'mkdir -p node_modules cache && touch node_modules/x cache/y' },
    { say: 'halfway there' },
    { hang: true },
  ],
} as const;

const second = { prompt: 'Implement', do: [{ write: 'second.txt', content: 'two\n' }] } as const;

describe('a cut-off attempt goes on', () => {
  it.each(['claude-haiku', 'codex'])('after a cancellation (%s)', async (agent) => {
    const scene = await openScene({ workflow: flow(agent), files });
    const cut = await scene.attempt({ rules: [halfway], stop: { how: 'cancel', when: { log: 'halfway' } } });
    expect(cut.main.exitCode).toBe(1);
    expect(cut.main.outputs).toMatchObject({
      status: 'cancelled',
      'failed-step': 'impl',
      persisted: 'true',
    });
    expect(cut.main.summary).toContain('**impl** was cut off in attempt 1.');
    const { main } = await scene.attempt({
      attempt: 2,
      rules: [second],
    });
    expect(story(main.report)).toEqual([
      'tests#1@1 new declared-new passed',
      'impl#1@1 resumed from cancelled:cancelled',
      'impl#1@2 resumed continued passed',
    ]);
    const calls = await scene.calls();
    expect(talk(calls).at(-1)).toBe(`${calls[0]?.provider} resume a after 2`);
    expect(bodies(calls.at(-1)?.earlier ?? [])).toEqual(['Tests.', 'Implement 1.']);
    expect(bodies([calls.at(-1)?.prompt ?? ''])).toEqual(['Implement 1.']);
    expect(calls.at(-1)?.prompt).toContain('You were interrupted');
    expect(calls.at(-1)?.prompt).toContain('These were there before and are not now: cache, node_modules.');
    const [before, after] = main.report?.steps[1]?.attempts ?? [];
    expect(before?.usage?.inputTokens).toBeGreaterThanOrEqual(200);
    expect(after?.usage?.inputTokens).toBe(200);
    expect(main.report?.totals.inputTokens).toBe(
      100 + (before?.usage?.inputTokens ?? 0) + (after?.usage?.inputTokens ?? 0),
    );
    expect(main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(main.warnings).toEqual([]);
  });

  it('names only what is gone of the ignored folders', async () => {
    const scene = await openScene({ workflow: flow('claude-haiku'), files, store: 'directory' });
    await scene.attempt({ rules: [halfway], stop: { how: 'cancel', when: { log: 'halfway' } } });
    const { main } = await scene.attempt({
      attempt: 2,
      rules: [second],
      prepare: (machine) => writeFiles(machine.workspace, { 'node_modules/x': '' }),
    });
    expect(main.outputs.status).toBe('passed');
    expect((await scene.calls()).at(-1)?.prompt).toContain('not now: cache.');
  });

  it.each(['claude-haiku', 'codex'])(
    'after a kill of main: post stores what is known (%s)',
    async (agent) => {
      const scene = await openScene({ workflow: flow(agent), files });
      const cut = await scene.attempt({ rules: [halfway], stop: { how: 'kill', when: { log: 'halfway' } } });
      expect(cut.main.signal).toBe('SIGKILL');
      expect(cut.post?.exitCode).toBe(0);
      const { main } = await scene.attempt({
        attempt: 2,
        rules: [{ prompt: 'Implement', do: [{ write: 'first.txt' }, { write: 'second.txt' }] }],
      });
      expect(story(main.report)).toEqual([
        'tests#1@1 new declared-new passed',
        'impl#1@1 resumed from cancelled:cancelled',
        'impl#1@2 resumed continued passed',
      ]);
      // Codex notes in its session what it spent, so the part that nobody lived to count is not lost.
      if (agent === 'codex') expect(main.report?.totals.inputTokens).toBe(100 + 300 + 300);
      expect(talk(await scene.calls()).at(-1)).toMatch(/ resume a after 2$/);
      expect((await scene.calls()).at(-1)?.prompt).toContain('You were interrupted');
    },
  );

  it('after the runner shut down: what main could store within its seconds is there', async () => {
    const scene = await openScene({ workflow: flow('claude-haiku'), files });
    const cut = await scene.attempt({
      rules: [halfway],
      stop: { how: 'shutdown', when: { log: 'halfway' } },
    });
    expect(cut.post).toBeUndefined();
    const { main } = await scene.attempt({ attempt: 2, rules: [second] });
    expect(story(main.report).slice(1)).toEqual([
      'impl#1@1 resumed from cancelled:cancelled',
      'impl#1@2 resumed continued passed',
    ]);
  });

  it('after the machine was lost: from the last attempt that was stored, in the session as it was then', async () => {
    const scene = await openScene({ workflow: flow('codex'), files });
    const cut = await scene.attempt({
      rules: [{ ...halfway, call: 2 }],
      stop: { how: 'lose', when: { log: 'halfway' } },
    });
    expect(cut.post).toBeUndefined();
    const { main } = await scene.attempt({
      attempt: 2,
      rules: [{ prompt: 'Implement', do: [{ write: 'first.txt' }, { write: 'second.txt' }] }],
    });
    expect(story(main.report)).toEqual([
      'tests#1@1 new declared-new passed',
      'impl#1@1 resumed from failed:gate',
      'impl#2@2 resumed continued passed',
    ]);
    const calls = await scene.calls();
    expect(bodies(calls.at(-1)?.earlier ?? [])).toEqual(['Tests.', 'Implement 1.']);
    expect(bodies([calls.at(-1)?.prompt ?? ''])).toEqual(['Implement 2.']);
    expect(calls.at(-1)?.prompt).toContain('missing');
  });

  it('with its gates alone, where the agent was done', async () => {
    const workflow = `name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: Implement.
    gate: [{bash: "test -e first.txt && { test \\"$PHASE\\" = two || sleep 60; }"}]
`;
    const scene = await openScene({ workflow });
    const cut = await scene.attempt({
      rules: [{ do: [{ write: 'first.txt' }] }],
      stop: (machine) => ({
        how: 'cancel',
        when: { until: async () => (await journalOf(machine)).includes('"agent-ended"') },
      }),
    });
    expect(cut.main.outputs).toMatchObject({ status: 'cancelled', 'failed-step': 'impl' });
    expect(cut.main.log).toContain('gate bash_0: cut off');
    expect(cut.main.log).not.toContain('gate bash_0: failed');
    const { main } = await scene.attempt({ attempt: 2, env: { PHASE: 'two' } });
    expect(await scene.calls()).toHaveLength(1);
    expect(main.log).toContain('only its gates run');
    expect(main.outputs.status).toBe('passed');
    expect(story(main.report)).toEqual([
      'impl#1@1 new declared-new cancelled:cancelled',
      'impl#1@2 resumed continued passed',
    ]);
  });

  it('with its new words, where the step was changed in between', async () => {
    const scene = await openScene({
      workflow: `name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: "Implement {what} with {spec}."
    gate: [{bash: "test \\"$PHASE\\" = two || sleep 60"}]
`,
    });
    const cut = (event: string) => (machine: Machine) =>
      ({
        how: 'cancel',
        when: { until: async () => (await journalOf(machine)).includes(event) },
      }) as const;
    const inputs = { spec: 'mint' };
    await scene.attempt({ inputs: { ...inputs, vars: 'what: sums' }, stop: cut('"agent-ended"') });
    const { main } = await scene.attempt({
      attempt: 2,
      inputs: { ...inputs, vars: 'what: products' },
      env: { PHASE: 'two' },
    });
    expect(bodies((await scene.calls()).map((call) => call.prompt))).toEqual([
      'Implement sums with mint.',
      'Implement products with mint.',
    ]);
    expect(story(main.report)).toEqual([
      'impl#1@1 new declared-new cancelled:cancelled',
      'impl#1@2 resumed continued passed',
    ]);
  });
});
