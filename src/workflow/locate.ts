/** Path into the data → place in the file. */
import type { Span } from './diagnostic.js';
import { entryOf, type YamlNode } from './yaml-node.js';

export type DataPath = readonly PropertyKey[];

export interface LocatedNode {
  /** Where the path ends, or the last thing on the way that is there. */
  readonly tree: YamlNode;
  /** Points at text as it is, at a mapping or a list by the key or the place that holds it. */
  readonly at: Span;
  /** Whether the path could be walked to its end. */
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
