/** S10, permanently failed steps: attempt numbers, retry entries and sessions continue in the next job attempt. */
import { describe, expect, it } from 'vitest';
import { attemptLines, callLines, promptBodies } from './attempt-lines.js';
import { createHarness } from './harness.js';

const sessionWarnings = (warnings: readonly string[]) => warnings.filter((text) => text.includes('session'));

describe('a permanently failed step continues in the next job attempt', () => {
  it('with its retry entries, over three job attempts', async () => {
    const harness = await createHarness({
      code: 'dist',
      workflow: `name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: Implement.
    gate: [{bash: "echo no-\\"$(cat tries.txt)\\"; test \\"$(cat tries.txt)\\" = 6"}]
    retry:
      - attempt: 2
        prompt: "Try {attempt}: {error}|{diff}|{prev.agent}"
      - attempt: 3
        agent: claude-opus
      - attempt: 5
        session: new
      - exit: 2
`,
    });
    const rules = [1, 2, 3, 4, 5, 6].map((call) => ({
      call,
      do: [{ write: 'tries.txt', content: `${call}\n` }],
    }));
    await harness.runJob({ rules });
    const second = await harness.runJob({ jobAttempt: 2, rules });
    expect(second.main.outputs).toMatchObject({ status: 'failed', 'failed-step': 'impl', resumed: 'true' });
    expect(second.main.errors[0]).toContain('Step `impl` failed at attempt 4 (gate)');
    const { main } = await harness.runJob({ jobAttempt: 3, rules });
    expect(attemptLines(main.report)).toEqual([
      'impl#1@1 new declared-new failed:gate',
      'impl#2@1 resumed kept-on-retry failed:gate',
      'impl#3@2 new agent-changed failed:gate',
      'impl#4@2 resumed kept-on-retry failed:gate',
      'impl#5@3 new override-new failed:gate',
      'impl#6@3 resumed kept-on-retry passed',
    ]);
    const calls = await harness.calls();
    expect(callLines(calls).map((line) => line.replace('claude ', ''))).toEqual([
      'start a after 0',
      'resume a after 1',
      'start b after 0',
      'resume b after 1',
      'start c after 0',
      'resume c after 1',
    ]);
    expect(calls.map((call) => call.model)).toEqual(['haiku', 'haiku', 'opus', 'opus', 'opus', 'opus']);
    const third = promptBodies([calls[2]?.prompt ?? ''])[0] ?? '';
    expect(third).toMatch(/^Try 3: gate bash_0:\nno-2\n/);
    expect(third).toContain('+2\n|claude-haiku');
    expect(sessionWarnings(second.main.warnings)).toHaveLength(1);
    expect(sessionWarnings(main.warnings)).toEqual([]);
    expect(main.warnings[0]).toContain('ends the step before attempt 3');
    expect(main.report?.totals).toMatchObject({ inputTokens: 1200, turns: 12 });
    expect(main.outputs).toMatchObject({ tokens: '1440', turns: '12', 'cost-usd': '0.012' });
  });

  it('in its last session, with the error of the previous attempt in the prompt', async () => {
    const harness = await createHarness({
      code: 'dist',
      store: 'directory',
      workflow: `name: flow
steps:
  - name: impl
    type: code
    agent: codex
    prompt: Implement.
    gate: [{bash: "echo first line; echo the-error >&2; test -e good.txt"}]
`,
    });
    await harness.runJob({ rules: [{ do: [{ write: 'bad.txt', content: 'bad\n' }] }] });
    const { main } = await harness.runJob({ jobAttempt: 2, rules: [{ do: [{ write: 'good.txt' }] }] });
    expect(attemptLines(main.report)).toEqual([
      'impl#1@1 new declared-new failed:gate',
      'impl#2@2 resumed continued passed',
    ]);
    const last = (await harness.calls()).at(-1);
    expect(last?.earlier.map((text) => text.trim())).toEqual(['Implement.']);
    expect(last?.prompt).toContain('Attempt 1 at this task failed');
    expect(last?.prompt).toContain('the-error');
    expect(last?.prompt).toContain('+++ b/bad.txt');
    expect(last?.prompt).not.toContain('interrupted');
    const [first, second] = main.report?.steps[0]?.attempts ?? [];
    expect([first?.usage, second?.usage]).toMatchObject([{ inputTokens: 200 }, { inputTokens: 200 }]);
  });

  it('in a new session if the context of the last one is full', async () => {
    const harness = await createHarness({
      workflow: `name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: Implement.
`,
    });
    const full = await harness.runJob({ rules: [{ do: [{ write: 'a.txt' }, { fail: 'context' }] }] });
    expect(full.main.report?.steps[0]?.attempts[0]?.failure?.kind).toBe('context');
    const { main } = await harness.runJob({ jobAttempt: 2 });
    expect(attemptLines(main.report)).toEqual([
      'impl#1@1 new declared-new failed:context',
      'impl#2@2 new context-full passed',
    ]);
    expect(main.warnings).toHaveLength(1);
    expect(main.warnings[0]).toContain('the context of the previous session is full');
    expect(callLines(await harness.calls()).at(-1)).toBe('claude start b after 0');
  });

  it('in a new session after two job attempts that changed no file', async () => {
    const harness = await createHarness({
      workflow: `name: flow
steps:
  - name: tests
    type: code
    agent: claude-haiku
    prompt: Tests.
  - name: impl
    type: code
    agent: claude-haiku
    session: from: tests
    prompt: Implement.
    gate: [{bash: "test -e good.txt"}]
`,
    });
    await harness.runJob();
    await harness.runJob({ jobAttempt: 2 });
    const { main } = await harness.runJob({ jobAttempt: 3, rules: [{ do: [{ write: 'good.txt' }] }] });
    expect(attemptLines(main.report).slice(1)).toEqual([
      'impl#1@1 resumed from failed:gate',
      'impl#2@2 resumed continued failed:gate',
      'impl#3@3 new no-progress passed',
    ]);
    expect(main.warnings.filter((text) => text.includes('without changing a file'))).toHaveLength(1);
  });

  it('with the same attempt if that is interrupted twice', async () => {
    const harness = await createHarness({
      workflow: `name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: Implement.
    gate: [{bash: "test -e good.txt"}]
    retry:
      - attempt: 2
        session: new
      - exit: 2
`,
    });
    const hang = { call: [2, 3], do: [{ say: 'halfway' }, { hang: true }] } as const;
    const stop = { how: 'cancel', when: { log: 'halfway' } } as const;
    await harness.runJob({ rules: [hang], stop });
    await harness.runJob({ jobAttempt: 2, rules: [hang], stop });
    const { main } = await harness.runJob({ jobAttempt: 3, rules: [{ do: [{ write: 'good.txt' }] }] });
    expect(attemptLines(main.report)).toEqual([
      'impl#1@1 new declared-new failed:gate',
      'impl#2@1 new override-new cancelled:cancelled',
      'impl#2@2 resumed continued cancelled:cancelled',
      'impl#2@3 resumed continued passed',
    ]);
    expect(callLines(await harness.calls())).toEqual([
      'claude start a after 0',
      'claude start b after 0',
      'claude resume b after 1',
      'claude resume b after 2',
    ]);
  });
});
