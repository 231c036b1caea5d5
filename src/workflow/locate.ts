/** Path into the data → place in the file. */
import type { Span } from './diagnostic.js';
import { entryOf, type Tree } from './tree.js';

export type Path = readonly PropertyKey[];

export interface Found {
  /** Where the path ends, or the last thing on the way that is there. */
  readonly tree: Tree;
  /** Points at text as it is, at a mapping or a list by the key or the place that holds it. */
  readonly at: Span;
  /** Whether the path could be walked to its end. */
  readonly isThere: boolean;
}

export function locate(root: Tree, path: Path): Found {
  let found: Found = { tree: root, at: root.at, isThere: true };
  for (const segment of path) {
    const next = step(found.tree, segment);
    if (next === undefined) return { ...found, isThere: false };
    found = next;
  }
  return found;
}

function step(tree: Tree, segment: PropertyKey): Found | undefined {
  if (tree.kind === 'list') {
    const item = tree.items[Number(segment)];
    return item && { tree: item, at: item.at, isThere: true };
  }
  const entry = entryOf(tree, String(segment));
  if (entry === undefined) return undefined;
  const at = entry.value.kind === 'scalar' ? entry.value.at : entry.at;
  return { tree: entry.value, at, isThere: true };
}
