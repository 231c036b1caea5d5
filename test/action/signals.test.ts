/** A cancelled or killed job stores its state and leaves no process and no session file behind. */
import { spawn } from 'node:child_process';
import { glob, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { claudeProjectFolder } from '../../src/providers/claude.js';
import { identifyProcess } from '../../src/system/process-identity.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import type { Machine } from '../rig/machine.js';
import type { AgentAction } from '../rig/stand-in.js';
import { createHarness } from './harness.js';

const flow = `
name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: write it
    gate: [bash: 'test -f made.txt']
`;

const stubborn: readonly AgentAction[] = [
  { write: 'half.txt', content: 'half' },
  { spawn: "trap '' TERM INT; while :; do sleep 1; done" },
  { spawn: "(trap '' TERM INT HUP; sleep 600) & wait", hold: true },
  { say: 'now hanging' },
  { hang: true, ignore: ['SIGTERM', 'SIGINT'] },
];
/** Polls, because a process that waits for an ended process needs a moment to end as well. */
const expectNoProcesses = (machine: Machine) =>
  expect.poll(() => machine.processes(), { timeout: 5000 }).toEqual([]);

const writeActions: readonly AgentAction[] = [{ write: 'made.txt', content: 'made' }];

describe('a job that ends while an agent is running', () => {
  it.each(['cancel', 'kill'] as const)(
    'by %s leaves no process, and the re-run resumes the session',
    async (how) => {
      const harness = await createHarness({ code: 'dist', workflow: flow });
      const { main, post } = await harness.runJob({
        rules: [{ do: stubborn }],
        stop: { when: { log: 'now hanging' }, how },
        inspect: expectNoProcesses,
      });
      if (how === 'cancel') {
        expect([main.exitCode, main.signal, main.isHeldOpen]).toEqual([1, undefined, false]);
        expect(main.outputs).toMatchObject({ status: 'waiting', 'failed-step': 'impl', persisted: 'true' });
        expect(main.errors).toEqual([
          expect.stringMatching(/^Step `impl` was interrupted. "Re-run failed jobs"/),
        ]);
      } else {
        expect(main.signal).toBe('SIGKILL');
        expect(post?.log).toMatch(/Stored checkpoint `gump-v2-/);
      }
      const rerun = await harness.runJob({ jobAttempt: 2, rules: [{ do: writeActions }] });
      expect(rerun.main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
      const [first, second] = await harness.calls();
      expect(second?.session).toEqual({ mode: 'resume', id: first?.session.id });
      expect(second?.prompt).toMatch(/interrupted/);
    },
  );
});

describe('a cancelled container job, in which no signal reaches main', () => {
  it('ends main in post, pays for no further attempt, and the re-run resumes the session', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow });
    const { post } = await harness.runJob({
      rules: [{ do: [{ write: 'half.txt', content: 'half' }, { say: 'now hanging' }, { hang: true }] }],
      stop: { when: { log: 'now hanging' }, how: 'detach' },
      inspect: expectNoProcesses,
    });
    expect(post?.log).toContain('The job ended while the run was still at work.');
    expect(await harness.calls()).toHaveLength(1);
    const rerun = await harness.runJob({ jobAttempt: 2, rules: [{ do: writeActions }] });
    expect(rerun.main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    const [first, second] = await harness.calls();
    expect(second?.session).toEqual({ mode: 'resume', id: first?.session.id });
  });

  it('never ends a process that took over the id of main, or that somebody else named', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow });
    const other = spawn('sleep', ['60']);
    cleanUpAfterTest(() => other.kill());
    const { post } = await harness.runJob({
      rules: [{ do: [{ say: 'now hanging' }, { hang: true }] }],
      stop: ({ temp }) => ({
        when: {
          async until(log) {
            if (!log.includes('now hanging')) return false;
            const named = JSON.stringify(identifyProcess(other.pid ?? 0));
            for await (const file of glob(join(temp, 'gump-*', 'main-process.json')))
              await writeFile(file, named);
            return true;
          },
        },
        how: 'kill',
      }),
    });
    expect(post?.exitCode).toBe(0);
    expect(other.exitCode ?? other.signalCode).toBeNull();
  });
});

describe('a cancelled job that cannot store its checkpoint', () => {
  it('keeps it sealed on disk, readable only by its owner, and post stores it', async () => {
    const harness = await createHarness({ code: 'dist', store: 'cache', workflow: flow });
    harness.cache.injectFault('create', { status: 400, times: 1 });
    const { main, post } = await harness.runJob({
      rules: [{ do: [{ say: 'now hanging' }, { hang: true }] }],
      stop: { when: { log: 'now hanging' }, how: 'cancel' },
      async inspect({ temp }) {
        const modes: number[] = [];
        for await (const file of glob(join(temp, 'gump-*', '*.sealed')))
          modes.push((await stat(file)).mode & 0o777);
        // The checkpoint, and the variables of main.
        expect(modes).toEqual([0o600, 0o600]);
      },
    });
    expect(main.outputs).toMatchObject({ status: 'waiting', persisted: 'false' });
    expect(post?.log).toMatch(/Stored checkpoint `gump-v2-/);
  });
});

describe('the session files in the home of the runner user', () => {
  const sessionFile = ({ home, workspace }: Machine, id: string) =>
    join(home, '.claude', 'projects', claudeProjectFolder(workspace), `${id}.jsonl`);
  const found = async ({ home }: Machine) =>
    (await readdir(join(home, '.claude', 'projects'), { recursive: true })).filter((name) =>
      name.endsWith('.jsonl'),
    );

  it('are removed by post, unless `keep-sessions` is set, and replaced files of the user are restored', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow });
    await harness.runJob({ inspect: async (machine) => expect(await found(machine)).toEqual([]) });
    const [first] = await harness.calls();
    const id = first?.session.id ?? '';
    const users = '{"of":"the user"}\n';
    await harness.runJob({
      jobAttempt: 2,
      async prepare(machine) {
        await mkdir(dirname(sessionFile(machine, id)), { recursive: true });
        await writeFile(sessionFile(machine, id), users);
      },
      async inspect(machine) {
        expect(await readFile(sessionFile(machine, id), 'utf8')).toBe(users);
        expect(await found(machine)).toHaveLength(1);
      },
    });
    await harness.runJob({
      jobAttempt: 3,
      rules: [{ do: writeActions }],
      inputs: { 'keep-sessions': 'true' },
      async inspect(machine) {
        expect(await readFile(sessionFile(machine, id), 'utf8')).toContain('"type":"user"');
      },
    });
    const earlier = (await harness.calls()).map((call) => call.earlier.length);
    expect(earlier).toEqual([0, 1, 2]);
  });

  it.each([{}, { ACTIONS_CACHE_MODE: 'read' }])(
    'are removed by post even if main was killed, with %o',
    async (env) => {
      const harness = await createHarness({ code: 'dist', workflow: flow });
      let agents: readonly string[] = [];
      await harness.runJob({
        env,
        rules: [{ do: [{ say: 'now hanging' }, { hang: true }] }],
        stop: (machine) => ({
          how: 'kill',
          when: {
            until: async () => {
              agents = await found(machine).catch(() => []);
              return agents.length > 0;
            },
          },
        }),
        inspect: async (machine) => expect(await found(machine)).toEqual([]),
      });
      expect(agents).toHaveLength(1);
    },
  );

  it('are replaced by the files of the user even if main failed while it restored sessions', async () => {
    const twoSteps = `name: flow
steps:
  - {name: one, type: code, agent: claude, prompt: one}
  - {name: two, type: code, agent: codex, prompt: two, gate: [{bash: "false"}]}
`;
    const harness = await createHarness({ code: 'dist', workflow: twoSteps });
    await harness.runJob();
    const id = (await harness.calls())[0]?.session.id ?? '';
    const { main } = await harness.runJob({
      jobAttempt: 2,
      async prepare(machine) {
        await mkdir(dirname(sessionFile(machine, id)), { recursive: true });
        await writeFile(sessionFile(machine, id), 'of the user');
        await rm(join(machine.home, '.codex'), { recursive: true, force: true });
        await writeFile(join(machine.home, '.codex'), 'no folder');
      },
      async inspect(machine) {
        expect(await readFile(sessionFile(machine, id), 'utf8')).toBe('of the user');
      },
    });
    expect(main.log).toContain('Internal error in gump-action');
  });
});

