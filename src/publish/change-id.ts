/** Tells whether two jobs would publish the same change. Pure. */
import { hashOf } from '../system/hash-of.js';
import type { TreeChange } from '../workspace/git-tree.js';

/** 32 digits. The same for the same new content of the same paths, whatever the commit below is. */
export function changeId(files: readonly TreeChange[]): string {
  const content = files.map(({ path, after }) => [path, after?.mode ?? '', after?.id ?? '']);
  return hashOf(Buffer.from(JSON.stringify(content))).slice(0, 32);
}
