/**
 * Removes the author's own keys, and reads spellings of the language's documentation that mean something else in
 * YAML. After this the tree contains only what the language defines.
 */
import { entryOf, type YamlEntry, type YamlMap, type YamlNode } from './yaml-node.js';

/** Removes keys that begin with `x-`, and reads `agent: {impl.agent}` as a template. */
export function normalize(tree: YamlNode): YamlNode {
  if (tree.kind === 'scalar') return tree;
  if (tree.kind === 'list') return { ...tree, items: tree.items.map(normalize) };
  const own = tree.entries.filter(({ key }) => !key.startsWith('x-'));
  return {
    ...tree,
    entries: own.map((entry) => ({ ...entry, value: normalize(normalizeEntryValue(entry)) })),
  };
}

function normalizeEntryValue({ key, value }: YamlEntry): YamlNode {
  return key === 'agent' && value.kind === 'map' ? (readUnquotedTemplate(value) ?? value) : value;
}

// `agent: {impl.agent}` without quotes is a YAML mapping with one key and no value.
function readUnquotedTemplate(map: YamlMap): YamlNode | undefined {
  const [only, ...more] = map.entries;
  if (only === undefined || more.length > 0) return undefined;
  const value = entryOf(map, only.key)?.value;
  if (value?.kind !== 'scalar' || value.value !== null) return undefined;
  return { kind: 'scalar', value: `{${only.key}}`, at: only.at };
}
