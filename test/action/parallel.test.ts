/** Parallel tasks: limits, failures, conflicts and cancelled or killed jobs. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { AgentAction, AgentRule } from '../rig/stand-in.js';
import { attemptLines } from './attempt-lines.js';
import { createHarness } from './harness.js';

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

const planning = (tasks: readonly string[]): AgentRule => ({
  prompt: 'Plan it',
  do: [
    {
      write: '.gump/out/plan.json',
      content: JSON.stringify(tasks.map((name) => ({ name, description: `do ${name}` }))),
    },
  ],
});

const flow = (more = '') =>
  `name: parallel
steps:
  - name: build
    type: split
    parallel: true
    max_parallel: 3
    agent: claude-haiku
    prompt: Plan it
    each:
      - name: impl
        type: code
        agent: claude-haiku
        prompt: "Do task {task.name}."
        gate: [{ bash: 'test -f {name}' }]
${more}`.replace("'test -f {name}'", "'! test -e broken'");

let outside: string | undefined;

afterEach(async () => {
  if (outside !== undefined) await rm(outside, { recursive: true, force: true });
  outside = undefined;
});

async function freshFolder(): Promise<string> {
  outside = await mkdtemp(join(tmpdir(), 'gump-outside-'));
  return outside;
}

/** The maximum number of agents that ran at once, from lines of `+` and `-`. */
function maxConcurrent(log: string): number {
  let now = 0;
  return Math.max(
    ...log
      .trim()
      .split('\n')
      .map((line) => {
        now += line === '+' ? 1 : -1;
        return now;
      }),
  );
}

