/** The values of a workflow file and where each stands, free of YAML: aliases followed, merges done. */
import type { Span } from './diagnostic.js';

/** A value and the place in the file where it stands. */
export interface Located<T> {
  readonly value: T;
  readonly at: Span;
}

export type YamlNode = YamlScalar | YamlList | YamlMap;

export interface YamlScalar {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  readonly at: Span;
}

export interface YamlList {
  readonly kind: 'list';
  readonly items: readonly YamlNode[];
  /** The first item, or the brackets of an empty list. */
  readonly at: Span;
}

export interface YamlMap {
  readonly kind: 'map';
  readonly entries: readonly YamlEntry[];
  /** The first key, or the braces of an empty mapping. */
  readonly at: Span;
}

export interface YamlEntry {
  readonly key: string;
  /** The key. */
  readonly at: Span;
  readonly value: YamlNode;
}

/** What a mapping holds under a key; `undefined` also when it is no mapping. */
export function entryOf(tree: YamlNode | undefined, key: string): YamlEntry | undefined {
  return tree?.kind === 'map' ? tree.entries.find((entry) => entry.key === key) : undefined;
}

export function childOf(tree: YamlNode | undefined, key: string): YamlNode | undefined {
  return entryOf(tree, key)?.value;
}

/** The items of a list that are mappings; none where there is no list. */
export function mappingsIn(tree: YamlNode | undefined): readonly YamlMap[] {
  return tree?.kind === 'list' ? tree.items.filter((item) => item.kind === 'map') : [];
}

/** The text under a key, with its place; `undefined` where there is none or it is blank. */
export function textIn(tree: YamlNode | undefined, key: string): Located<string> | undefined {
  return writtenText(childOf(tree, key));
}

export function writtenText(tree: YamlNode | undefined): Located<string> | undefined {
  if (tree?.kind !== 'scalar' || typeof tree.value !== 'string' || tree.value.trim() === '') return undefined;
  return { value: tree.value, at: tree.at };
}

/** As plain data. Values that stand in several places by an alias are one and the same object. */
export function toData(tree: YamlNode): unknown {
  if (tree.kind === 'scalar') return tree.value;
  if (tree.kind === 'list') return tree.items.map(toData);
  return Object.fromEntries(tree.entries.map((entry) => [entry.key, toData(entry.value)]));
}
