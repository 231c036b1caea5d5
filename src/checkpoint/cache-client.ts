/**
 * Prepares the process so that `@actions/cache` stores the same content under the same name on every machine. The
 * client takes its settings from the process: the working directory, `GITHUB_WORKSPACE` (names in its archive are
 * relative to it), `RUNNER_TEMP` (where it packs) and PATH (which tools it packs with). The version of an entry is a
 * hash of names and compression, so the client finds nothing if they differ.
 */
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { type FileIdentity, identify, isUnchanged } from '../system/file-identity.js';
import { isProgram } from '../system/programs.js';

/** The name under which the client packs every checkpoint, on every machine. */
export const cachedName = 'checkpoint.gump';

/**
 * The same for an installed CLI, so that a checkpoint need not wait for one. It has up to 200 MB that are already
 * compressed, so it is packed without gzip: gzip takes five seconds for 100 MB of this kind.
 */
export const cachedCliName = 'cli.gump';

type MutableEnvironment = Record<string, string | undefined>;

/** Maximum size unpacked from a cache entry: 1.5 GB, in the blocks of 512 bytes that `ulimit -f` uses. */
const maxUnpackedBlocks = 3_000_000;

/** The programs with which the client packs and unpacks. */
export interface CacheTools {
  /** Those that are not on PATH. Without them, the cache cannot be used. */
  readonly missing: readonly string[];
  /**
   * Writes the client’s folder of tools again. Call it before each use: an agent may have changed the folder. Throws if
   * one of the programs themselves was replaced since the start.
   */
  renew(): void;
}

/**
 * Changes the working directory of the process to `privateDirectory` (created if missing), and PATH, GITHUB_WORKSPACE
 * and RUNNER_TEMP in `env`, which must be `process.env` so that the client sees them. Call it once. Before the call,
 * copy the environment; afterwards, give every child process its own environment and working directory. Throws if the
 * directory cannot be created.
 */
export function prepareCacheClient(privateDirectory: string, env: MutableEnvironment): CacheTools {
  mkdirSync(privateDirectory, { recursive: true, mode: 0o700 });
  chmodSync(privateDirectory, 0o700);
  // The client compares this path with the working directory, in which links are resolved (macOS: /tmp is a link).
  const directory = realpathSync(privateDirectory);
  const toolDirectory = join(directory, 'bin');
  const tools = createTools(toolDirectory, env.PATH ?? '');
  env.PATH = toolDirectory;
  env.GITHUB_WORKSPACE = directory;
  env.RUNNER_TEMP = join(directory, 'temp');
  process.chdir(directory);
  return tools;
}

const linkedTools = ['sh', 'gzip'];
/** On macOS, the client prefers `gtar`. */
const tarNames = ['tar', 'gtar'];

// Without `zstd` on PATH the client uses gzip, which every machine has. This costs nothing, because checkpoints are
// already compressed.
function createTools(toolDirectory: string, path: string): CacheTools {
  // Without the last condition, a second call in one process would make the wrapper call itself.
  const directories = path
    .split(delimiter)
    .filter((other) => other.startsWith('/') && other !== toolDirectory);
  const programs = new Map<string, FileIdentity>();
  for (const name of [...linkedTools, ...tarNames]) {
    const program = findProgram(name, directories);
    if (program !== undefined) programs.set(name, identify(program));
  }
  const renew = () => writeTools(toolDirectory, programs);
  renew();
  return { missing: [...linkedTools, 'tar'].filter((name) => !programs.has(name)), renew };
}

function writeTools(toolDirectory: string, programs: ReadonlyMap<string, FileIdentity>): void {
  for (const [name, program] of programs) {
    if (!isUnchanged(program)) throw new Error(replacedText(name, program.path));
  }
  if (lstatSync(toolDirectory, { throwIfNoEntry: false })?.isDirectory() !== true)
    rmSync(toolDirectory, { force: true });
  mkdirSync(toolDirectory, { recursive: true, mode: 0o700 });
  for (const [name, { path }] of programs) {
    // Replaced in one step, because a look-up may happen while another call packs.
    const temporary = join(toolDirectory, `.${name}.${randomUUID()}`);
    if (linkedTools.includes(name)) symlinkSync(path, temporary);
    else writeFileSync(temporary, tarWrapper(path), { mode: 0o700, flag: 'wx' });
    renameSync(temporary, join(toolDirectory, name));
  }
  // The client would use `zstd`, for example, if it found one.
  for (const name of readdirSync(toolDirectory))
    if (!programs.has(name)) rmSync(join(toolDirectory, name), { recursive: true, force: true });
}

function replacedText(name: string, path: string): string {
  return `the program \`${name}\` (${path}) was replaced during the run`;
}

/**
 * The client writes cache content to disk before it is authenticated, and unpacks with `-P`: an entry from somebody
 * else could write to any path. It also packs with options that only GNU and BSD `tar` have, not the one of busybox
 * (Alpine). Therefore the wrapper takes only the archive, the folder and the list of names from the client's command,
 * packs and unpacks only the name of a checkpoint or that of a CLI, up to a maximum size, and uses only options that
 * every `tar` has. The command to unpack has no name, so the wrapper tries both.
 *
 * It unpacks next to the archive, which has a new folder for each call, so that calls can run at the same time.
 */
function tarWrapper(tar: string): string {
  const program = `'${tar.replaceAll("'", "'\\''")}'`;
  return [
    '#!/bin/sh',
    'mode= archive= directory=. manifest=/dev/null name=',
    'while [ $# -gt 0 ]; do',
    '  case "$1" in',
    '    -cf | -xf | -tf) mode=$1 archive=$2; shift ;;',
    '    -C) directory=$2; shift ;;',
    '    --files-from) manifest=$2; shift ;;',
    '  esac',
    '  shift',
    'done',
    'case "$mode" in',
    '  -cf) read -r name <"$manifest"',
    `    [ "$name" = ${cachedCliName} ] && exec ${program} -cf "$archive" -C "$directory" ${cachedCliName}`,
    `    exec ${program} -czf "$archive" -C "$directory" ${cachedName} ;;`,
    `  -xf) ulimit -f ${maxUnpackedBlocks} 2>/dev/null || :`,
    `    ${program} -xzf "$archive" -C "\${archive%/*}" ${cachedName} 2>/dev/null && exit`,
    `    exec ${program} -xf "$archive" -C "\${archive%/*}" ${cachedCliName} ;;`,
    `  -tf) ${program} -tzf "$archive" 2>/dev/null || exec ${program} -tf "$archive"`,
    '    exit ;;',
    'esac',
    'exit 2',
    '',
  ].join('\n');
}

function findProgram(name: string, directories: readonly string[]): string | undefined {
  return directories.map((directory) => join(directory, name)).find(isProgram);
}
