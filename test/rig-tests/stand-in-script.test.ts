import { randomUUID } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Machine } from '../rig/machine.js';
import { readCalls } from '../rig/stand-in.js';
import { runCli, startCli, useMachine } from './run-cli.js';

const rig = useMachine();

const base = ['-p', '--output-format', 'stream-json', '--verbose', '--dangerously-skip-permissions'];
const claude = (args: readonly string[], prompt: string, place: Machine = rig.machine) =>
  runCli(place, 'claude', [...base, ...args], prompt);

describe('the script', () => {
  it('counts the calls that match the rule', async () => {
    await rig.standIn.script([
      { prompt: 'build', call: 2, do: [{ say: 'second build' }] },
      { prompt: 'build', do: [{ say: 'other build' }] },
    ]);
    const replyTo = async (prompt: string) => (await claude([], prompt)).events.at(-1)?.result;
    expect([
      await replyTo('build'),
      await replyTo('test'),
      await replyTo('build'),
      await replyTo('build'),
    ]).toEqual(['other build', 'ok', 'second build', 'other build']);
    await rig.standIn.script([{ prompt: 'build', call: 1, do: [{ say: 'second script' }] }], {
      countFrom: 'now',
    });
    expect(await replyTo('build')).toBe('second script');
  });

  it('is followed while another agent appends its call', async () => {
    const file = join(rig.machine.scratch, 'calls.jsonl');
    await writeFile(file, `${JSON.stringify({ prompt: 'one' })}\n{"prompt": "tw`);
    expect((await readCalls(file)).map(({ prompt }) => prompt)).toEqual(['one']);
  });

  it('can be a module', async () => {
    await rig.standIn.scriptModule('export default (call) => [{ say: call.prompt.toUpperCase() }];');
    expect((await claude([], 'loud')).events.at(-1)).toMatchObject({ result: 'LOUD' });
  });

  it('runs commands, commits, prints lines that are not events, and writes its environment', async () => {
    const environment = join(rig.machine.scratch, 'environment.json');
    const acts = [
      { run: 'echo hello > hello.txt' },
      { commit: "It's done" },
      { delete: 'a.txt' },
      { print: '{"broken', times: 2 },
      { giant: 100_000 },
      { stderr: 'a warning' },
      { environment },
    ];
    await rig.standIn.script([{ do: acts }]);
    const { stdout, stderr, events } = await claude([], 'x');
    expect(stdout.split('\n').filter((line) => line === '{"broken')).toHaveLength(2);
    expect(stdout.length).toBeGreaterThan(100_000);
    expect([stderr, events.at(-1)?.type]).toEqual(['a warning\n', 'result']);
    expect(await readdir(rig.machine.workspace)).toEqual(['.git', 'hello.txt']);
    expect(JSON.parse(await readFile(environment, 'utf8'))).toMatchObject({
      HOME: rig.machine.home,
      IS_SANDBOX: '1',
    });
    expect((await rig.standIn.calls())[0]?.environment).toContain('IS_SANDBOX');
  });

  it('leaves a process running, and reports a shared session', async () => {
    const id = randomUUID();
    const ready = join(rig.machine.scratch, 'ready');
    await rig.standIn.script([
      { prompt: 'first', do: [{ spawn: 'exec sleep 600' }, { waitFor: ready }] },
      { prompt: 'second', do: [{ run: `touch ${ready}` }] },
    ]);
    const child = startCli(rig.machine, 'claude', [...base, '--session-id', id]);
    child.stdin.end('first');
    const closed = new Promise((resolve) => child.once('close', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await claude(['--resume', id], 'second');
    await closed;
    expect((await rig.standIn.calls())[1]?.sharedWith).toBe(child.pid);
    expect(await rig.machine.processes()).toHaveLength(1);
  });
});
