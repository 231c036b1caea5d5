/** Which keys a kind of step has no use for. What a mapping may hold at all is in `syntax.ts`. */

import { type Diagnostic, problem } from './diagnostic.js';
import { blockKeys, type StepKind, type StepOutline } from './outline.js';
import type { StepRule } from './rule.js';
import { childOf, entryOf, mappingsIn, type YamlEntry } from './yaml-node.js';

const titles: Readonly<Record<StepKind, string>> = {
  agent: 'this step',
  split: 'a split',
  gates: 'a step that only runs gates',
  group: 'a group',
  call: 'a step that calls a workflow',
};

const agentKeys = ['prompt', 'context', 'worktree', 'session', 'agent', 'permissions', 'get'];

/** Kind → keys that it does not have. Those of a step of gates that need an agent are in `step-rules.ts`. */
const invalidKeys: Readonly<Record<StepKind, readonly string[]>> = {
  agent: ['each', 'parallel', 'max_parallel', 'files', 'with'],
  split: ['steps', 'with'],
  gates: ['parallel', 'max_parallel', 'files', 'with'],
  group: [...agentKeys, 'each', 'files', 'with'],
  call: [...agentKeys, 'type', 'each', 'steps', 'parallel', 'max_parallel', 'files'],
};

const hints: Readonly<Record<string, string>> = {
  each: '`each` belongs to a step of `type: split`: set the type, or remove it.',
  files: '`files` belongs to a step of `type: split`: set the type, or remove it.',
  with: '`with` hands inputs to the workflow of `workflow`, which this step does not have.',
  parallel: '`parallel` belongs to a step of `type: split`, or to a group with `steps`.',
  max_parallel: '`max_parallel` belongs beside `parallel`.',
};

const groupKeyMessage = (key: string) => `A group has no \`${key}\`: give it to the steps of the group.`;
const callKeyMessage = (key: string) =>
  `A step that calls a workflow has no \`${key}\`: that workflow has its own. Hand values over by \`with\`.`;

const getBlockHint = 'A workflow that runs before an agent is named in a `get` block.';

export const kindKeysRule: StepRule = (step) => {
  const there = [...invalidKeys[step.kind].flatMap((key) => findKey(step, key)), ...findGroupType(step)];
  return [
    ...there.map(({ key, at }) => problem('misplaced-key', at, messageFor(step.kind, key))),
    ...limit(step),
  ];
};

function findKey(step: StepOutline, key: string): readonly YamlEntry[] {
  const inRun = blockKeys.run.some((one) => one === key)
    ? entryOf(childOf(step.tree, 'run'), key)
    : undefined;
  return [entryOf(step.tree, key), inRun].filter((entry) => entry !== undefined);
}

// `type: code` before `steps` is how the language's first version had to be told that steps follow.
function findGroupType(step: StepOutline): readonly YamlEntry[] {
  return step.kind === 'group' && step.type?.value !== 'code' ? findKey(step, 'type') : [];
}

function messageFor(kind: StepKind, key: string): string {
  const isOfAgent = agentKeys.includes(key) || key === 'type';
  if (isOfAgent && kind === 'group') return groupKeyMessage(key);
  if (kind === 'call' && key === 'agent') return `${callKeyMessage(key)} (${getBlockHint})`;
  if (isOfAgent && kind === 'call') return callKeyMessage(key);
  if (kind === 'split' && key === 'steps') return 'A split has `each` in the place of `steps`.';
  return kind === 'group' || kind === 'call'
    ? `\`${key}\` has no place in ${titles[kind]}: remove it.`
    : (hints[key] ?? `\`${key}\` has no place in ${titles[kind]}: remove it.`);
}

function limit(step: StepOutline): readonly Diagnostic[] {
  const entry = entryOf(step.tree, 'max_parallel');
  if (entry === undefined || step.parallel || invalidKeys[step.kind].includes('max_parallel')) return [];
  return [problem('misplaced-key', entry.at, '`max_parallel` needs `parallel: true` beside it.')];
}

/** A group and a call have neither agent nor prompt that a retry could change. */
export const kindRetryRule: StepRule = (step) => {
  if (step.kind !== 'group' && step.kind !== 'call') return [];
  const say = step.kind === 'group' ? groupKeyMessage : callKeyMessage;
  return mappingsIn(step.retry?.value).flatMap((entry) =>
    ['agent', 'prompt'].flatMap((key) => {
      const found = entryOf(entry, key);
      return found === undefined ? [] : [problem('misplaced-key', found.at, say(key))];
    }),
  );
};