describe('a job that is cancelled while a gate is running', () => {
  it('ends in time, leaves no process, and reports no gate result', async () => {
    const gate = "(trap '' TERM INT; sleep 600) & trap '' TERM; echo gate hangs; while :; do sleep 1; done";
    const harness = await createHarness({
      code: 'dist',
      workflow: flow.replace("'test -f made.txt'", JSON.stringify(gate)),
    });
    const { main } = await harness.runJob({
      rules: [{ do: writeActions }],
      stop: { when: { log: 'gate hangs' }, how: 'cancel' },
      inspect: expectNoProcesses,
    });
    expect([main.exitCode, main.signal]).toEqual([1, undefined]);
    expect(main.outputs).toMatchObject({ status: 'waiting', 'failed-step': 'impl', persisted: 'true' });
    expect(main.log).not.toMatch(/gate bash_0: failed|Withheld/);
  });
});

describe('a main that ends before it starts the run', () => {
  it.each(['cancel', 'kill'] as const)('by %s is not run by post', async (how) => {
    const harness = await createHarness({ code: 'dist', workflow: flow });
    const { post } = await harness.runJob({ stop: { when: { log: 'gump-action:' }, how } });
    expect(await harness.calls()).toEqual([]);
    expect(post?.exitCode).toBe(0);
    expect(post?.masked.trim()).toBe('');
  });
});

describe('an agent that deletes the Git repository', () => {
  it('fails the run with the error of the step', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow });
    const { main } = await harness.runJob({ rules: [{ do: [{ run: 'rm -rf .git' }] }] });
    expect([main.exitCode, main.errors.length, main.outputs.status]).toEqual([1, 1, 'failed']);
    expect(main.errors[0]).toMatch(
      /^Step `\w+` failed at attempt 1 \(guard\): .*`\.git` was removed or replaced/,
    );
    expect(main.summary).toContain(': failed at <code>');
    expect(main.report?.steps[0]?.attempts).toHaveLength(1);
    expect(main.outputs).toMatchObject({ 'failed-step': main.report?.steps[0]?.path, persisted: 'true' });
  });
});
