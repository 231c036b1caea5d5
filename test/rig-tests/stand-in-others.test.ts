import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createMachine } from '../rig/machine.js';
import { installStandIn } from '../rig/stand-in.js';
import { runCli, useMachine } from './run-cli.js';

const rig = useMachine();

const others = [
  {
    name: 'gemini',
    args: ['-o', 'stream-json', '--yolo', '--skip-trust'],
    start: ['--session-id'],
    resume: '--resume',
    lost: 42,
  },
  {
    name: 'qwen',
    args: ['-o', 'stream-json', '--yolo'],
    start: ['--session-id'],
    resume: '--resume',
    lost: 1,
  },
  { name: 'opencode', args: ['run', '--format', 'json'], start: [], resume: '--session', lost: 1 },
  {
    name: 'cursor-agent',
    args: ['-p', '--output-format', 'stream-json', '--force', '--trust'],
    start: [],
    resume: '--resume',
    lost: 0,
  },
];

describe.each(others)('$name', ({ name, args, start: startOption, resume, lost }) => {
  it('starts, works and resumes its stored session', async () => {
    await rig.standIn.script([
      { session: 'start', do: [{ write: 'new.txt', content: 'new' }, { say: 'written' }] },
    ]);
    const id = randomUUID();
    const first = await runCli(
      rig.machine,
      name,
      [...args, ...startOption.flatMap((option) => [option, id])],
      'first',
    );
    expect([first.code, first.stderr]).toEqual([0, '']);
    expect(first.stdout).toContain('writ');
    expect(await readFile(join(rig.machine.workspace, 'new.txt'), 'utf8')).toBe('new');
    const given = (await rig.standIn.calls())[0]?.session.id ?? '';
    if (startOption.length > 0) expect(given).toBe(id);
    expect((await runCli(rig.machine, name, [...args, resume, given], 'second')).code).toBe(0);
    expect((await rig.standIn.calls())[1]).toMatchObject({
      earlier: ['first'],
      session: { mode: 'resume', id: given },
    });
  });

  it('refuses an unknown session', async () => {
    const unknown = randomUUID();
    expect(await runCli(rig.machine, name, [...args, resume, unknown], 'x')).toMatchObject({
      code: lost,
      stdout: '',
    });
    expect((await rig.standIn.calls())[0]?.refused).toBeTruthy();
  });

  it('fails on an API error in its own way', async () => {
    await rig.standIn.script([{ do: [{ fail: 401 }] }]);
    const { code, events } = await runCli(rig.machine, name, args, 'x');
    expect(code).toBe({ gemini: 145, 'cursor-agent': 0 }[name] ?? 1);
    expect(JSON.stringify(events.at(-1))).toContain('error');
  });
});

it('opencode: an exported session is resumed where it is imported', async () => {
  const info = { id: 'ses_preset', slug: 's', directory: '/else', title: 't', version: '1', time: {} };
  const skeleton = { info, messages: [] };
  await writeFile(join(rig.machine.scratch, 'skeleton.json'), JSON.stringify(skeleton));
  await runCli(rig.machine, 'opencode', ['import', join(rig.machine.scratch, 'skeleton.json')], '');
  await runCli(rig.machine, 'opencode', ['run', '--format', 'json', '--session', 'ses_preset'], 'first');
  const { stdout } = await runCli(rig.machine, 'opencode', ['export', 'ses_preset'], '');
  const next = await createMachine();
  await installStandIn(next, { callsFile: rig.standIn.callsFile });
  await writeFile(join(next.scratch, 'export.json'), stdout);
  await runCli(next, 'opencode', ['import', join(next.scratch, 'export.json')], '');
  await runCli(next, 'opencode', ['run', '--format', 'json', '--session', 'ses_preset'], 'second');
  expect((await rig.standIn.calls()).map(({ earlier }) => earlier)).toEqual([[], ['first']]);
  await next.wipe();
});
