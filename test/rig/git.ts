/** Calls the real git without the settings of this machine. */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { cp, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Fixed times and authors, so that fixtures have the same commit ids in every run. */
export const author = {
  name: 'Fixture',
  email: 'fixture@example.com',
  seconds: Date.parse('2026-01-02T03:04:05Z') / 1000,
} as const;

const isolatedEnvironment = {
  PATH: process.env.PATH ?? '/usr/bin:/bin',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: author.name,
  GIT_AUTHOR_EMAIL: author.email,
  GIT_AUTHOR_DATE: `${author.seconds} +0000`,
  GIT_COMMITTER_NAME: author.name,
  GIT_COMMITTER_EMAIL: author.email,
  GIT_COMMITTER_DATE: `${author.seconds} +0000`,
  LC_ALL: 'C',
} as const;

/** Runs `git ARGS` in `directory` with this standard input. */
export async function feedGit(
  directory: string,
  input: string | Buffer,
  ...args: readonly string[]
): Promise<string> {
  const running = execute('git', [...args], { cwd: directory, env: isolatedEnvironment });
  running.child.stdin?.end(input);
  return (await running).stdout.trim();
}

const fresh = new Map<string, Promise<string>>();

/** Like `git init ARGS`, but copies an earlier result: a process costs more than copying the files. */
export async function initRepository(directory: string, ...args: readonly string[]): Promise<void> {
  const key = args.join(' ');
  const template = fresh.get(key) ?? makeTemplate(args);
  fresh.set(key, template);
  await cp(await template, directory, { recursive: true });
}

async function makeTemplate(args: readonly string[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'rig-template-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  await git(directory, 'init', '--quiet', '--initial-branch=main', ...args);
  return directory;
}

/** Runs `git ARGS` in `directory`; resolves with its trimmed standard output, rejects with its message. */
export async function git(directory: string, ...args: readonly string[]): Promise<string> {
  const result = await execute('git', [...args], {
    cwd: directory,
    env: isolatedEnvironment,
    maxBuffer: 64 * 1024 * 1024,
  });
  return result.stdout.trim();
}
