/** Reads and writes branches in git's files. Does not support the reftable format of git 2.45. */
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Commit of a branch by its full name. `undefined` if the branch does not exist. */
export function readBranch(commonDirectory: string, name: string): string | undefined {
  // The branch's own file takes precedence over the list of packed branches: git-pack-refs(1).
  const loose = readText(join(commonDirectory, name))?.trim();
  return loose || packedBranch(readText(join(commonDirectory, 'packed-refs')) ?? '', name);
}

/** Sets a branch, whatever an agent left at its path. Uses no git command, because those read the repository's settings. */
export function writeBranch(commonDirectory: string, name: string, commit: string): void {
  const file = join(commonDirectory, name);
  rmSync(`${file}.lock`, { force: true });
  // A branch `a` and a branch `a/b` exclude each other.
  for (let above = dirname(file); above.length > commonDirectory.length; above = dirname(above))
    if (lstatSync(above, { throwIfNoEntry: false })?.isDirectory() === false) rmSync(above);
  if (lstatSync(file, { throwIfNoEntry: false })?.isDirectory()) rmSync(file, { recursive: true });
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.gump`, `${commit}\n`);
  renameSync(`${file}.gump`, file);
}

function packedBranch(list: string, name: string): string | undefined {
  const end = `\n${list}`.indexOf(` ${name}\n`);
  if (end === -1) return undefined;
  const line = `\n${list}`.slice(0, end);
  return line.slice(line.lastIndexOf('\n') + 1);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
