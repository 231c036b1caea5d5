import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Machine } from '../rig/machine.js';
import { runCli, startCli, useMachine } from './run-cli.js';

const rig = useMachine();

const base = ['-p', '--output-format', 'stream-json', '--verbose', '--dangerously-skip-permissions'];
const claude = (args: readonly string[], prompt: string, place: Machine = rig.machine) =>
  runCli(place, 'claude', [...base, ...args], prompt);

describe('claude', () => {
  const id = randomUUID();

  it('prints init, tool, text and result, and follows the script', async () => {
    await rig.standIn.script([
      { provider: 'claude', do: [{ write: 'src/b.txt', content: 'two' }, { say: 'written' }] },
    ]);
    const { code, events } = await claude(['--session-id', id, '--model', 'haiku'], 'write it');
    expect(code).toBe(0);
    expect(events.map(({ type }) => type)).toEqual(
      'system system assistant user system assistant result'.split(' '),
    );
    expect(events.at(-1)).toMatchObject({
      subtype: 'success',
      result: 'written',
      num_turns: 2,
      total_cost_usd: 0.002,
    });
    expect(events.at(-1)).toMatchObject({ usage: { input_tokens: 200, output_tokens: 40 }, session_id: id });
    expect(await readFile(join(rig.machine.workspace, 'src/b.txt'), 'utf8')).toBe('two');
    expect(await rig.standIn.calls()).toMatchObject([
      {
        provider: 'claude',
        prompt: 'write it',
        cwd: rig.machine.workspace,
        session: { mode: 'start', id },
        model: 'haiku',
      },
    ]);
  });

  it('knows the content of its file; cost is that of the session, usage that of the run', async () => {
    await claude(['--session-id', id], 'first');
    const second = await claude(['--resume', id], 'second');
    expect((await rig.standIn.calls())[1]).toMatchObject({
      earlier: ['first'],
      session: { mode: 'resume', id },
    });
    expect(second.events.at(-1)).toMatchObject({
      total_cost_usd: 0.002,
      usage: { input_tokens: 100 },
      num_turns: 1,
    });
  });

  it('refuses an id in use, an id that is not a UUID, and an unknown id', async () => {
    await claude(['--session-id', id], 'first');
    expect(await claude(['--session-id', id], 'x')).toMatchObject({
      code: 1,
      stderr: `Error: Session ID ${id} is already in use.\n`,
    });
    expect((await claude(['--session-id', 'mine'], 'x')).code).toBe(1);
    const unknown = randomUUID();
    const lost = await claude(['--resume', unknown], 'x');
    expect(lost).toMatchObject({ code: 1, stderr: `No conversation found with session ID: ${unknown}\n` });
    expect(lost.events).toMatchObject([
      { type: 'result', subtype: 'error_during_execution', is_error: true },
    ]);
    expect((await rig.standIn.calls()).map(({ refused }) => refused !== undefined)).toEqual([
      false,
      true,
      true,
      true,
    ]);
  });

  it('finds a session only under the slug of its directory', async () => {
    await claude(['--session-id', id], 'first');
    const next = await rig.moveToNewMachine('.claude');
    expect((await claude(['--resume', id], 'x', next)).code).toBe(1);
    const projects = join(next.home, '.claude/projects');
    const [slug = ''] = await readdir(projects);
    expect(slug).toBe(rig.machine.workspace.replaceAll(/[^A-Za-z0-9]/g, '-'));
    await rename(join(projects, slug), join(projects, next.workspace.replaceAll(/[^A-Za-z0-9]/g, '-')));
    expect((await claude(['--resume', id], 'second', next)).code).toBe(0);
    expect((await rig.standIn.calls()).at(-1)).toMatchObject({ earlier: ['first'] });
    await next.wipe();
  });

  it('continues after a kill with a truncated last line, and counts cost from there', async () => {
    await rig.standIn.script([
      { prompt: 'first', do: [{ say: 'begun' }, { hang: true, ignore: ['SIGTERM'] }] },
    ]);
    const child = startCli(rig.machine, 'claude', [...base, '--session-id', id]);
    child.stdin.end('first');
    await new Promise((resolve) =>
      child.stdout.on('data', (text) => String(text).includes('begun') && resolve(0)),
    );
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    child.kill('SIGKILL');
    await closed;
    const file = join(
      rig.machine.home,
      '.claude/projects',
      rig.machine.workspace.replaceAll(/[^A-Za-z0-9]/g, '-'),
      `${id}.jsonl`,
    );
    await writeFile(file, (await readFile(file, 'utf8')).slice(0, -30));
    const { events } = await claude(['--resume', id], 'second');
    expect((await rig.standIn.calls())[1]).toMatchObject({ earlier: ['first'] });
    expect(events.at(-1)).toMatchObject({ total_cost_usd: 0.001 });
    await claude(['--resume', id], 'third');
    expect((await rig.standIn.calls())[2]).toMatchObject({ earlier: ['first', 'second'] });
  });

  it('fails in its own format', async () => {
    await rig.standIn.script([
      { prompt: 'auth', do: [{ fail: 401 }] },
      { prompt: 'limit', do: [{ fail: 429, retryAfterMs: 2500 }] },
      { prompt: 'turns', do: [{ run: 'true' }, { run: 'true' }, { write: 'late.txt' }] },
      { prompt: 'silent', do: [{ exit: 0 }] },
    ]);
    const last = async (args: readonly string[], prompt: string) =>
      (await claude(args, prompt)).events.at(-1);
    expect(await last([], 'auth')).toMatchObject({
      subtype: 'success',
      is_error: true,
      api_error_status: 401,
    });
    const limited = (await claude([], 'limit')).events.find(({ subtype }) => subtype === 'api_retry');
    expect(limited).toMatchObject({ error_status: 429, retry_delay_ms: 2500 });
    expect(await last(['--max-turns', '2'], 'turns')).toMatchObject({
      subtype: 'error_max_turns',
      num_turns: 3,
    });
    expect(await readdir(rig.machine.workspace)).not.toContain('late.txt');
    expect(await claude([], 'silent')).toMatchObject({
      code: 0,
      events: [{ subtype: 'init' }, { subtype: 'status' }],
    });
  });

  it('writes only where its permissions allow it', async () => {
    await rig.standIn.script([{ do: [{ write: '.gump/out/plan.json' }, { write: 'src.txt' }] }]);
    const args = [
      '-p',
      '--output-format',
      'stream-json',
      '--verbose',
      '--permission-mode',
      'dontAsk',
      '--allowedTools',
      'Read,Write(.gump/out/**)',
    ];
    const { events } = await runCli(rig.machine, 'claude', args, 'x');
    expect(events.at(-1)).toMatchObject({ permission_denials: [{ tool_name: 'Write' }] });
    expect((await readdir(rig.machine.workspace)).sort()).toEqual(['.git', '.gump', 'a.txt']);
  });

  it('refuses an unknown option', async () => {
    expect(await claude(['--sesion-id', id], 'x')).toMatchObject({
      code: 1,
      stderr: "error: unknown option '--sesion-id'\n",
    });
  });
});
