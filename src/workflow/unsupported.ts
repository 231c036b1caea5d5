/**
 * What the language has and this version of the action does not run: refused by name, never ignored. A row
 * goes away when its part is built.
 */
import type { YamlNode } from './yaml-node.js';

/** The places in which keys stand. */
export type WorkflowSection =
  | 'root'
  | 'step'
  | 'get'
  | 'run'
  | 'guard'
  | 'context'
  | 'prompt'
  | 'gate'
  | 'retry'
  | 'session';

/** The types of step that the language keeps for itself. */
const unsupportedTypes = ['search', 'scrape', 'surf', 'use', 'doc'];

const unsupportedMessage = (what: string): string =>
  `${what} belongs to the language, but this version of the action does not run it.`;

/** The message for a key that does not run yet; `undefined` for any other key. */
export function unsupportedKey(section: WorkflowSection, key: string): string | undefined {
  return section === 'session' && key === 'run' ? unsupportedMessage(`\`${key}\``) : undefined;
}

/** The same for the value of a key that itself is known. */
export function unsupportedValue(key: string, value: YamlNode): string | undefined {
  if (key !== 'type' || value.kind !== 'scalar' || typeof value.value !== 'string') return undefined;
  const word = value.value.trim();
  return unsupportedTypes.includes(word) ? unsupportedMessage(`\`type: ${word}\``) : undefined;
}
