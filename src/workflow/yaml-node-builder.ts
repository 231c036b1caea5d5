/**
 * YAML nodes → our tree. Follows aliases, does merges (`<<`), and says which keys stand twice. Its work is
 * bounded by a number of values in which an alias counts as often as it is used, so a file that multiplies
 * itself by aliases is refused before anything is multiplied.
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
  readonly #faults: Diagnostic[] = [];
  readonly #anchors = new Map<string, { readonly tree: YamlNode; readonly size: number }>();
  /** Values so far, those behind an alias counted anew at each use. */
  #size = 0;
  #tooLarge = false;

  get problems(): readonly Diagnostic[] {
    return this.#faults;
  }

  build(node: unknown): YamlNode {
    const before = this.#size;
    this.#count(1, spanOf(node));
    const tree = this.#tooLarge ? nothing(spanOf(node)) : this.#buildNode(node);
    // Only now: an alias inside a value cannot stand for that value, so no tree is without end.
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
    return isScalar(node) ? scalar(node.value, spanOf(node)) : nothing(spanOf(node));
  }

  #follow(name: string, at: Span): YamlNode {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      const message = `The alias \`*${excerpt(name)}\` stands for nothing: no \`&${excerpt(name)}\` comes before it. Text that begins with \`*\` has to be in quotes.`;
      this.#faults.push(problem('yaml-alias', at, message));
      return nothing(at);
    }
    this.#count(target.size, at);
    return this.#tooLarge ? nothing(at) : target.tree;
  }

  #buildMap(map: YAMLMap<unknown, unknown>): YamlMap {
    const entries = new Map<string, YamlEntry>();
    const merged: YamlEntry[] = [];
    for (const entry of map.items.flatMap((pair) => this.#buildEntries(pair, map))) {
      if (entry.key === '<<') merged.push(...this.#mergedEntries(entry));
      else if (entries.has(entry.key))
        this.#faults.push(problem('duplicate-key', entry.at, twice(entry.key)));
      else entries.set(entry.key, entry);
    }
    // YAML's merge rule: a key of the mapping itself wins, then the mapping that was named first.
    for (const entry of merged) if (!entries.has(entry.key)) entries.set(entry.key, entry);
    const all = [...entries.values()];
    return { kind: 'map', entries: all, at: all[0]?.at ?? spanOf(map) };
  }

  #buildEntries(pair: Pair<unknown, unknown>, map: unknown): readonly YamlEntry[] {
    const entry = this.#buildEntry(pair, map);
    if (entry === undefined) return [];
    const called = splitRewrittenKey(entry.key, entry.at);
    if (called === undefined) return [entry];
    const path: YamlEntry = {
      key: called.key,
      at: called.at,
      value: { kind: 'scalar', value: called.path, at: called.pathAt },
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
    const hint = isMap(pair.key) ? 'text that begins with `{` has to be in quotes' : 'put it in quotes';
    this.#faults.push(problem('key-not-text', keySpan, `A key must be text: ${hint}.`));
    return undefined;
  }

  #mergedEntries(entry: YamlEntry): readonly YamlEntry[] {
    const sources = entry.value.kind === 'list' ? entry.value.items : [entry.value];
    return sources.flatMap((source) => {
      if (source.kind !== 'map') {
        this.#faults.push(
          problem('wrong-type', entry.at, '`<<` takes in mappings only, such as `<<: *name`.'),
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
    const message = `The file holds more than ${mostValues} values (one behind an alias counts at each use).`;
    this.#faults.push(problem('too-large', at, message));
  }
}

function twice(key: string): string {
  return `The key \`${excerpt(key)}\` stands twice in this mapping: remove one.`;
}

function scalar(value: unknown, at: Span): YamlScalar {
  if (typeof value === 'string') return { kind: 'scalar', value: withoutPlaceholder(value), at };
  if (typeof value === 'number' || typeof value === 'boolean') return { kind: 'scalar', value, at };
  return nothing(at);
}

function nothing(at: Span): YamlScalar {
  return { kind: 'scalar', value: null, at };
}

function spanOf(node: unknown, otherwise: Span = { start: 0, end: 0 }): Span {
  const range = (node as { range?: readonly number[] | null } | null | undefined)?.range;
  const [start, end] = range ?? [];
  return start === undefined || end === undefined ? otherwise : { start, end };
}
