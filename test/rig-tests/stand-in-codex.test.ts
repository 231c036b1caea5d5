import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, useMachine } from './run-cli.js';

const rig = useMachine();

const base = ['exec', '--json', '--dangerously-bypass-approvals-and-sandbox'];
const codex = (args: readonly string[], prompt: string) =>
  runCli(rig.machine, 'codex', [...base, ...args, '-'], prompt);

describe('codex', () => {
  it('reports its own id first and adds up usage over the thread', async () => {
    const first = await codex([], 'first');
    expect(first.events.map(({ type }) => type)).toEqual([
      'thread.started',
      'turn.started',
      'item.completed',
      'turn.completed',
    ]);
    const id = String(first.events[0]?.thread_id);
    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/);
    const second = await codex(['resume', id], 'second');
    expect(second.events[0]).toEqual({ type: 'thread.started', thread_id: id });
    expect(second.events.at(-1)).toMatchObject({ usage: { input_tokens: 200, output_tokens: 40 } });
    expect((await rig.standIn.calls())[1]).toMatchObject({
      earlier: ['first'],
      session: { mode: 'resume', id },
    });
  });

  it('does not find a thread whose rollout file has another name', async () => {
    const id = String((await codex([], 'first')).events[0]?.thread_id);
    const sessions = join(rig.machine.home, '.codex/sessions');
    const [file = ''] = (await readdir(sessions, { recursive: true })).filter((name) =>
      name.endsWith('.jsonl'),
    );
    await rename(join(sessions, file), join(sessions, file.replace('rollout-', 'copy-')));
    const lost = await codex(['resume', id], 'x');
    expect(lost).toMatchObject({ code: 1, stdout: '' });
    expect(lost.stderr).toContain(
      `Error: thread/resume: thread/resume failed: no rollout found for thread id ${id}`,
    );
  });

  it('is read-only without a sandbox flag, also on every resume', async () => {
    await rig.standIn.script([{ do: [{ write: 'new.txt' }] }]);
    const { events } = await runCli(rig.machine, 'codex', ['exec', '--json', '-'], 'x');
    expect(events.map(({ type }) => type)).not.toContain('item.started');
    expect(await readdir(rig.machine.workspace)).not.toContain('new.txt');
    expect(
      (await runCli(rig.machine, 'codex', ['exec', 'resume', '-s', 'workspace-write', 'x', '-'], 'x')).code,
    ).not.toBe(0);
    await runCli(rig.machine, 'codex', ['exec', '--json', '-s', 'workspace-write', '-'], 'x');
    expect(await readdir(rig.machine.workspace)).toContain('new.txt');
  });

  it('fails with a text only, and refuses to start outside a repository', async () => {
    await rig.standIn.script([{ do: [{ fail: 'context' }] }]);
    const { code, events } = await codex([], 'x');
    expect([code, events.at(-1)?.type]).toEqual([1, 'turn.failed']);
    await rm(join(rig.machine.workspace, '.git'), { recursive: true });
    expect(await codex([], 'x')).toMatchObject({ code: 1, stdout: '' });
  });
});
