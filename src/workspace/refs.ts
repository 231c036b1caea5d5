/** Reads branches from git's files. Does not support the reftable format of git 2.45. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Commit of a branch by its full name. `undefined` if the branch does not exist. */
export function readBranch(commonDirectory: string, name: string): string | undefined {
  // The branch's own file takes precedence over the list of packed branches: git-pack-refs(1).
  const loose = readText(join(commonDirectory, name))?.trim();
  return loose || packedBranch(readText(join(commonDirectory, 'packed-refs')) ?? '', name);
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
