/**
 * Makes the process such that `@actions/cache` stores the same thing under the same name on every machine.
 * The client takes its settings from the process: the working directory, `GITHUB_WORKSPACE` (to which names
 * in its archive are relative), `RUNNER_TEMP` (where it packs) and PATH (which tools pack). Names and
 * compression are hashed into the version of an entry; where they differ, nothing is found.
 */
import { chmodSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { isProgram } from '../system/programs.js';

/** The one name under which the client sees a checkpoint, on every machine. */
export const cachedName = 'checkpoint.gump';

type MutableEnvironment = Record<string, string | undefined>;

/** The most that is unpacked from a cache entry, in the blocks of 512 bytes that `ulimit -f` counts: 1.5 GB. */
const maxUnpackedBlocks = 3_000_000;

/**
 * Moves the process into `privateDirectory` (made when missing) and changes PATH, GITHUB_WORKSPACE and
 * RUNNER_TEMP in `env`, which has to be `process.env` for the client to see it. Called once, by whoever puts
 * the action together, who has taken a copy of the environment before and gives every child process its own
 * environment and working directory. Throws when the directory cannot be made.
 */
export function prepareCacheClient(privateDirectory: string, env: MutableEnvironment): void {
  mkdirSync(privateDirectory, { recursive: true, mode: 0o700 });
  chmodSync(privateDirectory, 0o700);
  // Resolved, for the client compares it with the working directory, which always is (macOS: /tmp is a link).
  const directory = realpathSync(privateDirectory);
  env.PATH = makeTools(join(directory, 'bin'), env.PATH ?? '');
  env.GITHUB_WORKSPACE = directory;
  env.RUNNER_TEMP = join(directory, 'temp');
  process.chdir(directory);
}

// Without `zstd` on PATH the client takes gzip, which every machine has. It loses nothing: what it packs is
// compressed already.
function makeTools(folder: string, path: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Prepared once more in one process, the wrapper would find and call itself.
  const folders = path.split(delimiter).filter((other) => other.startsWith('/') && other !== folder);
  for (const name of ['sh', 'gzip']) {
    const program = findProgram(name, folders);
    if (program !== undefined) link(program, join(folder, name));
  }
  for (const name of ['tar', 'gtar']) {
    const program = findProgram(name, folders);
    if (program !== undefined) writeFileSync(join(folder, name), tarWrapper(program), { mode: 0o700 });
  }
  return folder;
}

/**
 * What comes out of the cache is not authenticated before it lies on the disk, and the client unpacks with
 * `-P`: an entry that somebody else put there could write to any path. So the wrapper takes `-P` away and
 * unpacks nothing but our one name, up to a sensible size.
 */
function tarWrapper(tar: string): string {
  const program = `'${tar.replaceAll("'", "'\\''")}'`;
  return [
    '#!/bin/sh',
    'for argument do',
    '  shift',
    '  [ "$argument" = -P ] || set -- "$@" "$argument"',
    'done',
    'if [ "$1" = -xf ]; then',
    `  ulimit -f ${maxUnpackedBlocks} 2>/dev/null || :`,
    `  exec ${program} "$@" ${cachedName}`,
    'fi',
    `exec ${program} "$@"`,
    '',
  ].join('\n');
}

function link(target: string, place: string): void {
  try {
    symlinkSync(target, place);
  } catch (error) {
    // Main and post of one job prepare the same directory, one after the other.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

function findProgram(name: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => join(folder, name)).find(isProgram);
}
