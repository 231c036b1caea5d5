/** The values of a workflow file and their places, independent of YAML: aliases and merges are resolved. */
import type { Span } from './diagnostic.js';

/** A value and its place in the file. */
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
  /** Span of the first item, or of the brackets of an empty list. */
  readonly at: Span;
}

export interface YamlMap {
  readonly kind: 'map';
  readonly entries: readonly YamlEntry[];
  /** Span of the first key, or of the braces of an empty mapping. */
  readonly at: Span;
}

export interface YamlEntry {
  readonly key: string;
  /** Span of the key. */
  readonly at: Span;
  readonly value: YamlNode;
}

/** The entry of a mapping with this key; `undefined` also if the node is not a mapping. */
export function entryOf(tree: YamlNode | undefined, key: string): YamlEntry | undefined {
  return tree?.kind === 'map' ? tree.entries.find((entry) => entry.key === key) : undefined;
}

export function childOf(tree: YamlNode | undefined, key: string): YamlNode | undefined {
  return entryOf(tree, key)?.value;
}

/** The items of a list that are mappings; empty if the node is not a list. */
export function mappingsIn(tree: YamlNode | undefined): readonly YamlMap[] {
  return tree?.kind === 'list' ? tree.items.filter((item) => item.kind === 'map') : [];
}

/** The text under a key, with its place; `undefined` if it is missing or blank. */
export function textIn(tree: YamlNode | undefined, key: string): Located<string> | undefined {
  return writtenText(childOf(tree, key));
}

export function writtenText(tree: YamlNode | undefined): Located<string> | undefined {
  if (tree?.kind !== 'scalar' || typeof tree.value !== 'string' || tree.value.trim() === '') return undefined;
  return { value: tree.value, at: tree.at };
}

/** Returns the node as plain data. Values that an alias repeats are the same object. */
export function toData(tree: YamlNode): unknown {
  if (tree.kind === 'scalar') return tree.value;
  if (tree.kind === 'list') return tree.items.map(toData);
  return Object.fromEntries(tree.entries.map((entry) => [entry.key, toData(entry.value)]));
}
