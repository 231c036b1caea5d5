/** The spellings of `session` (contract 5.1). */

import type { SessionChoice } from './workflow.js';
import { childOf, type YamlNode } from './yaml-node.js';

const fromPattern = /^\s*from:\s*(\S.*?)\s*$/;

/** Whether a text is one of those that `session` takes: nothing, `new`, `from: STEP`. */
export function isSessionText(text: string): boolean {
  return text.trim() === '' || text.trim() === 'new' || fromPattern.test(text);
}

/** What the value of `session` says; `undefined` where it says nothing that can be read. */
export function readSession(value: YamlNode): SessionChoice | undefined {
  if (value.kind === 'map') return readFromTarget(childOf(value, 'from'));
  if (value.kind === 'list') return undefined;
  if (value.value === null) return { mode: 'new' };
  if (typeof value.value !== 'string' || !isSessionText(value.value)) return undefined;
  const target = fromPattern.exec(value.value)?.[1];
  return target === undefined ? { mode: 'new' } : { mode: 'from', step: withoutQuotes(target) };
}

function readFromTarget(target: YamlNode | undefined): SessionChoice | undefined {
  if (target?.kind !== 'scalar' || typeof target.value !== 'string') return undefined;
  return target.value.trim() === '' ? undefined : { mode: 'from', step: target.value.trim() };
}

// `session: from: "tests"` on one line: the quotes are YAML's, but YAML never saw them as such.
function withoutQuotes(target: string): string {
  return /^(["']).*\1$/.test(target) ? target.slice(1, -1).trim() : target;
}
