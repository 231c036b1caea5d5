/** The values of `session`. `docs/sessions.md` describes them. */
import type { SessionChoice } from './workflow.js';
import { childOf, type YamlNode } from './yaml-node.js';

/** Empty, `new` or `from: STEP`; `undefined` for any other text. */
export function readSessionText(text: string): SessionChoice | undefined {
  if (text.trim() === '' || text.trim() === 'new') return { mode: 'new' };
  const target = /^\s*from:\s*(\S.*?)\s*$/.exec(text)?.[1];
  return target === undefined ? undefined : { mode: 'from', step: withoutQuotes(target) };
}

/** The meaning of the value of `session`; `undefined` if the value is invalid. */
export function readSession(value: YamlNode): SessionChoice | undefined {
  if (value.kind === 'map') return readFromTarget(childOf(value, 'from'));
  if (value.kind === 'list') return undefined;
  if (value.value === null) return { mode: 'new' };
  return typeof value.value === 'string' ? readSessionText(value.value) : undefined;
}

function readFromTarget(target: YamlNode | undefined): SessionChoice | undefined {
  if (target?.kind !== 'scalar' || typeof target.value !== 'string') return undefined;
  return target.value.trim() === '' ? undefined : { mode: 'from', step: target.value.trim() };
}

// In `session: from: "tests"` on one line, YAML does not read the quotes, because it reads all of it as one text.
function withoutQuotes(target: string): string {
  return /^(["']).*\1$/.test(target) ? target.slice(1, -1).trim() : target;
}
