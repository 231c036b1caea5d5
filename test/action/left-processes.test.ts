/** Processes that agents, gates and other commands leave running: ended after each of them. Those of others are not. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasEnded, readProcess } from '../../src/system/process-table.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import { createHarness } from './harness.js';

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gump-left-'));
  cleanUpAfterTest(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A shell command that leaves a process which writes its id to the file, and waits for that. */
const leave = (file: string, launch = 'env -i /usr/bin/setsid') =>
  `${launch} sh -c 'echo $$ > ${file}; exec sleep 600' > /dev/null 2>&1 & while ! [ -s ${file} ]; do sleep 0.02; done`;

/** A gate that passes only if the process has ended. It may still be listed, as a zombie. */
const hasGone = (file: string) => `! grep -s ^State: /proc/$(cat ${file})/status | grep -qv '[ZX]'`;

async function isRunning(file: string): Promise<boolean> {
  const entry = readProcess(Number(await readFile(file, 'utf8')));
  return entry !== undefined && !hasEnded(entry);
}

async function killIn(file: string): Promise<void> {
  try {
    process.kill(Number(await readFile(file, 'utf8')), 'SIGKILL');
  } catch {
    // It has ended.
  }
}

describe.runIf(process.platform === 'linux')(
  'a process with an empty environment and its own session',
  () => {
    it('has ended before the next thing runs, whoever left it', async () => {
      const folder = await makeFolder();
      const [agent, gate, context] = ['agent', 'gate', 'context'].map((name) => join(folder, name));
      const workflow = `name: flow
steps:
  - name: one
    type: code
    agent: claude
    prompt: one
    gate: [{bash: ${JSON.stringify(hasGone(agent ?? ''))}}, {bash: ${JSON.stringify(leave(gate ?? ''))}}]
  - name: two
    type: code
    agent: claude
    prompt: two
    context: [{bash: ${JSON.stringify(`${hasGone(gate ?? '')} && ${leave(context ?? '')}`)}}]
    gate: [{bash: ${JSON.stringify(hasGone(context ?? ''))}}]
`;
      const harness = await createHarness({ code: 'dist', workflow });
      const { main } = await harness.runJob({
        rules: [{ prompt: 'one', do: [{ run: leave(agent ?? '') }] }],
      });
      expect(main.warnings).toEqual([]);
      expect(main.errors).toEqual([]);
      expect(main.outputs.status).toBe('passed');
    });

    it('is ended by `post` if `main` was killed', async () => {
      const left = join(await makeFolder(), 'left');
      const harness = await createHarness({
        code: 'dist',
        workflow: 'name: flow\nsteps:\n  - {name: one, type: code, agent: claude, prompt: one}\n',
      });
      await harness.runJob({
        rules: [{ do: [{ run: leave(left) }, { hang: true }] }],
        stop: { how: 'kill', when: { file: left } },
        async inspect() {
          expect(await isRunning(left)).toBe(false);
        },
      });
    });
  },
);

describe.runIf(process.platform === 'linux')('processes of others', () => {
  it('keep running: a daemon from before, and what another job left during the attempt', async () => {
    const folder = await makeFolder();
    const [before, during, trigger] = ['before', 'during', 'trigger'].map((name) => join(folder, name));
    const harness = await createHarness({
      code: 'dist',
      workflow:
        'name: flow\nsteps:\n  - {name: one, type: code, agent: claude, prompt: one, gate: [{bash: "true"}]}\n',
    });
    const { main } = await harness.runJob({
      rules: [{ do: [{ run: `touch ${trigger}` }, { waitFor: during ?? '' }] }],
      async prepare() {
        const script = `${leave(before ?? '', 'setsid')}; while ! [ -e ${trigger} ]; do sleep 0.02; done; ${leave(during ?? '')}`;
        spawn('sh', ['-c', script], { stdio: 'ignore', detached: true }).unref();
        cleanUpAfterTest(() => killIn(before ?? ''));
        cleanUpAfterTest(() => killIn(during ?? ''));
        await expect.poll(() => isRunning(before ?? '').catch(() => false)).toBe(true);
      },
      async inspect() {
        expect([await isRunning(before ?? ''), await isRunning(during ?? '')]).toEqual([true, true]);
      },
    });
    expect(main.outputs.status).toBe('passed');
  });

  it('keep running: what a parallel branch has started and still uses', async () => {
    const folder = await makeFolder();
    const [server, done] = [join(folder, 'server'), join(folder, 'done')];
    const workflow = `name: flow
steps:
  - name: both
    parallel: true
    steps:
      - {name: a, type: code, agent: claude, prompt: task a, gate: [{bash: "touch ${done}"}]}
      - {name: b, type: code, agent: claude, prompt: task b, gate: [{bash: "test -e used && ${hasGone(server)}"}]}
`;
    const harness = await createHarness({ workflow });
    const { main } = await harness.runJob({
      rules: [
        { prompt: 'task a', do: [{ waitFor: server }] },
        {
          prompt: 'task b',
          do: [
            { run: leave(server) },
            { waitFor: done },
            { sleep: 300 },
            { run: `kill -0 $(cat ${server}) && touch used` },
          ],
        },
      ],
    });
    expect(main.errors).toEqual([]);
    expect(main.outputs.status).toBe('passed');
  });
});

describe('another program that writes to the checkout', () => {
  it('between an agent and its gates fails the attempt, with the names of the files', async () => {
    const harness = await createHarness({
      code: 'dist',
      workflow:
        'name: flow\nsteps:\n  - {name: one, type: code, agent: claude, prompt: one, gate: [{bash: "true"}]}\n',
    });
    let end = () => true;
    const { main } = await harness.runJob({
      rules: [{ do: [{ write: 'start', content: '' }, { waitFor: 'late.txt' }] }],
      async prepare({ workspace }) {
        const script =
          'while ! [ -e start ]; do sleep 0.01; done; while sleep 0.002; do echo x >> late.txt; done';
        const child = spawn('sh', ['-c', script], { cwd: workspace, stdio: 'ignore', detached: true });
        end = () => process.kill(-(child.pid ?? 0), 'SIGKILL');
      },
      inspect: async () => void end(),
    });
    expect(main.errors).toEqual([
      expect.stringMatching(
        /^Step `one` failed at attempt 1 \(guard\): files changed while no agent and no command of this run was at work: `late\.txt`\./,
      ),
    ]);
    expect(await harness.calls()).toHaveLength(1);
  });
});
