/** Calls the real git without the settings of this machine. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { type Files, writeFiles } from './files.js';

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

const fresh = new Map<string, Promise<Files>>();

/** Like `git init ARGS`, but writes the files of an earlier result from memory: a process costs more than the files. */
export async function initRepository(directory: string, ...args: readonly string[]): Promise<void> {
  const key = args.join(' ');
  const files = fresh.get(key) ?? readFresh(args);
  fresh.set(key, files);
  const top = args.includes('--bare') ? directory : join(directory, '.git');
  for (const folder of ['hooks', 'objects/info', 'objects/pack', 'refs/heads', 'refs/tags'])
    await mkdir(join(top, folder), { recursive: true });
  await writeFiles(directory, await files);
}

/** Without the sample hooks, which nobody uses. */
async function readFresh(args: readonly string[]): Promise<Files> {
  const directory = await mkdtemp(join(tmpdir(), 'rig-template-'));
  await git(directory, 'init', '--quiet', '--initial-branch=main', ...args);
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.sample'))
    .map((entry) => join(entry.parentPath, entry.name));
  const files = await Promise.all(
    paths.map(async (path) => [relative(directory, path), await readFile(path)]),
  );
  await rm(directory, { recursive: true });
  return Object.fromEntries(files);
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
