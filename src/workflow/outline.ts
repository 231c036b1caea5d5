/**
 * A step as it was written, each value with its place. Values of the wrong kind are left out: the schema has
 * told them already, and the rules go on with the rest.
 */
import type { Span } from './diagnostic.js';
import { readBoolean, readPause } from './pause-values.js';
import { readGetReference, readStepReference, type WorkflowReference } from './reference.js';
import { readSession } from './session-value.js';
import type { Pause, SessionChoice } from './workflow.js';
import {
  childOf,
  entryOf,
  type Located,
  mappingsIn,
  textIn,
  writtenText,
  type YamlList,
  type YamlMap,
  type YamlNode,
} from './yaml-node.js';

export type { Located } from './yaml-node.js';

/** The keys that may stand in a block or, where the step has no such block, beside it. */
export const blockKeys = {
  get: ['prompt', 'context', 'worktree', 'session'],
  run: ['agent', 'guard', 'permissions', 'hitl'],
} as const;
export type Block = keyof typeof blockKeys;

export interface StepOutline {
  /** The first key of the step. */
  readonly at: Span;
  readonly tree: YamlMap;
  readonly kind: StepKind;
  readonly name?: Located<string> | undefined;
  readonly type?: Located<string> | undefined;
  readonly agent?: Located<string> | undefined;
  readonly prompt?: Located<string> | undefined;
  readonly context?: Located<YamlList> | undefined;
  readonly worktree?: Located<string> | undefined;
  readonly session?: Located<SessionChoice> | undefined;
  /** A workflow that runs before the step. */
  readonly get?: WorkflowReference | undefined;
  readonly guard?: Located<YamlMap> | undefined;
  readonly permissions?: Located<string> | undefined;
  /** `undefined` within: the key is there and says never. */
  readonly hitl?: Located<Pause | undefined> | undefined;
  readonly gate?: Located<YamlList> | undefined;
  readonly retry?: Located<YamlList> | undefined;
  /** The steps that every task goes through. */
  readonly each?: readonly StepOutline[] | undefined;
  /** The steps of a group. */
  readonly steps?: readonly StepOutline[] | undefined;
  readonly parallel: boolean;
  /** The workflow that the step is. */
  readonly call?: WorkflowReference | undefined;
}

/** By its keys, whatever is wrong with their values. */
export type StepKind = 'agent' | 'split' | 'gates' | 'group' | 'call';

export function outlineStep(tree: YamlMap): StepOutline {
  const type = textIn(tree, 'type');
  return {
    at: tree.at,
    tree,
    kind: kindOf(tree, type?.value),
    name: textIn(tree, 'name'),
    type,
    agent: writtenText(inBlock(tree, 'run', 'agent')),
    prompt: writtenText(inBlock(tree, 'get', 'prompt')),
    context: listAt(inBlockEntry(tree, 'get', 'context')),
    worktree: writtenText(inBlock(tree, 'get', 'worktree')),
    session: sessionOf(inBlock(tree, 'get', 'session')),
    get: readGetReference(childOf(tree, 'get')),
    guard: guardOf(inBlockEntry(tree, 'run', 'guard')),
    permissions: writtenText(inBlock(tree, 'run', 'permissions')),
    hitl: hitlOf(inBlockEntry(tree, 'run', 'hitl')),
    gate: listAt(entryOf(tree, 'gate')),
    retry: listAt(entryOf(tree, 'retry')),
    each: outlineSteps(tree, 'each'),
    steps: outlineSteps(tree, 'steps'),
    parallel: readBoolean(scalarValue(childOf(tree, 'parallel'))),
    call: readStepReference(tree),
  };
}

/** The steps of a list, those that are mappings; `undefined` where there is no list. */
export function outlineSteps(tree: YamlNode, key: string): readonly StepOutline[] | undefined {
  const list = childOf(tree, key);
  return list?.kind === 'list' ? mappingsIn(list).map(outlineStep) : undefined;
}

/** The step and all within it, in the order of the file. */
export function withInnerSteps(step: StepOutline): readonly StepOutline[] {
  return [step, ...innerSteps(step).flatMap(withInnerSteps)];
}

export function innerSteps(step: StepOutline): readonly StepOutline[] {
  return [...(step.each ?? []), ...(step.steps ?? [])];
}

/** What a scalar holds. */
export function scalarValue(tree: YamlNode | undefined): string | number | boolean | null | undefined {
  return tree?.kind === 'scalar' ? tree.value : undefined;
}

function kindOf(tree: YamlMap, type: string | undefined): StepKind {
  if (entryOf(tree, 'workflow') !== undefined) return 'call';
  if (type === 'split') return 'split';
  if (entryOf(tree, 'steps') !== undefined) return 'group';
  const ofAgents = ['type', 'agent', 'prompt', 'get', 'run', 'each'];
  return ofAgents.some((key) => hasKey(tree, key)) ? 'agent' : 'gates';
}

/**
 * Whether the step has the key at all, in whichever form and with whatever value. A block that is no mapping
 * counts as having its keys: what it was meant to hold is not known.
 */
export function hasStepKey(step: StepOutline, key: string): boolean {
  return hasKey(step.tree, key);
}

function hasKey(step: YamlMap, key: string): boolean {
  const inside = (Object.keys(blockKeys) as Block[]).some((block) => {
    const tree = childOf(step, block);
    const isOfBlock = blockKeys[block].some((one) => one === key);
    if (tree === undefined || tree.kind !== 'map') return tree !== undefined && isOfBlock;
    // Beside `workflow` any other key is the name of an input.
    return entryOf(tree, key) !== undefined && (isOfBlock || entryOf(tree, 'workflow') === undefined);
  });
  return inside || entryOf(step, key) !== undefined;
}

function inBlockEntry(tree: YamlMap, block: Block, key: string) {
  return entryOf(childOf(tree, block), key) ?? entryOf(tree, key);
}

function inBlock(tree: YamlMap, block: Block, key: string): YamlNode | undefined {
  return inBlockEntry(tree, block, key)?.value;
}

function sessionOf(tree: YamlNode | undefined): Located<SessionChoice> | undefined {
  const value = tree && readSession(tree);
  if (tree === undefined || value === undefined) return undefined;
  return { value, at: (tree.kind === 'map' && childOf(tree, 'from')?.at) || tree.at };
}

type EntryOfStep = ReturnType<typeof entryOf>;

function guardOf(entry: EntryOfStep): Located<YamlMap> | undefined {
  return entry?.value.kind === 'map' ? { value: entry.value, at: entry.at } : undefined;
}

function hitlOf(entry: EntryOfStep): Located<Pause | undefined> | undefined {
  return entry && { value: readPause(scalarValue(entry.value)), at: entry.at };
}

function listAt(entry: EntryOfStep): Located<YamlList> | undefined {
  return entry?.value.kind === 'list' ? { value: entry.value, at: entry.at } : undefined;
}
