/** Which branch is checked out. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Repository } from './repository.js';

/** The short name of the branch, for example `main`. `undefined` if HEAD is detached. */
export function headBranch({ gitDirectory }: Pick<Repository, 'gitDirectory'>): string | undefined {
  return /^ref: refs\/heads\/(.*)\n?$/.exec(readFileSync(join(gitDirectory, 'HEAD'), 'utf8'))?.[1];
}
