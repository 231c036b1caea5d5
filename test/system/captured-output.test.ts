/** Runs in a separate process, because the tests check what that process prints. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const source = (path: string): string => JSON.stringify(pathToFileURL(join(root, path)).href);
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gump-output-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function run(body: string): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const file = join(directory, 'script.mts');
  const head = [
    `import { captureOutput } from ${source('src/system/captured-output.ts')};`,
    `import { exec } from ${source('node_modules/@actions/exec/lib/exec.js')};`,
    `import { info, debug, setSecret } from ${source('node_modules/@actions/core/lib/core.js')};`,
    `import { spawn } from 'node:child_process';`,
    `import { setTimeout as sleep } from 'node:timers/promises';`,
  ];
  await writeFile(file, [...head, body].join('\n'));
  return promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', file], {
    cwd: root,
  });
}

describe('captured output', () => {
  it('is not in the log but returned, whichever part of the work wrote it', async () => {
    const { stdout, stderr } = await run(`
      const { value, output } = await captureOutput(async () => {
        info('line of core');
        debug('debug of core');
        await sleep(5);
        process.stderr.write('error line\\n');
        await exec('sh', ['-c', 'echo out of child; echo err of child >&2']);
        return 7;
      }, false);
      console.log(JSON.stringify({ value, output }));`);
    expect(stderr).toBe('');
    const [line, ...rest] = stdout.trim().split('\n');
    expect(rest).toEqual([]);
    const { value, output } = JSON.parse(line ?? '');
    expect(value).toBe(7);
    for (const text of [
      'line of core',
      '::debug::debug of core',
      'error line',
      '[command]',
      'out of child',
      'err of child',
    ]) {
      expect(output).toContain(text);
    }
  });

  it('does not include other output at the same time', async () => {
    const { stdout } = await run(`
      const child = spawn('sh', ['-c', 'sleep 0.1; echo agent']);
      child.stdout.on('data', (data) => process.stdout.write(data));
      const closed = new Promise((resolve) => child.on('close', resolve));
      const other = (async () => { for (let i = 0; i < 3; i += 1) { await sleep(20); console.log('other ' + i); } })();
      await captureOutput(async () => { for (let i = 0; i < 6; i += 1) { await sleep(20); info('inner'); } await other; await closed; }, false);
      console.log('after');`);
    expect(stdout.trim().split('\n').sort()).toEqual(['after', 'agent', 'other 0', 'other 1', 'other 2']);
  });

  it('masks what the library asks to mask, shown or not, and sends no command to the runner', async () => {
    const { stdout } = await run(`
      for (const isShown of [false, true]) {
        const { output } = await captureOutput(async () => { setSecret('signature'); info('at ?sig=signature'); }, isShown);
        console.log(JSON.stringify(output));
      }`);
    const kept = '"at ?sig=***\\n"';
    expect(stdout.trim().split('\n')).toEqual([kept, 'at ?sig=***', kept]);
  });

  it('keeps late output out of the log, and calls the callback of the write', async () => {
    const { stdout } = await run(`
      let late;
      await captureOutput(async () => { late = sleep(30).then(() => info('late')); }, false);
      await late;
      await captureOutput(() => new Promise((resolve) => process.stdout.write('hidden', resolve)), false);
      await captureOutput(() => Promise.reject(new Error('failed')), false).catch((error) => console.log(error.message));`);
    expect(stdout).toBe('failed\n');
  });
});
