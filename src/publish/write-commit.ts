/** Makes the tree and the commit at GitHub. Nothing can be seen of them until a branch names the commit. */
import { isUtf8 } from 'node:buffer';
import { bytePathToText } from '../workspace/byte-path.js';
import type { ChangeCommits } from '../workspace/change-commits.js';
import type { CommitTarget, NewTreeEntry } from './commit-target.js';
import type { PlannedUpdate } from './merge-changes.js';
import { treeBatches } from './tree-batches.js';

export interface CommitRequest {
  /** The commit whose tree the updates change. */
  readonly base: string;
  readonly parents: readonly string[];
  readonly updates: readonly PlannedUpdate[];
  readonly message: string;
}

type CommitWriter = Pick<CommitTarget, 'treeOf' | 'addBlob' | 'addTree' | 'addCommit'>;

export async function writeCommitAt(
  target: CommitWriter,
  commits: Pick<ChangeCommits, 'read'>,
  { base, parents, updates, message }: CommitRequest,
): Promise<string> {
  const entries: NewTreeEntry[] = [];
  for (const update of updates) entries.push(await newEntry(target, commits, update));
  let tree = await target.treeOf(base);
  for (const batch of treeBatches(entries)) tree = await target.addTree(tree, batch);
  return target.addCommit({ tree, parents, message });
}

/** A larger text gets a request of its own. */
const maxInlineBytes = 1024 * 1024;

async function newEntry(
  target: CommitWriter,
  commits: Pick<ChangeCommits, 'read'>,
  { path, entry, current }: PlannedUpdate,
): Promise<NewTreeEntry> {
  const name = bytePathToText(path);
  if (entry === undefined) return { path: name, sha: null };
  const { mode, id } = entry;
  // Only the mode changed, so GitHub has the content.
  if (id === current?.id) return { path: name, mode, sha: id };
  const content = await commits.read(id);
  if (isInline(content)) return { path: name, mode, content: content.toString('utf8') };
  return { path: name, mode, sha: await target.addBlob(content) };
}

/** JSON carries only text: every other content becomes a blob. An empty text could count as a missing one. */
function isInline(content: Buffer): boolean {
  return content.length > 0 && content.length <= maxInlineBytes && isUtf8(content) && !content.includes(0);
}
