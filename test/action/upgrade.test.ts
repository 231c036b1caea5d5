/**
 * A re-run with this version of the action restores the state of an earlier version. The states in
 * `test/fixtures/state-v1` were recorded by version 0.1.0 (commit 2d4dc8e). They must never be recorded again with a
 * newer version: if a test fails, a stored format has changed, and users would pay again for steps that passed.
 *
 * To add a scenario, record its state with an old checkout:
 * `GUMP_RECORD_STATE=/path/of/old/action npx vitest run test/action/upgrade.test.ts -t NAME`
 */
import { chmod, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { planRule, verdictRule } from './answer-rules.js';
import { attemptLines } from './attempt-lines.js';
import { createHarness, type RunJobOptions } from './harness.js';

interface Scenario {
  readonly workflow: string;
  readonly files?: Readonly<Record<string, string>>;
  /** Job attempt 1, with the old version. */
  readonly first: RunJobOptions;
  /** Job attempt 2, with this version. */
  readonly second: RunJobOptions;
  /** The attempts of job attempt 2. */
  readonly attempts: readonly string[];
  /** The calls of CLIs in job attempt 2. */
  readonly calls: readonly string[];
  /** Files in the workspace after job attempt 2. */
  readonly content: Readonly<Record<string, string>>;
}

const fixtures = fileURLToPath(new URL('../fixtures/state-v1', import.meta.url));
const oldAction = process.env.GUMP_RECORD_STATE;

const env = {
  // Too short to seal a state, so that the action creates a key file next to the state.
  ANTHROPIC_API_KEY: 'short',
  OPENAI_API_KEY: 'short',
  GEMINI_API_KEY: 'short',
};

const review = `name: review
steps:
  - name: look
    type: validate
    agent: claude-opus
    prompt: "Judge {spec}: {diff}"
`;

const all = `name: flow
max_budget: 5
steps:
  - name: pick
    type: artifact
    agent: claude-haiku
    prompt: "Pick a topic for {spec}, {style}."
  - name: build
    type: split
    agent: claude-opus
    prompt: "Plan it: {pick.output}"
    gate: [schema]
    each:
      - name: tests
        type: code
        agent: codex
        prompt: "Tests {task.name}: {task.description} {task.files}."
      - name: impl
        type: code
        agent: codex
        session: from: tests
        prompt: "Impl {task.name}."
        gate: [{touched: "*.txt"}]
        retry: [{exit: 2}]
  - name: both
    parallel: true
    steps:
      - name: left
        type: code
        agent: qwen
        prompt: Left.
      - name: right
        type: code
        agent: gemini
        prompt: Right.
        guard: {max_turns: 9}
  - name: called
    workflow: team/note
    with: {topic: "{pick.output}"}
    gate: [{bash: "test -e note.txt"}]
  - name: judged
    type: code
    agent: claude-haiku
    permissions: workspace
    prompt: Judged.
    gate:
      - untouched: "*.md"
      - validate: review
    retry: [{attempt: 2, prompt: "Once more: {error}"}, {exit: 2}]
  - name: last
    type: code
    agent: claude-haiku
    session: from: judged
    prompt: "Last: {both/left.files} {called.status}."
    context: [{file: README.md}]
    gate: [{bash: "echo missing >&2; test -e good.txt"}]
    retry: [{attempt: 2, prompt: "Last again: {error}"}, {exit: 2}]
`;

const writes = (prompt: string, file: string) =>
  ({ prompt, do: [{ write: file, content: `${file}\n` }] }) as const;

const scenarios: Readonly<Record<string, Scenario>> = {
  failed: {
    workflow: all,
    files: {
      '.gump/workflows/review.yaml': review,
      '.gump/workflows/team/note.yaml': `name: note
steps:
  - name: write
    type: code
    agent: opencode
    prompt: "Note {topic}."
`,
    },
    first: {
      inputs: { spec: 'sums', vars: 'style: short' },
      rules: [
        { prompt: 'Pick', do: [{ write: '.gump/out/artifact.txt', content: 'rivers' }] },
        planRule('Plan it', { name: 'a', files: ['a.txt'] }, { name: 'b' }),
        writes('Impl a', 'a.txt'),
        writes('Impl b', 'b.txt'),
        writes('Left', 'left.txt'),
        writes('Right', 'right.txt'),
        writes('Note rivers', 'note.txt'),
        writes('Judged', 'judged.txt'),
        verdictRule('Judge sums', false, 'Too short.', 1),
        verdictRule('Judge sums', true, 'Fine.'),
        writes('Last', 'bad.txt'),
      ],
    },
    second: {
      inputs: { spec: 'sums', vars: 'style: short' },
      rules: [writes('Last', 'good.txt')],
    },
    attempts: ['last#3@2 resumed continued passed'],
    calls: ['claude resume'],
    content: { 'a.txt': 'a.txt\n', 'right.txt': 'right.txt\n', 'good.txt': 'good.txt\n' },
  },
  conflict: {
    workflow: `name: flow
steps:
  - name: both
    parallel: true
    steps:
      - name: left
        type: code
        agent: claude-haiku
        prompt: Left.
      - name: right
        type: code
        agent: codex
        prompt: Right.
  - name: last
    type: code
    agent: claude-haiku
    prompt: Last.
`,
    files: { 'shared.txt': 'one\ntwo\n' },
    first: {
      rules: [
        { prompt: 'Left', do: [{ write: 'shared.txt', content: 'left\ntwo\n' }] },
        { prompt: 'Right', do: [{ write: 'shared.txt', content: 'right\ntwo\n' }] },
      ],
    },
    second: { rules: [{ prompt: 'Right', do: [{ run: 'echo three >> shared.txt' }] }] },
    attempts: [
      'both#2@2 gates passed',
      'both/right#2@2 resumed continued passed',
      'last#1@2 new declared-new passed',
    ],
    calls: ['codex resume', 'claude start'],
    content: { 'shared.txt': 'left\ntwo\nthree\n' },
  },
  paused: {
    workflow: `name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    hitl: before_gate
    prompt: Implement.
    gate: [{bash: "test -e good.txt"}]
`,
    first: { inputs: { 'state-name': 'shared' }, rules: [writes('Implement', 'good.txt')] },
    second: { inputs: { 'state-name': 'shared', approve: 'impl' } },
    attempts: ['impl#1@2 resumed continued passed'],
    calls: [],
    content: { 'good.txt': 'good.txt\n' },
  },
  cancelled: {
    workflow: `name: flow
steps:
  - name: tests
    type: code
    agent: opencode
    prompt: Tests.
  - name: impl
    type: code
    agent: opencode
    session: from: tests
    prompt: Implement.
    gate: [{bash: "test -e first.txt && test -e second.txt"}]
`,
    first: {
      rules: [
        { prompt: 'Implement', do: [{ write: 'first.txt' }, { say: 'halfway there' }, { hang: true }] },
      ],
      stop: { how: 'cancel', when: { log: 'halfway' } },
    },
    second: { rules: [writes('Implement', 'second.txt')] },
    attempts: ['impl#1@2 resumed continued passed'],
    calls: ['opencode resume'],
    content: { 'second.txt': 'second.txt\n' },
  },
};

it.each(Object.entries(scenarios))(
  '%s: a re-run restores the state of version 0.1.0',
  async (name, scenario) => {
    const harness = await createHarness({ store: 'directory', ...scenario });
    const job = { credentials: 'none', env } as const;
    if (oldAction !== undefined) {
      await harness.runJob({ ...job, ...scenario.first, actionDirectory: oldAction });
      await recordFixture(harness.stateDirectory, name);
    }
    await restoreFixture(name, harness.stateDirectory);
    const before = (await harness.calls()).length;
    const content: Record<string, string> = {};
    const { main } = await harness.runJob({
      ...job,
      ...scenario.second,
      jobAttempt: 2,
      async inspect({ workspace }) {
        for (const file of Object.keys(scenario.content))
          content[file] = await readFile(join(workspace, file), 'utf8');
      },
    });
    const calls = (await harness.calls()).slice(before);
    expect(main.outputs, main.log).toMatchObject({ status: 'passed', resumed: 'true', persisted: 'true' });
    expect(attemptLines(main.report).filter((line) => line.includes('@2 '))).toEqual(scenario.attempts);
    expect(calls.map(({ provider, session }) => `${provider} ${session.mode}`)).toEqual(scenario.calls);
    expect(content).toEqual(scenario.content);
    expect(main.warnings).toEqual([]);
  },
);

it.each([
  ['what job attempt 2 stored', undefined, ['last#5@3 resumed continued passed'], 0],
  [
    'the state of version 0.1.0, because what job attempt 2 stored is damaged',
    'it is not a checkpoint of this action',
    ['last#3@3 resumed continued passed'],
    1,
  ],
] as const)('job attempt 3 continues from %s', async (_, refusal, attempts, least) => {
  const { failed } = scenarios;
  if (failed === undefined) throw new Error('There is no such scenario.');
  const harness = await createHarness({ store: 'directory', ...failed });
  await restoreFixture('failed', harness.stateDirectory);
  const job = { credentials: 'none', env, ...failed.second } as const;
  const second = await harness.runJob({ ...job, jobAttempt: 2, rules: [] });
  expect(second.main.outputs, second.main.log).toMatchObject({ status: 'failed', persisted: 'true' });
  const stored = (await readdir(harness.stateDirectory)).filter((file) => file.startsWith('gump-v2-'));
  if (refusal !== undefined)
    for (const file of stored) await writeFile(join(harness.stateDirectory, file), 'damaged');
  const { main } = await harness.runJob({ ...job, jobAttempt: 3 });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed', resumed: 'true', persisted: 'true' });
  expect(attemptLines(main.report).filter((line) => line.includes('@3 '))).toEqual(attempts);
  expect(
    main.warnings.filter((text) => text.includes(`is not used: ${refusal}`)).length,
  ).toBeGreaterThanOrEqual(least);
});

it.each([
  [0, { resumed: 'true' }, []],
  [1, { resumed: 'false' }, [expect.stringMatching(/Version 0\.1\.0 .* set `fetch-depth: 0`/)]],
] as const)(
  'a re-run on another commit, with a checkout of depth %i, needs the former commit',
  async (depth, outputs, warnings) => {
    const { failed } = scenarios;
    if (failed === undefined) throw new Error('There is no such scenario.');
    const harness = await createHarness({ store: 'directory', ...failed });
    await restoreFixture('failed', harness.stateDirectory);
    const { main } = await harness.runJob({
      credentials: 'none',
      env,
      ...failed.second,
      jobAttempt: 2,
      checkout: { depth },
      changes: { 'unrelated.txt': 'x' },
    });
    expect(main.outputs, main.log).toMatchObject(outputs);
    expect(main.warnings.filter((warning) => warning.startsWith('Starting fresh'))).toEqual(warnings);
    if (depth === 0) {
      expect(main.log).toContain('Checking step `called` once more');
      expect(main.outputs.status, main.log).toBe('passed');
      expect(await harness.calls()).toHaveLength(failed.calls.length);
    }
  },
);

/** The key file and the newest checkpoint, which comes last by name. */
async function recordFixture(directory: string, name: string): Promise<void> {
  const files = await readdir(directory);
  const newest =
    files
      .filter((file) => file.startsWith('gump-v1-'))
      .sort()
      .at(-1) ?? '';
  await mkdir(join(fixtures, name), { recursive: true });
  for (const file of [newest, 'state.key']) await cp(join(directory, file), join(fixtures, name, file));
}

/** Git stores no modes: a key file that others can read is refused. */
async function restoreFixture(name: string, directory: string): Promise<void> {
  await cp(join(fixtures, name), directory, { recursive: true });
  for (const file of await readdir(directory, { recursive: true, withFileTypes: true }))
    if (file.isFile()) await chmod(join(file.parentPath, file.name), 0o600);
}
