/** The values of a workflow file and where each stands, free of YAML: aliases followed, merges done. */
import type { Span } from './diagnostic.js';

export type Tree = ScalarTree | ListTree | MapTree;

export interface ScalarTree {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  readonly at: Span;
}

export interface ListTree {
  readonly kind: 'list';
  readonly items: readonly Tree[];
  /** The first item, or the brackets of an empty list. */
  readonly at: Span;
}

export interface MapTree {
  readonly kind: 'map';
  readonly entries: readonly Entry[];
  /** The first key, or the braces of an empty mapping. */
  readonly at: Span;
}

export interface Entry {
  readonly key: string;
  /** The key. */
  readonly at: Span;
  readonly value: Tree;
}

/** What a mapping holds under a key; `undefined` also when it is no mapping. */
export function entryOf(tree: Tree | undefined, key: string): Entry | undefined {
  return tree?.kind === 'map' ? tree.entries.find((entry) => entry.key === key) : undefined;
}

export function childOf(tree: Tree | undefined, key: string): Tree | undefined {
  return entryOf(tree, key)?.value;
}

/** As plain data. Values that stand in several places by an alias are one and the same object. */
export function toData(tree: Tree): unknown {
  if (tree.kind === 'scalar') return tree.value;
  if (tree.kind === 'list') return tree.items.map(toData);
  return Object.fromEntries(tree.entries.map((entry) => [entry.key, toData(entry.value)]));
}
