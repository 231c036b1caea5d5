/**
 * Prepares the process so that `@actions/cache` stores the same content under the same name on every machine. The
 * client takes its settings from the process: the working directory, `GITHUB_WORKSPACE` (names in its archive are
 * relative to it), `RUNNER_TEMP` (where it packs) and PATH (which tools it packs with). The version of an entry is a
 * hash of names and compression, so the client finds nothing if they differ.
 */
import { chmodSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { isProgram } from '../system/programs.js';

/** The name under which the client packs every checkpoint, on every machine. */
export const cachedName = 'checkpoint.gump';

type MutableEnvironment = Record<string, string | undefined>;

/** Maximum size unpacked from a cache entry: 1.5 GB, in the blocks of 512 bytes that `ulimit -f` uses. */
const maxUnpackedBlocks = 3_000_000;

/**
 * Changes the working directory of the process to `privateDirectory` (created if missing), and PATH, GITHUB_WORKSPACE
 * and RUNNER_TEMP in `env`, which must be `process.env` so that the client sees them. Call it once. Before the call,
 * copy the environment; afterwards, give every child process its own environment and working directory. Throws if the
 * directory cannot be created.
 */
export function prepareCacheClient(privateDirectory: string, env: MutableEnvironment): void {
  mkdirSync(privateDirectory, { recursive: true, mode: 0o700 });
  chmodSync(privateDirectory, 0o700);
  // The client compares this path with the working directory, in which links are resolved (macOS: /tmp is a link).
  const directory = realpathSync(privateDirectory);
  env.PATH = createTools(join(directory, 'bin'), env.PATH ?? '');
  env.GITHUB_WORKSPACE = directory;
  env.RUNNER_TEMP = join(directory, 'temp');
  process.chdir(directory);
}

// Without `zstd` on PATH the client uses gzip, which every machine has. This costs nothing, because checkpoints are
// already compressed.
function createTools(toolDirectory: string, path: string): string {
  mkdirSync(toolDirectory, { recursive: true, mode: 0o700 });
  // Without the last condition, a second call in one process would make the wrapper call itself.
  const directories = path
    .split(delimiter)
    .filter((other) => other.startsWith('/') && other !== toolDirectory);
  for (const name of ['sh', 'gzip']) {
    const program = findProgram(name, directories);
    if (program !== undefined) link(program, join(toolDirectory, name));
  }
  for (const name of ['tar', 'gtar']) {
    const program = findProgram(name, directories);
    if (program !== undefined) writeFileSync(join(toolDirectory, name), tarWrapper(program), { mode: 0o700 });
  }
  return toolDirectory;
}

/**
 * The client writes cache content to disk before it is authenticated, and unpacks with `-P`: an entry from somebody
 * else could write to any path. Therefore the wrapper removes `-P` and unpacks only the one name of a checkpoint, up to
 * a maximum size.
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

function link(target: string, path: string): void {
  try {
    symlinkSync(target, path);
  } catch (error) {
    // `main` and `post` of one job prepare the same directory, one after the other.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

function findProgram(name: string, directories: readonly string[]): string | undefined {
  return directories.map((directory) => join(directory, name)).find(isProgram);
}
