/**
 * Builds our tree from YAML nodes: follows aliases, applies merges (`<<`) and reports duplicate keys. A maximum
 * number of values bounds the work. The values behind an alias count at every use, so a file that grows
 * exponentially by aliases is rejected before it grows.
 */
import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
import { type Diagnostic, problem, type Span } from './diagnostic.js';
import { splitRewrittenKey } from './nested-inputs.js';
import { withoutPlaceholder } from './one-line-session.js';
import { excerpt } from './source-line.js';
import type { YamlEntry, YamlMap, YamlNode, YamlScalar } from './yaml-node.js';

// A workflow of a thousand steps has about twenty thousand.
const mostValues = 50_000;

export interface YamlBuildResult {
  readonly tree: YamlNode;
  readonly problems: readonly Diagnostic[];
}

export function buildYamlNode(root: Node): YamlBuildResult {
  const builder = new YamlNodeBuilder();
  const tree = builder.build(root);
  return { tree, problems: builder.problems };
}

class YamlNodeBuilder {
  readonly #problems: Diagnostic[] = [];
  readonly #anchors = new Map<string, { readonly tree: YamlNode; readonly size: number }>();
  /** Number of values so far; the values behind an alias count at every use. */
  #size = 0;
  #tooLarge = false;

  get problems(): readonly Diagnostic[] {
    return this.#problems;
  }

  build(node: unknown): YamlNode {
    const before = this.#size;
    this.#count(1, spanOf(node));
    const tree = this.#tooLarge ? emptyScalar(spanOf(node)) : this.#buildNode(node);
    // The anchor is registered only now, so that an alias inside a value cannot refer to that value. Otherwise
    // the tree could be infinite.
    const anchor = isAlias(node) ? undefined : (node as { anchor?: string } | null)?.anchor;
    if (anchor !== undefined) this.#anchors.set(anchor, { tree, size: this.#size - before });
    return tree;
  }

  #buildNode(node: unknown): YamlNode {
    if (isAlias(node)) return this.#follow(node.source, spanOf(node));
    if (isMap(node)) return this.#buildMap(node);
    if (isSeq(node)) {
      const items = node.items.map((item) => this.build(item));
      return { kind: 'list', items, at: items[0]?.at ?? spanOf(node) };
    }
    return isScalar(node) ? scalar(node.value, spanOf(node)) : emptyScalar(spanOf(node));
  }

  #follow(name: string, at: Span): YamlNode {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      const message = `The alias \`*${excerpt(name)}\` has no anchor \`&${excerpt(name)}\` before it. If it is text, put it in quotes.`;
      this.#problems.push(problem('yaml-alias', at, message));
      return emptyScalar(at);
    }
    this.#count(target.size, at);
    return this.#tooLarge ? emptyScalar(at) : target.tree;
  }

  #buildMap(map: YAMLMap<unknown, unknown>): YamlMap {
    const entries = new Map<string, YamlEntry>();
    const merged: YamlEntry[] = [];
    for (const entry of map.items.flatMap((pair) => this.#buildEntries(pair, map))) {
      if (entry.key === '<<') merged.push(...this.#mergedEntries(entry));
      else if (entries.has(entry.key))
        this.#problems.push(problem('duplicate-key', entry.at, duplicateKey(entry.key)));
      else entries.set(entry.key, entry);
    }
    // YAML's merge rule: a key of the mapping itself takes precedence, then the mapping that is named first.
    for (const entry of merged) if (!entries.has(entry.key)) entries.set(entry.key, entry);
    const all = [...entries.values()];
    return { kind: 'map', entries: all, at: all[0]?.at ?? spanOf(map) };
  }

  #buildEntries(pair: Pair<unknown, unknown>, map: unknown): readonly YamlEntry[] {
    const entry = this.#buildEntry(pair, map);
    if (entry === undefined) return [];
    const rewritten = splitRewrittenKey(entry.key, entry.at);
    if (rewritten === undefined) return [entry];
    const path: YamlEntry = {
      key: rewritten.key,
      at: rewritten.at,
      value: { kind: 'scalar', value: rewritten.path, at: rewritten.pathAt },
    };
    return [path, { key: 'with', at: entry.value.at, value: entry.value }];
  }

  #buildEntry(pair: Pair<unknown, unknown>, map: unknown): YamlEntry | undefined {
    const keySpan = spanOf(pair.key, spanOf(map));
    const value = this.build(pair.value ?? undefined);
    if (isScalar(pair.key) && typeof pair.key.value === 'string') {
      const empty = value.kind === 'scalar' && value.at.end === value.at.start;
      return { key: pair.key.value, at: keySpan, value: empty ? { ...value, at: keySpan } : value };
    }
    const hint = isMap(pair.key) ? 'Put text that begins with `{` in quotes' : 'Put it in quotes';
    this.#problems.push(problem('key-not-text', keySpan, `A key must be text. ${hint}.`));
    return undefined;
  }

  #mergedEntries(entry: YamlEntry): readonly YamlEntry[] {
    const sources = entry.value.kind === 'list' ? entry.value.items : [entry.value];
    return sources.flatMap((source) => {
      if (source.kind !== 'map') {
        this.#problems.push(
          problem(
            'wrong-type',
            entry.at,
            '`<<` merges only mappings. Write for example `<<: *name`, where `name` is a mapping.',
          ),
        );
        return [];
      }
      this.#count(source.entries.length, entry.at);
      return this.#tooLarge ? [] : source.entries;
    });
  }

  #count(values: number, at: Span): void {
    this.#size += values;
    if (this.#tooLarge || this.#size <= mostValues) return;
    this.#tooLarge = true;
    const message = `The file contains more than ${mostValues} values; the values behind an alias count at every use. Split the workflow into several files.`;
    this.#problems.push(problem('too-large', at, message));
  }
}

function duplicateKey(key: string): string {
  return `Duplicate key \`${excerpt(key)}\`. Remove one of the two entries.`;
}

function scalar(value: unknown, at: Span): YamlScalar {
  if (typeof value === 'string') return { kind: 'scalar', value: withoutPlaceholder(value), at };
  if (typeof value === 'number' || typeof value === 'boolean') return { kind: 'scalar', value, at };
  return emptyScalar(at);
}

function emptyScalar(at: Span): YamlScalar {
  return { kind: 'scalar', value: null, at };
}

function spanOf(node: unknown, otherwise: Span = { start: 0, end: 0 }): Span {
  const range = (node as { range?: readonly number[] | null } | null | undefined)?.range;
  const [start, end] = range ?? [];
  return start === undefined || end === undefined ? otherwise : { start, end };
}
