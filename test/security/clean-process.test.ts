import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/*
 * Runs a real program that cleans itself. It imports the source as it is: Node 24 takes the types off, and
 * `clean-process.ts` imports nothing but types and Node.
 */
const program = join(import.meta.dirname, 'clean-program.mjs');
const secret = 'sk-very-secret-0123456789';

let temp: string;
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'gump-test-'));
});
afterEach(() => rmSync(temp, { recursive: true, force: true }));

function environmentOf(more: Record<string, string> = {}) {
  return { PATH: process.env.PATH ?? '', HOME: temp, RUNNER_TEMP: temp, API_KEY: secret, ...more };
}

interface ProgramOutput {
  readonly adopted: boolean;
  readonly secret: string;
  readonly handOver: string | null;
  readonly environ: string;
  readonly pid: number;
  readonly arguments: readonly string[];
  readonly debug: readonly string[];
}

function run(...args: string[]): ProgramOutput {
  const output = execFileSync(process.execPath, [program, ...args], {
    env: environmentOf(),
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  return JSON.parse(output);
}

describe.runIf(process.platform === 'linux' && process.execve !== undefined)('cleanProcess', () => {
  it('leaves no secret where other processes can read it, and all variables in process.env', () => {
    const output = run('--clean');
    expect(output).toMatchObject({ adopted: true, secret, handOver: null, debug: [] });
    expect(output.environ).not.toContain(secret);
    expect(output.environ).toContain('PATH=');
    // What the test would see if nothing had been cleaned.
    expect(run().environ).toContain(secret);
  });

  it('keeps the arguments and leaves no file behind', () => {
    expect(run('--clean', 'two words', '').arguments).toEqual(['--clean', 'two words', '']);
    expect(readdirSync(temp)).toEqual([]);
  });

  it('keeps the process id, the streams and the handling of SIGINT, and warns of nothing', async () => {
    const child = spawn(process.execPath, [program, '--clean', '--wait'], { env: environmentOf() });
    let stdout = '';
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      if (stdout.endsWith('}\n')) child.kill('SIGINT');
    });
    const code = await new Promise((done) => child.on('close', done));
    const [output, last] = stdout.trim().split('\n');
    expect(JSON.parse(output ?? '').pid).toBe(child.pid);
    expect({ code, last, stderr }).toEqual({ code: 7, last: 'interrupted', stderr: '' });
  });

  it('stays as it is, and says why, where a process cannot be replaced', () => {
    const output = run('--clean', '--without-execve');
    expect(output).toMatchObject({
      adopted: false,
      secret,
      debug: [expect.stringContaining('stays readable')],
    });
    expect(readdirSync(temp)).toEqual([]);
  });

  it('says what to do where the variables handed on cannot be read', () => {
    const file = join(mkdtempSync(join(temp, 'gump-start-')), 'environment.json');
    const env = environmentOf({ GUMP_ACTION_ENVIRONMENT_FILE: file });
    expect(() => execFileSync(process.execPath, [program], { env, stdio: 'pipe' })).toThrow(
      /variables cannot be read from .*environment\.json; re-run the job/,
    );
  });

  it.each([
    ['another folder', 'other-1', 'environment.json', 0o600],
    ['a folder further down', 'deep/gump-start-1', 'environment.json', 0o600],
    ['a file of another name', 'gump-start-1', 'other.json', 0o600],
    ['a file that others can read', 'gump-start-1', 'environment.json', 0o644],
  ])('takes nothing from %s, and leaves it alone', (_, folder, name, mode) => {
    mkdirSync(join(temp, folder), { recursive: true });
    const file = join(temp, folder, name);
    writeFileSync(file, '{"API_KEY":"planted"}', { mode });
    const env = environmentOf({ GUMP_ACTION_ENVIRONMENT_FILE: file });
    const output = JSON.parse(execFileSync(process.execPath, [program], { env, encoding: 'utf8' }));
    expect(output).toMatchObject({ adopted: false, secret, handOver: null });
    expect(existsSync(file)).toBe(true);
  });
});
