/**
 * Parts of the language that this version of the action does not support. They are errors, never ignored. When the
 * action supports a part, remove its entry here.
 */
import type { YamlNode } from './yaml-node.js';

/** The parts of a workflow that have keys. */
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

/** Types of step that the language reserves. */
const unsupportedTypes = ['search', 'scrape', 'surf', 'use', 'doc'];

const unsupportedMessage = (what: string): string =>
  `${what} is part of the language, but this version of the action does not support it: remove it.`;

/** The message for an unsupported value of a known key; `undefined` for any other value. */
export function unsupportedValue(key: string, value: YamlNode): string | undefined {
  if (key !== 'type' || value.kind !== 'scalar' || typeof value.value !== 'string') return undefined;
  const word = value.value.trim();
  return unsupportedTypes.includes(word) ? unsupportedMessage(`\`type: ${word}\``) : undefined;
}
