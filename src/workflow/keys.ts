/** Problems of unknown keys, by the section of the workflow that contains the key. */
import type { DiagnosticCode } from './diagnostic-codes.js';
import { gateTypes } from './gate-entries.js';
import { excerpt } from './source-line.js';
import { closest, didYouMean } from './suggest.js';
import * as syntax from './syntax.js';
import type { WorkflowSection } from './unsupported.js';
import type { YamlNode } from './yaml-node.js';

export interface KeyProblem {
  readonly code: DiagnosticCode;
  readonly message: string;
}

const known: Readonly<Record<WorkflowSection, readonly string[]>> = {
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

/** Keys of older versions of the language, which have no effect since version 0.0.4. */
const deprecated: Readonly<Partial<Record<WorkflowSection, readonly string[]>>> = {
  root: ['inputs', 'review', 'description'],
  step: ['output', 'on_failure', 'strategy', 'restart_from', 'replan', 'foreach', 'recipe'],
};

const titles: Readonly<Record<WorkflowSection, string>> = {
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

/** Whether a key of the mapping looks like this key misspelled. If so, this key is not reported as missing too. */
export function hasMisspelledKey(key: string, tree: YamlNode | undefined, section: WorkflowSection): boolean {
  if (tree?.kind !== 'map') return false;
  return tree.entries.some(
    (entry) => !known[section].includes(entry.key) && closest(entry.key, [key]) === key,
  );
}

/** The problem of a key that the schema of this section does not list. */
export function keyProblem(section: WorkflowSection, key: string): KeyProblem {
  if (deprecated[section]?.includes(key))
    return { code: 'deprecated-key', message: deprecatedKeyMessage(key) };
  if (section === 'step' && key === 'validate') {
    return { code: 'removed-key', message: '`validate` is no longer a key of a step: use `gate`.' };
  }
  return (
    (section === 'gate' ? gateArgumentProblem(key) : undefined) ??
    misplacedKey(section, key) ??
    unknownKey(section, key)
  );
}

function deprecatedKeyMessage(key: string): string {
  return `\`${key}\` has no effect since version 0.0.4 of the language: remove it.`;
}

function gateArgumentProblem(key: string): KeyProblem | undefined {
  if (!gateTypes.includes(key)) return undefined;
  return { code: 'gate-argument', message: `The gate \`${key}\` takes no argument: write \`- ${key}\`.` };
}

const sectionsWithoutMove: readonly WorkflowSection[] = ['gate', 'session', 'context', 'prompt'];

function misplacedKey(section: WorkflowSection, key: string): KeyProblem | undefined {
  if (sectionsWithoutMove.includes(section)) return undefined;
  const target = (['get', 'run', 'step', 'guard', 'root'] as const).find((other) =>
    isKeyOf(other, section, key),
  );
  if (target === undefined) return undefined;
  const message = `\`${key}\` does not belong in ${titles[section]}, but in ${titles[target]}: move it there.`;
  return { code: 'misplaced-key', message };
}

// At the top of the workflow, only keys of a step are likely to be misplaced.
function isKeyOf(target: WorkflowSection, section: WorkflowSection, key: string): boolean {
  if (target === section || (section === 'root' && target !== 'step')) return false;
  return known[target].includes(key);
}

function unknownKey(section: WorkflowSection, key: string): KeyProblem {
  const near = didYouMean(key, known[section]);
  const all =
    near === '' ? ` Use ${known[section].length === 1 ? '' : 'one of: '}${known[section].join(', ')}.` : near;
  const message = `There is no key \`${excerpt(key)}\` in ${titles[section]}.${all}`;
  return { code: section === 'gate' ? 'unknown-gate' : 'unknown-key', message };
}
