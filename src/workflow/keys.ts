/** A key that a place does not have: what is said of it. */
import type { Code } from './codes.js';
import { gateTypes } from './gates.js';
import { laterKey, type Place } from './later.js';
import { excerpt } from './source-line.js';
import { closest, didYouMean } from './suggest.js';
import * as syntax from './syntax.js';
import type { Tree } from './tree.js';

export interface KeyFault {
  readonly code: Code;
  readonly message: string;
}

const known: Readonly<Record<Place, readonly string[]>> = {
  root: Object.keys(syntax.root.shape),
  step: Object.keys(syntax.step.shape),
  get: Object.keys(syntax.getBlock.shape),
  run: Object.keys(syntax.runBlock.shape),
  guard: Object.keys(syntax.guard.shape),
  context: Object.keys(syntax.contextEntry.shape),
  prompt: Object.keys(syntax.promptFile.shape),
  gate: [...gateTypes],
  retry: Object.keys(syntax.retryEntry.shape),
  session: Object.keys(syntax.sessionMapping.shape),
};

/** Keys of the language's former version; they had no effect any more where the action came to it. */
const deprecated: Readonly<Partial<Record<Place, readonly string[]>>> = {
  root: ['inputs', 'review', 'description'],
  step: ['output', 'on_failure', 'strategy', 'restart_from', 'replan', 'foreach', 'recipe'],
};

const titles: Readonly<Record<Place, string>> = {
  root: 'the workflow',
  step: 'a step',
  get: '`get`',
  run: '`run`',
  guard: '`guard`',
  context: 'an entry of `context`',
  prompt: 'a `prompt`',
  gate: 'a gate',
  retry: 'a retry entry',
  session: '`session`',
};

/** Whether one of the mapping's keys looks like a slip of this one: then it is not missing as well. */
export function isMisspelt(key: string, tree: Tree | undefined, place: Place): boolean {
  if (tree?.kind !== 'map') return false;
  return tree.entries.some((entry) => !known[place].includes(entry.key) && closest(entry.key, [key]) === key);
}

/** What is wrong with a key that the schema of this place does not list. */
export function keyFault(place: Place, key: string): KeyFault {
  const notYet = laterKey(place, key);
  if (notYet !== undefined) return { code: 'not-supported-yet', message: notYet };
  if (deprecated[place]?.includes(key)) return { code: 'deprecated-key', message: withoutEffect(key) };
  if (place === 'step' && key === 'validate') {
    return { code: 'removed-key', message: '`validate` is no key of a step any more: use `gate`.' };
  }
  return (place === 'gate' ? gateFault(key) : undefined) ?? misplaced(place, key) ?? unknown(place, key);
}

function withoutEffect(key: string): string {
  return `\`${key}\` has no effect since version 0.0.4 of the language: remove it.`;
}

function gateFault(key: string): KeyFault | undefined {
  if (!gateTypes.includes(key)) return undefined;
  return { code: 'gate-argument', message: `The gate \`${key}\` takes no argument: write \`- ${key}\`.` };
}

const withoutNeighbours: readonly Place[] = ['gate', 'session', 'context', 'prompt'];

function misplaced(place: Place, key: string): KeyFault | undefined {
  if (withoutNeighbours.includes(place)) return undefined;
  const home = (['get', 'run', 'step', 'guard', 'root'] as const).find((other) =>
    isAtHome(other, place, key),
  );
  if (home === undefined) return undefined;
  const message = `\`${key}\` does not belong in ${titles[place]}, but in ${titles[home]}: move it there.`;
  return { code: 'misplaced-key', message };
}

// A retry entry looks like a step in many ways; only what says what the step itself is can be told from a slip.
function isAtHome(home: Place, place: Place, key: string): boolean {
  if (home === place || (place === 'root' && home !== 'step')) return false;
  return known[home].includes(key) || laterKey(home, key) !== undefined;
}

function unknown(place: Place, key: string): KeyFault {
  const near = didYouMean(key, known[place]);
  const all =
    near === '' ? ` There ${known[place].length === 1 ? 'is' : 'are'}: ${known[place].join(', ')}.` : near;
  const message = `There is no key \`${excerpt(key)}\` in ${titles[place]}.${all}`;
  return { code: place === 'gate' ? 'unknown-gate' : 'unknown-key', message };
}
