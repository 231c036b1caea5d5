/** Workflows that call workflows, and the context of a step in addition to its prompt. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AgentAction, AgentRule } from '../rig/stand-in.js';
import { verdictRule } from './answer-rules.js';
import { attemptLines, callLines, promptBodies } from './attempt-lines.js';
import { createHarness } from './harness.js';

const reviewer = `name: review
steps:
  - name: look
    type: validate
    agent: claude-opus
    prompt: "Judge {spec} by {rule}: {diff}"
`;

const artifactActions = (text: string): readonly AgentAction[] => [
  { write: '.gump/out/artifact.txt', content: text },
];

const isPresent = async (workspace: string, path: string) =>
  readFile(join(workspace, path), 'utf8').then(
    () => true,
    () => false,
  );

describe('a step that calls a workflow', () => {
  const files = {
    '.gump/workflows/team/build.yaml': `name: build
steps:
  - name: think
    type: artifact
    agent: claude-haiku
    prompt: "Think about {topic}, {style}."
  - name: write
    type: code
    agent: claude-haiku
    session: from: think
    prompt: "Write down: {think.output}"
    gate: [{bash: "test -e note.txt"}]
`,
  };
  const workflow = `name: flow
steps:
  - name: pick
    type: artifact
    agent: claude-haiku
    prompt: Pick a topic.
  - name: build
    workflow: team/build
    with:
      topic: "{pick.output}"
      style: short
    gate: [{bash: "grep -q rivers note.txt"}]
    retry: [{exit: 2}]
  - name: report
    type: code
    agent: claude-haiku
    prompt: "It found {build.think.output} and is {build.status}; {build.write.files}."
`;

  it('passes the values of `with`, reads the results, and checks the gates of the calling step', async () => {
    const harness = await createHarness({ code: 'dist', workflow, files });
    const { main } = await harness.runJob({
      rules: [
        { prompt: 'Pick a topic.', do: artifactActions('rivers') },
        { prompt: 'Think about', do: artifactActions('{spec} rivers flow') },
        { prompt: 'Write down', call: 1, do: [{ write: 'note.txt', content: 'seas' }] },
        { prompt: 'Write down', do: [{ write: 'note.txt', content: 'rivers' }] },
      ],
    });
    expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
    const calls = await harness.calls();
    const prompts = promptBodies(calls.map(({ prompt }) => prompt));
    expect(prompts[1]).toMatch(/^Think about rivers, short\./);
    expect(prompts[2]).toMatch(/^Write down: \{spec\} rivers flow/);
    expect(prompts.at(-1)).toContain('It found {spec} rivers flow and is pass; note.txt.');
    expect(attemptLines(main.report)).toEqual([
      'pick#1@1 new declared-new passed',
      'build#1@1 gates failed:gate',
      'build#2@1 gates passed',
      'build/think#1@1 new declared-new passed',
      'build/think#2@1 resumed kept-on-retry passed',
      'build/write#1@1 resumed from passed',
      'build/write#2@1 resumed kept-on-retry passed',
      'report#1@1 new declared-new passed',
    ]);
    expect(main.warnings).toEqual([]);
  });

  it('continues at the failed step of the called workflow in a re-run', async () => {
    const harness = await createHarness({ workflow, files });
    const rules: readonly AgentRule[] = [
      { prompt: 'Pick a topic.', do: artifactActions('rivers') },
      { prompt: 'Think about', do: artifactActions('they flow') },
    ];
    const failed = await harness.runJob({ rules });
    expect(failed.main.outputs).toMatchObject({ status: 'failed', 'failed-step': 'build/write' });
    const { main } = await harness.runJob({
      jobAttempt: 2,
      rules: [{ prompt: 'Write down', do: [{ write: 'note.txt', content: 'rivers' }] }, ...rules],
    });
    expect(main.outputs, main.log).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(attemptLines(main.report)).toEqual([
      'pick#1@1 new declared-new passed',
      'build#1@1 gates failed:gate',
      'build#2@1 gates failed:gate',
      'build#3@2 gates passed',
      'build/think#1@1 new declared-new passed',
      'build/write#1@1 resumed from failed:gate',
      'build/write#2@1 resumed kept-on-retry failed:gate',
      'build/write#3@2 resumed continued passed',
      'report#1@2 new declared-new passed',
    ]);
    const calls = await harness.calls();
    // All four calls use the session that the step `think` started.
    expect(new Set(calls.slice(1, 5).map(({ session }) => session.id)).size).toBe(1);
    expect(calls[4]?.earlier).toHaveLength(3);
  });
});

describe('a reviewer in another file', () => {
  const files = { '.gump/validators/strict-review.yaml': reviewer };
  const workflow = `name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: Implement.
    gate:
      - bash: "! grep -q wrong code.txt"
      - validate: validators/strict-review
        rule: our rules
    retry: [{exit: 3}]
`;
  const writes = (content: string, call: number): AgentRule => ({
    prompt: 'Implement',
    call,
    do: [{ write: 'code.txt', content: `${content}\n` }],
  });

  it('as a gate gets the spec and the change, and its comments are in the next prompt', async () => {
    const harness = await createHarness({ code: 'dist', workflow, files });
    const { main } = await harness.runJob({
      inputs: { spec: 'the {spec} text' },
      rules: [
        writes('first', 1),
        verdictRule('Judge', false, 'name it {better}', 1),
        writes('second', 2),
        verdictRule('Judge', true, 'good, but {mind} it'),
      ],
    });
    expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
    const calls = await harness.calls();
    expect(calls[1]?.prompt).toMatch(/^Judge the \{spec\} text by our rules: diff --git/);
    expect(calls[1]?.prompt).toContain('+first');
    expect(calls[2]?.prompt).toContain('gate review:\nname it {better}');
    expect(calls[3]?.prompt).toContain('+second');
    expect(calls[3]?.prompt).not.toContain('first');
    expect(callLines(calls)).toEqual([
      'claude start a after 0',
      'claude start b after 0',
      'claude resume a after 1',
      'claude start c after 0',
    ]);
    expect(main.report?.steps[0]?.attempts[1]?.gates).toEqual([
      expect.objectContaining({ name: 'bash_0', status: 'passed' }),
      expect.objectContaining({ name: 'review', status: 'passed' }),
    ]);
    const rows = main.summary.split('\n').filter((line) => line.startsWith('| '));
    const steps = rows.slice(rows.findIndex((line) => line.startsWith('| Step')) + 2);
    expect(steps.map((line) => line.split(' | ')[0]?.replace(/^.*(?:;|↳ )/, ''))).toEqual([
      'impl',
      'gate:review:1/look',
      'gate:review:2/look',
      '| **Total**',
    ]);
    // The comments on an accepted change are shown in the log only.
    expect(main.log).toMatch(/✓ impl\/gate:review:2\/look, .*\n {2}remarks: good, but \{mind\} it\n/);
    expect(main.warnings).toEqual([]);
  });

  it('resumes its session after a cancelled job, without a new call of the agent', async () => {
    const harness = await createHarness({ code: 'dist', workflow, files });
    const hangs: AgentRule = { prompt: 'Judge', do: [{ say: 'now hanging' }, { hang: true }] };
    const { main } = await harness.runJob({
      rules: [writes('first', 1), hangs],
      stop: { when: { log: 'now hanging' }, how: 'cancel' },
    });
    expect(main.outputs).toMatchObject({ status: 'waiting', persisted: 'true' });
    const rerun = await harness.runJob({ jobAttempt: 2, rules: [verdictRule('Judge', true, 'good')] });
    expect(rerun.main.outputs, rerun.main.log).toMatchObject({ status: 'passed', resumed: 'true' });
    const calls = await harness.calls();
    expect(callLines(calls)).toEqual([
      'claude start a after 0',
      'claude start b after 0',
      'claude resume b after 1',
    ]);
    expect(calls[2]?.prompt).toContain('interrupted');
    expect(attemptLines(rerun.main.report)).toEqual([
      'impl#1@1 new declared-new cancelled:cancelled',
      'impl#1@2 resumed continued passed',
      'impl/gate:review:1#1@1 gates cancelled:cancelled',
      'impl/gate:review:1#1@2 gates passed',
      'impl/gate:review:1/look#1@1 new declared-new cancelled:cancelled',
      'impl/gate:review:1/look#1@2 resumed continued passed',
    ]);
  });

  it('as the condition of a retry entry decides whether the entry applies', async () => {
    const harness = await createHarness({
      workflow: `name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: Implement.
    gate: [{bash: "grep -q done code.txt"}]
    retry:
      - validate: validators/strict-review
        with: {rule: hopelessness}
        agent: claude-opus
        worktree: reset
        prompt: "Start over: {error}"
      - exit: 3
`,
      files,
    });
    const { main } = await harness.runJob({
      inputs: { spec: 'S' },
      rules: [
        writes('first', 1),
        verdictRule('Judge', false, 'not hopeless', 1),
        writes('second', 2),
        verdictRule('Judge', true, 'hopeless'),
        { prompt: 'Start over', do: [{ run: 'test ! -e code.txt && echo done > code.txt' }] },
      ],
    });
    expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
    const calls = await harness.calls();
    expect(calls.map(({ model }) => model)).toEqual(['haiku', 'opus', 'haiku', 'opus', 'opus']);
    expect(calls[1]?.prompt).toMatch(/^Judge S by hopelessness: diff --git/);
    expect(calls[1]?.prompt).toContain('+first');
    expect(calls[4]?.prompt).toMatch(/^Start over: gate bash_0:/);
    expect(calls[4]?.session.mode).toBe('start');
  });
});

describe('workflows that call each other', () => {
  it('cause an error that names both files, before anything runs', async () => {
    const calling = (name: string, path: string) => `name: ${name}
steps:
  - name: work
    type: code
    agent: claude-haiku
    prompt: Work.
  - name: next
    workflow: ${path}
`;
    const harness = await createHarness({
      workflow: calling('flow', 'other'),
      files: { '.gump/workflows/other.yaml': calling('other', 'flow') },
    });
    const { main } = await harness.runJob();
    expect(main.outputs.status).toBe('failed');
    expect(main.exitCode).toBe(1);
    const reported = main.errors.join('\n');
    expect(reported).toContain('.gump/workflows/flow.yaml');
    expect(reported).toContain('.gump/workflows/other.yaml');
    expect(await harness.calls()).toEqual([]);
  });
});

describe('the prompt and context of an agent', () => {
  it('come from a called workflow, from files, from commands, and from a prompt file', async () => {
    const harness = await createHarness({
      workflow: `name: flow
steps:
  - name: impl
    type: code
    get:
      workflow: team/survey
      about: "{spec}"
      prompt: {file: prompts/impl.md}
      context:
        - file: docs/rules.md
        - bash: "echo made of $((40 + 2)); exit 0"
        - {bash: "echo why >&2; exit 3", optional: true}
    run:
      agent: claude-haiku
`,
      files: {
        '.gump/workflows/prompts/impl.md': 'Implement {spec} after {survey.output}.\n',
        'docs/rules.md': 'RULE: {never} shout.\n',
        '.gump/workflows/team/survey.yaml': `name: survey
steps:
  - name: look
    type: artifact
    agent: claude-opus
    prompt: "Look for {about}."
`,
      },
    });
    const { main } = await harness.runJob({
      inputs: { spec: 'sums' },
      rules: [{ prompt: 'Look for sums.', do: artifactActions('what {was} seen') }],
    });
    expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
    const prompt = (await harness.calls())[1]?.prompt ?? '';
    expect(prompt).toMatch(/^Implement sums after what \{was\} seen\./);
    expect(prompt).toContain('RULE: {never} shout.');
    expect(prompt).toContain('made of 42');
    expect(main.warnings).toEqual([expect.stringContaining('ended with exit code 3: why.')]);
  });

  it('fail the step before an agent starts if a file of `context` is missing', async () => {
    const harness = await createHarness({
      workflow: `name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    context: [{file: docs/none.md}]
    prompt: Implement.
    retry: [{exit: 3}]
`,
    });
    const { main } = await harness.runJob();
    expect(main.outputs).toMatchObject({ status: 'failed', 'failed-step': 'impl' });
    expect(main.errors).toEqual([expect.stringContaining('docs/none.md')]);
    expect(await harness.calls()).toEqual([]);
  });

  it('fail the step before an agent starts if a command of `context` fails', async () => {
    const harness = await createHarness({
      workflow: `name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    context: [{bash: "echo first; echo 'broken pipe' >&2; exit 4"}]
    prompt: Implement.
    retry: [{exit: 3}]
`,
    });
    const { main } = await harness.runJob();
    expect(main.outputs).toMatchObject({ status: 'failed', 'failed-step': 'impl' });
    expect(main.errors).toEqual([
      expect.stringContaining(
        'ended with exit code 4: broken pipe. Correct the command, or set `optional: true`',
      ),
    ]);
    expect(await harness.calls()).toEqual([]);
  });

  it('fail the step before an agent starts if the prompt is empty', async () => {
    const harness = await createHarness({
      workflow: `name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: "{spec}"
    retry: [{exit: 3}]
`,
    });
    const { main } = await harness.runJob();
    expect(main.outputs).toMatchObject({ status: 'failed', 'failed-step': 'impl' });
    expect(main.errors).toEqual([expect.stringMatching(/The prompt is empty, so no agent was started/)]);
    expect(await harness.calls()).toEqual([]);
  });

  it('can contain the output of an artifact step, which must not change files', async () => {
    const harness = await createHarness({
      workflow: `name: flow
steps:
  - name: think
    type: artifact
    agent: qwen-coder
    prompt: Think.
    retry: [{exit: 2}]
  - name: impl
    type: code
    agent: claude-haiku
    prompt: "Do {think.output}!"
`,
    });
    let hasStray: boolean | undefined;
    const { main } = await harness.runJob({
      rules: [
        { prompt: 'Think', call: 1, do: [...artifactActions('one'), { write: 'stray.txt' }] },
        { prompt: 'Think', do: artifactActions('two\nlines') },
      ],
      async inspect({ workspace }) {
        hasStray = await isPresent(workspace, 'stray.txt');
      },
    });
    expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
    expect(attemptLines(main.report)).toEqual([
      'think#1@1 new declared-new failed:guard',
      'think#2@1 resumed kept-on-retry passed',
      'impl#1@1 new declared-new passed',
    ]);
    expect(hasStray).toBe(false);
    expect(promptBodies([(await harness.calls())[2]?.prompt ?? ''])).toEqual(['Do two\nlines!']);
  });
});

describe('a step without an agent or worktree', () => {
  it('with `agent: pass` runs only its gates, and a retry entry can set an agent', async () => {
    const harness = await createHarness({
      workflow: `name: flow
steps:
  - name: check
    type: code
    agent: pass
    gate: [{bash: "test -e fixed.txt"}]
    retry:
      - attempt: 2
        agent: claude-haiku
        prompt: "Fix: {error}"
      - exit: 2
`,
    });
    const { main } = await harness.runJob({ rules: [{ prompt: 'Fix', do: [{ write: 'fixed.txt' }] }] });
    expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
    expect((await harness.calls()).map(({ prompt }) => prompt.split('\n')[0])).toEqual(['Fix: gate bash_0:']);
    expect(main.warnings).toEqual([]);
  });

  it('with `worktree: none` runs outside the checkout, and its answer is read', async () => {
    const harness = await createHarness({
      workflow: `name: flow
steps:
  - name: judge
    type: validate
    worktree: none
    agent: claude-haiku
    prompt: Judge.
  - name: impl
    type: code
    agent: claude-haiku
    prompt: "It is {judge.output}: {judge.comments}"
`,
    });
    let workspace = '';
    const { main } = await harness.runJob({
      rules: [
        {
          prompt: 'Judge',
          do: [
            { run: 'ls -A > stray.txt' },
            { write: '.gump/out/validate.json', content: '{"pass":true,"comments":"fine"}' },
          ],
        },
      ],
      inspect: async (machine) => {
        workspace = machine.workspace;
        expect(await isPresent(workspace, 'stray.txt')).toBe(false);
      },
    });
    expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
    const calls = await harness.calls();
    expect(calls[0]?.cwd).not.toBe(workspace);
    expect(calls[1]?.cwd).toBe(workspace);
    expect(promptBodies([calls[1]?.prompt ?? ''])).toEqual(['It is true: fine']);
  });
});