describe('eight tasks with `max_parallel: 3`', () => {
  it('run at most three at once; if one fails, seven pass, and a re-run runs only the failed one', async () => {
    const log = join(await freshFolder(), 'log');
    const harness = await createHarness({
      code: 'dist',
      workflow: flow(),
      files: { 'shared.txt': 'one\ntwo\n' },
    });
    const taskRule = (name: string, last: AgentAction): AgentRule => ({
      prompt: `Do task ${name}.`,
      do: [
        { run: `echo + >> ${log}` },
        { sleep: 300 },
        { write: `${name}.txt`, content: name },
        last,
        { run: `echo - >> ${log}` },
      ],
    });
    const passing = names.map((name) => taskRule(name, { say: 'done' }));
    const { main } = await harness.runJob({
      rules: [planning(names), taskRule('c', { write: 'broken', content: '' }), ...passing],
    });
    expect(main.outputs).toMatchObject({
      status: 'failed',
      'failed-step': 'build/c/impl',
      persisted: 'true',
    });
    expect(maxConcurrent(await readFile(log, 'utf8'))).toBeLessThanOrEqual(3);
    const passed = main.report?.steps.filter((step) => step.status === 'passed').map((step) => step.path);
    expect(passed).toEqual(names.filter((name) => name !== 'c').map((name) => `build/${name}/impl`));
    // The plan is complete, although one task failed.
    expect(main.outputs.tasks).toBe(JSON.stringify(names));

    let files: readonly string[] = [];
    const rerun = await harness.runJob({
      jobAttempt: 2,
      rules: [{ prompt: 'Attempt 1 at this task', do: [{ delete: 'broken' }] }],
      async inspect({ workspace }) {
        files = await Promise.all(names.map((name) => readFile(join(workspace, `${name}.txt`), 'utf8')));
      },
    });
    expect(rerun.main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(files).toEqual(names);
    const calls = await harness.calls();
    expect(calls).toHaveLength(10);
    const [first, last] = [calls.find((call) => call.prompt.includes('Do task c.')), calls.at(-1)];
    expect(last?.session).toEqual({ mode: 'resume', id: first?.session.id });
    // Only the part below the runner's temporary directory, which differs between machines.
    const relative = (cwd: string | undefined) => cwd?.split('/_temp/')[1];
    expect(relative(last?.cwd)).toBe(relative(first?.cwd));
    expect(new Set(calls.slice(1, 9).map((call) => call.cwd)).size).toBe(8);
    expect(attemptLines(rerun.main.report).filter((line) => line.includes('/c/'))).toEqual([
      'build/c/impl#1@1 new declared-new failed:gate',
      'build/c/impl#2@2 resumed continued passed',
    ]);
  });
});

describe('two tasks that change the same lines', () => {
  it('are reported with the file and both names; a re-run resumes the later one with the changes of the other', async () => {
    const harness = await createHarness({ workflow: flow(), files: { 'shared.txt': 'one\ntwo\n' } });
    const writes = (name: string): AgentRule => ({
      prompt: `Do task ${name}.`,
      do: [{ write: 'shared.txt', content: `one of ${name}\ntwo\n` }],
    });
    const { main } = await harness.runJob({ rules: [planning(['a', 'b']), writes('a'), writes('b')] });
    expect(main.outputs).toMatchObject({ status: 'failed', 'failed-step': 'build' });
    expect(main.errors).toEqual([expect.stringMatching(/`build\/a` and `build\/b`.*shared\.txt/)]);
    expect(main.errors[0]).toMatch(
      / reuses the result of 1 step and continues parallel branch `build\/b`\.$/,
    );
    const rerun = await harness.runJob({
      jobAttempt: 2,
      rules: [
        {
          prompt: 'conflict with those of',
          do: [{ run: 'cat shared.txt > seen.txt; echo three >> shared.txt' }],
        },
      ],
      async inspect({ workspace }) {
        expect(await readFile(join(workspace, 'seen.txt'), 'utf8')).toBe('one of a\ntwo\n');
        expect(await readFile(join(workspace, 'shared.txt'), 'utf8')).toBe('one of a\ntwo\nthree\n');
      },
    });
    expect(rerun.main.outputs).toMatchObject({ status: 'passed' });
    const reused = rerun.main.report?.steps.filter(({ takenOver }) => takenOver).map(({ path }) => path);
    expect(reused).toEqual(['build/a/impl']);
    const calls = await harness.calls();
    expect(calls).toHaveLength(4);
    expect(calls[3]?.session).toEqual({
      mode: 'resume',
      id: calls.find((call) => call.prompt.includes('task b.'))?.session.id,
    });
  });
});

describe('a job that ends while two tasks are running', () => {
  it.each(['cancel', 'kill'] as const)('by %s resumes both sessions in a re-run', async (how) => {
    const folder = await freshFolder();
    const harness = await createHarness({ code: 'dist', workflow: flow() });
    const hangs = (name: string, other: string): AgentRule => ({
      prompt: `Do task ${name}.`,
      do: [
        { write: `${name}.txt`, content: name },
        { run: `touch ${folder}/${name}` },
        { waitFor: `${folder}/${other}` },
        { say: `now ${name} hangs` },
        { hang: true },
      ],
    });
    const { main } = await harness.runJob({
      rules: [planning(['a', 'b']), hangs('a', 'b'), hangs('b', 'a')],
      stop: { when: { log: /now a hangs[\s\S]*now b hangs|now b hangs[\s\S]*now a hangs/ }, how },
      inspect: async (machine) => {
        await expect.poll(() => machine.processes(), { timeout: 5000 }).toEqual([]);
      },
    });
    if (how === 'cancel') expect(main.outputs).toMatchObject({ status: 'waiting', persisted: 'true' });
    const rerun = await harness.runJob({
      jobAttempt: 2,
      rules: names.slice(0, 2).map((name) => ({
        prompt: `Do task ${name}.`,
        do: [{ write: `${name}.txt`, content: `${name} done` }],
      })),
      async inspect({ workspace }) {
        expect(await readFile(join(workspace, 'a.txt'), 'utf8')).toBe('a done');
        expect(await readFile(join(workspace, 'b.txt'), 'utf8')).toBe('b done');
      },
    });
    expect(rerun.main.errors).toEqual([]);
    expect(rerun.main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    const calls = await harness.calls();
    expect(calls).toHaveLength(5);
    for (const name of ['a', 'b']) {
      const [before, after] = calls.filter((call) => call.prompt.includes(`Do task ${name}.`));
      expect(after?.session).toEqual({ mode: 'resume', id: before?.session.id });
      expect(after?.prompt).toMatch(/interrupted/);
      expect(after?.earlier).toHaveLength(1);
    }
  });
});

describe('`worktree-setup`', () => {
  it('prepares each fresh worktree, runs again after a restore, and belongs to no step', async () => {
    const folder = await freshFolder();
    const harness = await createHarness({ workflow: flow(), files: { '.gitignore': 'deps\n' } });
    const inputs = {
      'worktree-setup': `mkdir -p deps && echo set up > made-by-setup && echo $PWD >> ${folder}/log`,
    };
    const task = (name: string, act: AgentAction): AgentRule => ({
      prompt: `Do task ${name}.`,
      do: [{ run: `ls -d deps > ${name}.txt` }, act],
    });
    const first = await harness.runJob({
      inputs,
      rules: [planning(['a', 'b']), task('a', { say: 'ok' }), task('b', { write: 'broken', content: '' })],
    });
    expect(first.main.outputs.status).toBe('failed');
    const rerun = await harness.runJob({
      jobAttempt: 2,
      inputs,
      rules: [{ prompt: 'Attempt 1 at this task', do: [{ delete: 'broken' }] }],
      async inspect({ workspace }) {
        expect(await readFile(join(workspace, 'a.txt'), 'utf8')).toBe('deps\n');
      },
    });
    expect(rerun.main.outputs.status).toBe('passed');
    const patch = await readFile(join(folder, 'log'), 'utf8');
    expect(patch.trim().split('\n')).toHaveLength(4);
    expect(rerun.main.report?.steps.flatMap((step) => step.attempts.flatMap((one) => one.gates))).not.toEqual(
      [],
    );
  });

  it('fails the step with its output, and starts no agent of the parallel branch', async () => {
    const harness = await createHarness({ workflow: flow() });
    const { main } = await harness.runJob({
      inputs: { 'worktree-setup': 'echo no network >&2; exit 7' },
      rules: [planning(['a'])],
    });
    expect(main.outputs).toMatchObject({ status: 'failed', 'failed-step': 'build' });
    expect(main.errors).toEqual([expect.stringMatching(/worktree-setup.*exit code 7.*no network/)]);
    expect(await harness.calls()).toHaveLength(1);
  });
});
