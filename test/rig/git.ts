/** Calls the real git with none of this machine's own settings. Leaves what to do with it to its callers. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** A fixed clock and author make the commit ids of fixtures the same in every run. */
const isolatedEnvironment = {
  PATH: process.env.PATH ?? '/usr/bin:/bin',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'Fixture',
  GIT_AUTHOR_EMAIL: 'fixture@example.com',
  GIT_AUTHOR_DATE: '2026-01-02T03:04:05Z',
  GIT_COMMITTER_NAME: 'Fixture',
  GIT_COMMITTER_EMAIL: 'fixture@example.com',
  GIT_COMMITTER_DATE: '2026-01-02T03:04:05Z',
  LC_ALL: 'C',
} as const;

/** Runs `git ARGS` in `directory`; resolves with its trimmed standard output, rejects with its words. */
export async function git(directory: string, ...args: readonly string[]): Promise<string> {
  const result = await execute('git', [...args], {
    cwd: directory,
    env: isolatedEnvironment,
    maxBuffer: 64 * 1024 * 1024,
  });
  return result.stdout.trim();
}
