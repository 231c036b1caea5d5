/**
 * Runs git without prompts and without side effects on the user's configuration. Only this file knows how git is
 * started; the meaning of the commands is up to the callers.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../failure.js';
import { defined } from '../optional-keys.js';
import { openShell, quote, type Shell } from './shell.js';

export interface GitOptions {
  /** Standard input. Empty if absent. */
  readonly input?: string | Buffer;
  /** An index file other than the default one. */
  readonly index?: string;
  /** Additional `-c` settings, `name=value`. */
  readonly settings?: readonly string[];
  /** Exit statuses that are results and not errors. Default: `[0]`. */
  readonly accept?: readonly number[];
}

export interface GitResult {
  readonly status: number;
  readonly stdout: Buffer;
}

export interface Git {
  /** Runs one git command. Throws `GitError` for a status that is not accepted. */
  run(args: readonly string[], options?: GitOptions): Promise<GitResult>;
  /**
   * Runs two commands at the same time, of which none needs what the other one writes. They get no input. Throws
   * `GitError` for the first of them that fails.
   */
  runBoth(
    one: readonly string[],
    other: readonly string[],
    options?: Pick<GitOptions, 'index'>,
  ): Promise<readonly [GitResult, GitResult]>;
}

/** git exited with a status that the caller does not accept. */
export class GitError extends Error {
  override readonly name = 'GitError';

  constructor(
    readonly command: string,
    readonly status: number,
    readonly stderr: string,
  ) {
    super(`git ${command} failed with status ${status}: ${stderr.trim() || 'git printed no reason'}`);
  }
}

/**
 * Settings for every command. Hooks, watchers, split indexes and clean-up would write into the user's `.git`.
 * `safecrlf` can make `git add` fail. `recurse` would make a reset change submodules. An fsync takes longer than
 * the rest of a snapshot, and nothing needs these objects after the job.
 */
const settings = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.splitIndex=false',
  'core.untrackedCache=false',
  'core.safecrlf=false',
  'core.fsync=none',
  'core.quotePath=false',
  'advice.addEmbeddedRepo=false',
  'submodule.recurse=false',
  'i18n.commitEncoding=UTF-8',
  'gc.auto=0',
  'maintenance.auto=false',
  // As many as there are processors. Ignored before git 2.32.
  'checkout.workers=0',
] as const;

const identity = { name: 'gump-action', email: 'gump-action@localhost' } as const;

/** A shell for git commands. `env` needs at least PATH and HOME; variables that prevent prompts are added. */
export function openGitShell(directory: string, env: Readonly<Record<string, string>>): Shell {
  return openShell({
    directory,
    env: {
      ...env,
      LC_ALL: 'C', // the action compares git's messages
      GIT_OPTIONAL_LOCKS: '0',
      GIT_TERMINAL_PROMPT: '0',
      GIT_AUTHOR_NAME: identity.name,
      GIT_AUTHOR_EMAIL: identity.email,
      GIT_COMMITTER_NAME: identity.name,
      GIT_COMMITTER_EMAIL: identity.email,
    },
    parameters: settings.flatMap((setting) => ['-c', setting]),
  });
}

export interface GitLocation {
  readonly shell: Shell;
  /** The directory that the shell runs in. Input and output of commands are stored there temporarily. */
  readonly scratch: string;
  /** The directory from which git searches for the repository. */
  readonly directory: string;
  /** Additional environment variables for every command. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Additional `-c` settings for every command, `name=value`. */
  readonly settings?: readonly string[];
}

/** Runs commands on one repository. Callers must wait for one command before they start the next. */
export function openGit(location: GitLocation): Git {
  const { shell, scratch } = location;
  const always = (location.settings ?? []).flatMap((setting) => ['-c', setting]);
  const commandLine = (args: readonly string[], { settings: more = [], index }: GitOptions = {}): string => {
    const additional = more.flatMap((setting) => ['-c', setting]);
    const words = [...always, ...additional, '-C', location.directory, ...args].map(quote).join(' ');
    const variables = { ...location.variables, ...defined({ GIT_INDEX_FILE: index }) };
    return `${assignments(variables)}git "$@" ${words}`;
  };
  return {
    async run(args, options = {}) {
      const { input, accept = [0] } = options;
      if (input !== undefined) writeFileSync(join(scratch, 'stdin'), input);
      const source = input === undefined ? '/dev/null' : 'stdin';
      const status = await shell.run(`${commandLine(args, options)} <${source} >stdout 2>stderr`);
      if (!accept.includes(status)) throw toGitError(args, status, join(scratch, 'stderr'));
      return { status, stdout: readFileSync(join(scratch, 'stdout')) };
    },
    async runBoth(one, other, options) {
      const commands = [one, other] as const;
      const starts = commands.map(
        (args, at) => `${commandLine(args, options)} </dev/null >stdout${at} 2>stderr${at} & p${at}=$!; `,
      );
      const waits = commands.map((_, at) => `wait "$p${at}"; echo "$?" >status${at}; `);
      await shell.run(`${[...starts, ...waits].join('')}:`);
      const resultAt = (at: 0 | 1): GitResult => {
        const status = readStatus(join(scratch, `status${at}`), commands[at]);
        if (status !== 0) throw toGitError(commands[at], status, join(scratch, `stderr${at}`));
        return { status, stdout: readFileSync(join(scratch, `stdout${at}`)) };
      };
      return [resultAt(0), resultAt(1)];
    },
  };
}

/** On a full disk the file stays empty, and then the output of the command may be incomplete. */
function readStatus(file: string, args: readonly string[]): number {
  const text = readFileSync(file, 'latin1').trim();
  if (/^\d+$/.test(text)) return Number(text);
  throw new Error(
    `The exit status of \`git ${args[0]}\` could not be written to ${file}. Check the free space of the disk.`,
  );
}

function assignments(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${quote(value)} `)
    .join('');
}

function toGitError(args: readonly string[], status: number, errors: string): Error {
  const stderr = readFileSync(errors, 'utf8');
  if (status === 127 && stderr.includes('not found')) {
    return new UserError('git not found on PATH. Install git 2.30 or newer on this runner.');
  }
  return new GitError(args[0] ?? '', status, stderr);
}
