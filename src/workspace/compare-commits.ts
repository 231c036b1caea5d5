/** How two commits of the repository relate. Reads objects only. */
import { type Git, GitError } from './git.js';
import { patchBetween } from './patch.js';

export interface CommitComparison {
  /** The newest commit that both have in common. */
  readonly mergeBase: string;
  /** The paths that differ between the merge base and the head, relative to the top of the repository. */
  readonly files: readonly string[];
}

/** `undefined` if the checkout does not have what is needed, for example because it is shallow. */
export async function compareCommits(
  git: Git,
  base: string,
  head: string,
): Promise<CommitComparison | undefined> {
  try {
    const found = await git.run(['merge-base', base, head]);
    const mergeBase = found.stdout.toString('utf8').trim();
    const changed = await git.run(['diff-tree', '-r', '--name-only', '-z', mergeBase, head]);
    const files = changed.stdout.toString('utf8').split('\0');
    return { mergeBase, files: files.filter((file) => file !== '') };
  } catch (error) {
    if (error instanceof GitError) return undefined;
    throw error;
  }
}

/** The difference between two commits as a patch. `undefined` if the checkout does not have them. */
export async function diffOfCommits(
  git: Git,
  scratch: string,
  base: string,
  head: string,
): Promise<string | undefined> {
  try {
    return await patchBetween(git, scratch, `${base}^{tree}`, `${head}^{tree}`);
  } catch (error) {
    if (error instanceof GitError) return undefined;
    throw error;
  }
}
