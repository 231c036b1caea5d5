/** Each point of the public guide on sessions, on which this project is based, in all spellings. */
import { describe, expect, it } from 'vitest';
import { attemptLines, callLines, promptBodies, sessionIdsOf } from './attempt-lines.js';
import { createHarness } from './harness.js';

const review = {
  prompt: 'Review',
  do: [{ write: '.gump/out/validate.json', content: '{"pass": true, "comments": "fine"}' }],
} as const;

describe('the session guide', () => {
  it('resumes the session of a named step in every spelling, and starts reviewers in a new session', async () => {
    const harness = await createHarness({
      workflow: `name: seed
steps:
  - name: tests
    type: code
    run:
      agent: claude-haiku
    get:
      prompt: "Write tests for: {spec}"

  - name: impl
    type: code
    run:
      agent: claude-haiku
    get:
      session: from: tests
      prompt: "Implement code to pass the tests."

  - name: review
    type: validate
    run:
      agent: claude-haiku
    get:
      session: new
      prompt: Review it.

  - name: nested
    type: code
    agent: claude-haiku
    session:
      from: tests
    prompt: Nested mapping.

  - name: flow
    type: code
    agent: claude-haiku
    session: {from: tests}
    prompt: Flow mapping.

  - name: quoted
    type: code
    agent: claude-haiku
    session: "from: impl"
    prompt: Quoted.

  - name: unset
    type: code
    agent: claude-haiku
    prompt: No session key.
`,
    });
    const { main } = await harness.runJob({ inputs: { spec: 'sums' }, rules: [review] });
    expect(main.errors).toEqual([]);
    expect(attemptLines(main.report)).toEqual([
      'tests#1@1 new declared-new passed',
      'impl#1@1 resumed from passed',
      'review#1@1 new declared-new passed',
      'nested#1@1 resumed from passed',
      'flow#1@1 resumed from passed',
      'quoted#1@1 resumed from passed',
      'unset#1@1 new declared-new passed',
    ]);
    const calls = await harness.calls();
    expect(callLines(calls)).toEqual([
      'claude start a after 0',
      'claude resume a after 1',
      'claude start b after 0',
      'claude resume a after 2',
      'claude resume a after 3',
      'claude resume a after 4',
      'claude start c after 0',
    ]);
    expect(promptBodies(calls[5]?.earlier ?? [])).toEqual([
      'Write tests for: sums',
      'Implement code to pass the tests.',
      'Nested mapping.',
      'Flow mapping.',
    ]);
    expect(main.warnings).toEqual([]);
  });

  it('starts a new session, with a warning, if the named step has another agent or did not run', async () => {
    const harness = await createHarness({
      workflow: `name: seed
steps:
  - name: tests
    type: code
    agent: claude-haiku
    prompt: Tests.
  - name: gates
    gate: [{bash: "true"}]
  - name: opus
    type: code
    agent: claude-opus
    session: from: tests
    prompt: Another agent.
  - name: codex
    type: code
    agent: codex
    session: from: tests
    prompt: Another provider.
  - name: after-codex
    type: code
    agent: codex
    session: from: codex
    prompt: The same again.
  - name: after-gates
    type: code
    agent: claude-haiku
    session: from: gates
    prompt: After gates.
  - name: early
    type: code
    agent: claude-haiku
    session: from: late
    prompt: Before its time.
  - name: late
    type: code
    agent: claude-haiku
    prompt: Late.
`,
    });
    const { main } = await harness.runJob();
    expect(attemptLines(main.report)).toEqual([
      'tests#1@1 new declared-new passed',
      'gates#1@1 gates passed',
      'opus#1@1 new from-other-agent passed',
      'codex#1@1 new from-other-agent passed',
      'after-codex#1@1 resumed from passed',
      'after-gates#1@1 new from-target-not-run passed',
      'early#1@1 new from-target-not-run passed',
      'late#1@1 new declared-new passed',
    ]);
    expect(callLines(await harness.calls())).toEqual([
      'claude start a after 0',
      'claude start b after 0',
      'codex start c after 0',
      'codex resume c after 1',
      'claude start d after 0',
      'claude start e after 0',
      'claude start f after 0',
    ]);
    for (const step of ['opus', 'codex', 'after-gates', 'early'])
      expect(
        main.warnings.filter((text) => text.startsWith(`Step \`${step}\`, attempt 1: new session`)),
      ).toHaveLength(1);
  });

  it('resumes a session with another model, but not with another provider, if `session-match: provider` is set', async () => {
    const harness = await createHarness({
      workflow: `name: seed
session-match: provider
steps:
  - name: tests
    type: code
    agent: claude-haiku
    prompt: Tests.
  - name: opus
    type: code
    agent: claude-opus
    session: from: tests
    prompt: Another model.
  - name: codex
    type: code
    agent: codex
    session: from: tests
    prompt: Another provider.
`,
    });
    const { main } = await harness.runJob();
    expect(attemptLines(main.report)).toEqual([
      'tests#1@1 new declared-new passed',
      'opus#1@1 resumed from passed',
      'codex#1@1 new from-other-agent passed',
    ]);
    const { tests, opus } = sessionIdsOf(main.outputs);
    expect(opus).toBe(tests);
    expect((await harness.calls())[1]).toMatchObject({ model: 'opus', session: { mode: 'resume' } });
    expect(main.warnings).toHaveLength(1);
  });

  it('resumes the session on a retry, unless the agent changes or `session: new` is set', async () => {
    const harness = await createHarness({
      workflow: `name: seed
steps:
  - name: tests
    type: code
    agent: claude-haiku
    prompt: Tests.
  - name: impl
    type: code
    agent: claude-haiku
    prompt: Implement.
    gate: [{bash: "echo wants-six >&2; test \\"$(cat tries.txt)\\" = 6"}]
    retry:
      - attempt: 3
        session: new
      - attempt: 5
        agent: codex
      - exit: 6
`,
    });
    const tries = [1, 2, 3, 4, 5, 6].map((call) => ({
      prompt: 'Implement',
      call,
      do: [{ write: 'tries.txt', content: String(call) }],
    }));
    const { main } = await harness.runJob({ rules: tries });
    expect(attemptLines(main.report)).toEqual([
      'tests#1@1 new declared-new passed',
      'impl#1@1 new declared-new failed:gate',
      'impl#2@1 resumed kept-on-retry failed:gate',
      'impl#3@1 new override-new failed:gate',
      'impl#4@1 resumed kept-on-retry failed:gate',
      'impl#5@1 new agent-changed failed:gate',
      'impl#6@1 resumed kept-on-retry passed',
    ]);
    const calls = await harness.calls();
    expect(callLines(calls)).toEqual([
      'claude start a after 0',
      'claude start b after 0',
      'claude resume b after 1',
      'claude start c after 0',
      'claude resume c after 1',
      'codex start d after 0',
      'codex resume d after 1',
    ]);
    expect(calls[2]?.prompt).toContain('wants-six');
    expect(calls[2]?.prompt).toContain('+++ b/tries.txt');
    expect(main.warnings).toHaveLength(1);
    expect(main.warnings[0]).toContain('Step `impl`, attempt 5: new session: the agent changed from ');
  });

  it('resumes by session id with the flag of each provider, also in a re-run on another machine', async () => {
    const harness = await createHarness({
      code: 'dist',
      workflow: `name: seed
steps:
  - name: claude
    type: code
    agent: claude
    prompt: One.
  - name: codex
    type: code
    agent: codex
    prompt: Two.
  - name: claude-again
    type: code
    agent: claude
    session: from: claude
    prompt: Three.
  - name: codex-again
    type: code
    agent: codex
    session: from: codex
    prompt: Four.
    gate: [{bash: "test -e done.txt"}]
`,
    });
    await harness.runJob();
    const { main } = await harness.runJob({
      jobAttempt: 2,
      rules: [{ provider: 'codex', do: [{ write: 'done.txt' }] }],
    });
    expect(main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    const sessions = sessionIdsOf(main.outputs);
    const argv = (await harness.calls()).map((call) => call.argv.join(' '));
    expect(argv[0]).toContain(`--session-id ${sessions.claude}`);
    expect(argv[2]).toContain(`--resume ${sessions.claude}`);
    expect(argv[3]).toContain(`resume ${sessions.codex} -`);
    expect(argv[4]).toContain(`resume ${sessions.codex} -`);
    expect(argv.join(' ')).not.toMatch(/--continue|--last/);
    expect((await harness.calls())[4]?.earlier.map((text) => text.trim())).toEqual(['Two.', 'Four.']);
  });
});
