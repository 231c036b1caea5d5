/**
 * What the language has and this version of the action does not run: refused by name, never ignored. A row
 * goes away when its part is built.
 */
import type { Tree } from './tree.js';

/** The places in which keys stand. */
export type Place =
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
const types = ['search', 'scrape', 'surf', 'use', 'doc'];

const refused = (what: string): string =>
  `${what} belongs to the language, but this version of the action does not run it.`;

/** The message for a key that does not run yet; `undefined` for any other key. */
export function laterKey(place: Place, key: string): string | undefined {
  return place === 'session' && key === 'run' ? refused(`\`${key}\``) : undefined;
}

/** The same for the value of a key that itself is known. */
export function laterValue(key: string, value: Tree): string | undefined {
  if (key !== 'type' || value.kind !== 'scalar' || typeof value.value !== 'string') return undefined;
  const word = value.value.trim();
  return types.includes(word) ? refused(`\`type: ${word}\``) : undefined;
}
