import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/*
 * Runs a real program that cleans itself. The program imports the source directly: Node 24 strips the types, and
 * `clean-process.ts` imports only types and Node modules.
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
  readonly isRestored: boolean;
  readonly secret: string;
  readonly own: string | null;
  readonly execPath: string;
  readonly argv0: string;
  readonly environmentFile: string | null;
  readonly environ: string;
  readonly pid: number;
  readonly arguments: readonly string[];
  readonly debug: readonly string[];
}

function run(...args: string[]): ProgramOutput {
  return runWith({}, ...args);
}

function runWith(variables: Record<string, string>, ...args: string[]): ProgramOutput {
  const output = execFileSync(process.execPath, [program, ...args], {
    env: environmentOf(variables),
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  return JSON.parse(output);
}

describe.runIf(process.platform === 'linux' && process.execve !== undefined)(
  'restartWithCleanEnvironment',
  () => {
    it('removes secrets from what other processes can read, and returns all variables', () => {
      const output = run('--clean');
      expect(output).toMatchObject({ isRestored: true, secret, own: null, environmentFile: null, debug: [] });
      expect(output.environ).not.toContain(secret);
      expect(output.environ).toContain('PATH=');
      // Without cleaning, the secret is readable.
      expect(run().environ).toContain(secret);
    });

    it('keeps the arguments and leaves no file behind', () => {
      expect(run('--clean', 'two words', '').arguments).toEqual(['--clean', 'two words', '']);
      expect(readdirSync(temp)).toEqual([]);
    });

    it('keeps process id, streams and SIGINT handling, and prints no warning', async () => {
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

    it('keeps what Node and its libraries read only at their start', () => {
      const needed = {
        ...{ NODE_USE_SYSTEM_CA: '1', NODE_EXTRA_CA_CERTS: '/srv/ca.pem', NODE_TLS_REJECT_UNAUTHORIZED: '1' },
        ...{
          NODE_DEBUG: 'none',
          NODE_PENDING_DEPRECATION: '0',
          NODE_NO_WARNINGS: '1',
          UV_THREADPOOL_SIZE: '3',
        },
        ...{
          OPENSSL_CONF: '/dev/null',
          SSL_CERT_FILE: '/srv/ca.pem',
          SSL_CERT_DIR: '/srv/certs',
          LC_TIME: 'C',
        },
        ...{ NSS_WRAPPER_PASSWD: '/srv/passwd', TZ: 'UTC', RES_OPTIONS: 'attempts:1' },
      };
      const others = {
        NODE_AUTH_TOKEN: 'x',
        UV_PUBLISH_TOKEN: 'x',
        LD_SDK_KEY: 'x',
        HTTPS_PROXY: 'http://u:p@x',
      };
      const { environ } = runWith({ ...needed, ...others }, '--clean');
      const variables = environ.split('\0');
      for (const [name, value] of Object.entries(needed)) expect(variables).toContain(`${name}=${value}`);
      for (const name of Object.keys(others)) expect(environ).not.toContain(name);
      const withProxy = runWith({ ...others, NODE_USE_ENV_PROXY: '1' }, '--clean');
      expect(withProxy.environ.split('\0')).toContain('HTTPS_PROXY=http://u:p@x');
    });

    it('starts with a copy of the loader, removes it, and reports the path of Node', () => {
      const output = run('--clean', '--loader', 'two words');
      expect(output).toMatchObject({ isRestored: true, secret, own: null, debug: [] });
      expect(output).toMatchObject({ execPath: process.execPath, argv0: process.execPath });
      expect(output.arguments).toEqual(['--clean', '--loader', 'two words']);
      expect(readdirSync(temp)).toEqual([]);
    });

    it('starts without the loader and reports why if that is not possible', () => {
      const output = run('--clean', '--broken-loader');
      expect(output).toMatchObject({
        isRestored: true,
        secret,
        debug: [],
        execPath: process.execPath,
      });
      expect(readdirSync(temp)).toEqual([]);
    });

    it('keeps its environment and reports why if a process cannot be replaced', () => {
      const output = run('--clean', '--without-execve');
      expect(output).toMatchObject({
        isRestored: false,
        secret,
        debug: [expect.stringContaining('can read the environment')],
      });
      expect(readdirSync(temp)).toEqual([]);
    });

    it('reports what to do if the stored variables cannot be read', () => {
      const file = join(mkdtempSync(join(temp, 'gump-start-')), 'environment.json');
      const env = environmentOf({ GUMP_ACTION_ENVIRONMENT_FILE: file });
      expect(() => execFileSync(process.execPath, [program], { env, stdio: 'pipe' })).toThrow(
        /environment\.json`: the environment variables of the job cannot be read\. Re-run the job/,
      );
    });

    it.each([
      ['another folder', 'other-1', 'environment.json', 0o600],
      ['a nested folder', 'deep/gump-start-1', 'environment.json', 0o600],
      ['a file with another name', 'gump-start-1', 'other.json', 0o600],
      ['a file that others can read', 'gump-start-1', 'environment.json', 0o644],
    ])('reads nothing from %s, and leaves it alone', (_, folder, name, mode) => {
      mkdirSync(join(temp, folder), { recursive: true });
      const file = join(temp, folder, name);
      writeFileSync(file, '{"API_KEY":"planted"}', { mode });
      const env = environmentOf({ GUMP_ACTION_ENVIRONMENT_FILE: file });
      const output = JSON.parse(execFileSync(process.execPath, [program], { env, encoding: 'utf8' }));
      expect(output).toMatchObject({ isRestored: false, secret, environmentFile: null });
      expect(existsSync(file)).toBe(true);
    });
  },
);
