/** Finds the place in the file for a path into its data. */
import type { Span } from './diagnostic.js';
import { entryOf, type YamlNode } from './yaml-node.js';

export type DataPath = readonly PropertyKey[];

export interface LocatedNode {
  /** The value at the end of the path, or the last one on the way that exists. */
  readonly tree: YamlNode;
  /** The span of a scalar itself; for a mapping or a list, the span of its key or of the item. */
  readonly at: Span;
  /** Whether every segment of the path exists. */
  readonly isFound: boolean;
}

export function locateNode(root: YamlNode, path: DataPath): LocatedNode {
  let found: LocatedNode = { tree: root, at: root.at, isFound: true };
  for (const segment of path) {
    const next = locateChild(found.tree, segment);
    if (next === undefined) return { ...found, isFound: false };
    found = next;
  }
  return found;
}

function locateChild(tree: YamlNode, segment: PropertyKey): LocatedNode | undefined {
  if (tree.kind === 'list') {
    const item = tree.items[Number(segment)];
    return item && { tree: item, at: item.at, isFound: true };
  }
  const entry = entryOf(tree, String(segment));
  if (entry === undefined) return undefined;
  const at = entry.value.kind === 'scalar' ? entry.value.at : entry.at;
  return { tree: entry.value, at, isFound: true };
}
