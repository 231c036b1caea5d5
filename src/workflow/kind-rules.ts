/** Keys that a kind of step does not accept. Which keys a mapping may have at all is in `syntax.ts`. */

import { type Diagnostic, problem } from './diagnostic.js';
import type { StepOutline } from './outline.js';
import type { StepRule } from './rule.js';
import { acceptsKey, blockOf, keysNotOf, type StepKeyName, type StepKind } from './step-keys.js';
import { childOf, entryOf, mappingsIn, type YamlEntry } from './yaml-node.js';

const titles: Readonly<Record<StepKind, string>> = {
  agent: 'this step',
  split: 'a split',
  gates: 'a step that only runs gates',
  group: 'a group',
  call: 'a step that calls a workflow',
};

/** Steps of gates lack the keys of a step with an agent for another reason: see `gateOnlyRule`. */
function invalidKeys({ kind, type }: StepOutline): readonly StepKeyName[] {
  const keys = keysNotOf(kind);
  if (kind === 'gates') return keys.filter((key) => !acceptsKey('agent', key));
  // The first version of the language required `type: code` in a step with `steps`.
  return kind === 'group' && type?.value === 'code' ? keys.filter((key) => key !== 'type') : keys;
}

const hints: Readonly<Partial<Record<StepKeyName, string>>> = {
  each: '`each` belongs to a step of `type: split`: set the type, or remove it.',
  files: '`files` belongs to a step of `type: split`: set the type, or remove it.',
  with: '`with` passes inputs to the workflow in `workflow`, but this step has no `workflow`: remove `with`.',
  parallel: '`parallel` belongs to a step of `type: split` or to a group with `steps`: remove it.',
  max_parallel: '`max_parallel` belongs to a step with `parallel`: remove it.',
};

const groupKeyMessage = (key: string) => `A group has no \`${key}\`: set it on the steps of the group.`;
const callKeyMessage = (key: string) =>
  `A step that calls a workflow has no \`${key}\`: the called workflow sets it. Pass values with \`with\`.`;

const getBlockHint = 'A workflow that runs before an agent belongs in a `get` block.';

export const kindKeysRule: StepRule = (step) => {
  const found = invalidKeys(step).flatMap((key) =>
    entriesOf(step, key).map(({ at }) => problem('misplaced-key', at, messageFor(step.kind, key))),
  );
  return [...found, ...maxParallelProblems(step)];
};

/** A `get` block that a step does not accept is one problem: what is in it is not reported again. */
function entriesOf({ tree }: StepOutline, key: StepKeyName): readonly YamlEntry[] {
  const inRun = blockOf(key) === 'run' ? entryOf(childOf(tree, 'run'), key) : undefined;
  return [entryOf(tree, key), inRun].filter((entry) => entry !== undefined);
}

function messageFor(kind: StepKind, key: StepKeyName): string {
  const isOfAgent = acceptsKey('agent', key);
  if (isOfAgent && kind === 'group') return groupKeyMessage(key);
  if (kind === 'call' && key === 'agent') return `${callKeyMessage(key)} (${getBlockHint})`;
  if (isOfAgent && kind === 'call') return callKeyMessage(key);
  if (kind === 'split' && key === 'steps') return 'A split has `each` instead of `steps`: rename the key.';
  return kind === 'group' || kind === 'call'
    ? `\`${key}\` is not allowed in ${titles[kind]}: remove it.`
    : (hints[key] ?? `\`${key}\` is not allowed in ${titles[kind]}: remove it.`);
}

function maxParallelProblems({ tree, kind, parallel }: StepOutline): readonly Diagnostic[] {
  const entry = entryOf(tree, 'max_parallel');
  if (entry === undefined || parallel || !acceptsKey(kind, 'max_parallel')) return [];
  return [
    problem(
      'misplaced-key',
      entry.at,
      '`max_parallel` has no effect without `parallel: true`: add it, or remove `max_parallel`.',
    ),
  ];
}

/** A retry cannot change the agent or the prompt of a group or a call, because they have none. */
export const kindRetryRule: StepRule = (step) => {
  if (step.kind !== 'group' && step.kind !== 'call') return [];
  const message = step.kind === 'group' ? groupKeyMessage : callKeyMessage;
  return mappingsIn(step.retry?.value).flatMap((entry) =>
    ['agent', 'prompt'].flatMap((key) => {
      const found = entryOf(entry, key);
      return found === undefined ? [] : [problem('misplaced-key', found.at, message(key))];
    }),
  );
};
