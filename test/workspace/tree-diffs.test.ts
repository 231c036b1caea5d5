import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Git } from '../../src/workspace/git.js';
import { isSameEntry, type TreeChange, type TreeEntry } from '../../src/workspace/git-tree.js';
import { openTreeDiffs } from '../../src/workspace/tree-diffs.js';
import { holds } from '../fakes/holds.js';

/** Path → entry. */
type Tree = Readonly<Record<string, TreeEntry>>;

const entry = fc.record({ mode: fc.constantFrom('100644', '100755'), id: fc.constantFrom('1', '2', '3') });
const tree: fc.Arbitrary<Tree> = fc.dictionary(fc.constantFrom('a', 'a/b', 'a.b', 'c', 'd'), entry, {
  noNullPrototype: true,
});

function difference(from: Tree, to: Tree): readonly TreeChange[] {
  const paths = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
  return paths
    .map((path) => ({ path, before: from[path], after: to[path] }))
    .filter(({ before, after }) => !isSameEntry(before, after));
}

/** Fails the test: every difference must be known. */
const noGit: Git = {
  run: () => Promise.reject(new Error('git was started')),
  runBoth: () => Promise.reject(new Error('git was started')),
};

describe('differences of trees', () => {
  it('follow from those to the start tree', () =>
    holds(
      fc.asyncProperty(tree, tree, tree, async (start, one, other) => {
        const diffs = openTreeDiffs('start');
        diffs.note({ from: 'start', to: 'one', changes: difference(start, one) });
        diffs.note({ from: 'start', to: 'other', changes: difference(start, other) });
        expect(await diffs.between(noGit, 'one', 'other')).toEqual(difference(one, other));
        expect(await diffs.between(noGit, 'start', 'other')).toEqual(difference(start, other));
        expect(await diffs.between(noGit, 'other', 'start')).toEqual(difference(other, start));
      }),
    ));

  it('are asked of git if they start from another tree', async () => {
    const diffs = openTreeDiffs('start');
    diffs.note({ from: 'other', to: 'one', changes: [] });
    await expect(diffs.between(noGit, 'start', 'one')).rejects.toThrow('git was started');
  });

  it('are kept for the newest trees only', async () => {
    const diffs = openTreeDiffs('start');
    for (let at = 0; at < 9; at += 1) diffs.note({ from: 'start', to: `tree-${at}`, changes: [] });
    expect(await diffs.between(noGit, 'start', 'tree-8')).toEqual([]);
    await expect(diffs.between(noGit, 'start', 'tree-0')).rejects.toThrow('git was started');
  });
});
