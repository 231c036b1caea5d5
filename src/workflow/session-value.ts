/** The values of `session`. `docs/sessions.md` describes them. */
import type { SessionChoice } from './workflow.js';
import { childOf, type YamlNode } from './yaml-node.js';

/** Empty, `new`, `from: STEP` or `from: STEP of previous run`; `undefined` for any other text. */
export function readSessionText(text: string): SessionChoice | undefined {
  if (text.trim() === '' || text.trim() === 'new') return { mode: 'new' };
  const target = /^\s*from:\s*(\S.*?)\s*$/.exec(text)?.[1];
  if (target === undefined) return undefined;
  const quoted = withoutQuotes(target);
  if (quoted !== target) return { mode: 'from', step: quoted };
  const earlier = /^(\S.*?)\s+of\s+previous\s+run$/.exec(target)?.[1];
  return earlier === undefined
    ? { mode: 'from', step: target }
    : { mode: 'previous', step: withoutQuotes(earlier) };
}

/** The meaning of the value of `session`; `undefined` if the value is invalid. */
export function readSession(value: YamlNode): SessionChoice | undefined {
  if (value.kind === 'map') return readMapping(childOf(value, 'from'), childOf(value, 'run'));
  if (value.kind === 'list') return undefined;
  if (value.value === null) return { mode: 'new' };
  return typeof value.value === 'string' ? readSessionText(value.value) : undefined;
}

function readMapping(from: YamlNode | undefined, run: YamlNode | undefined): SessionChoice | undefined {
  const step = wordOf(from);
  if (step === undefined) return undefined;
  if (run === undefined) return { mode: 'from', step };
  return wordOf(run) === 'previous' ? { mode: 'previous', step } : undefined;
}

function wordOf(node: YamlNode | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string'
    ? node.value.trim() || undefined
    : undefined;
}

// In `session: from: "tests"` on one line, YAML does not read the quotes, because it reads all of it as one text.
function withoutQuotes(target: string): string {
  return /^(["']).*\1$/.test(target) ? target.slice(1, -1).trim() : target;
}
