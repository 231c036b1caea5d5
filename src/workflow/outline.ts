/**
 * A step as it was written, each value with its place. Values of the wrong kind are left out: the schema has
 * told them already, and the rules go on with the rest.
 */
import type { Span } from './diagnostic.js';
import { readPause, readSwitch } from './pause.js';
import { calledByGet, calledByStep, type Reference } from './reference.js';
import { readSession } from './session.js';
import {
  childOf,
  entryOf,
  type ListTree,
  type MapTree,
  mappingsIn,
  type Tree,
  textIn,
  type Written,
  writtenText,
} from './tree.js';
import type { Pause, SessionChoice } from './workflow.js';

export type { Written } from './tree.js';

/** The keys that may stand in a block or, where the step has no such block, beside it. */
export const blockKeys = {
  get: ['prompt', 'context', 'worktree', 'session'],
  run: ['agent', 'guard', 'permissions', 'hitl'],
} as const;
export type Block = keyof typeof blockKeys;

export interface StepOutline {
  /** The first key of the step. */
  readonly at: Span;
  readonly tree: MapTree;
  readonly kind: StepKind;
  readonly name?: Written<string> | undefined;
  readonly type?: Written<string> | undefined;
  readonly agent?: Written<string> | undefined;
  readonly prompt?: Written<string> | undefined;
  readonly context?: Written<ListTree> | undefined;
  readonly worktree?: Written<string> | undefined;
  readonly session?: Written<SessionChoice> | undefined;
  /** A workflow that runs before the step. */
  readonly get?: Reference | undefined;
  readonly guard?: Written<MapTree> | undefined;
  readonly permissions?: Written<string> | undefined;
  /** `undefined` within: the key is there and says never. */
  readonly hitl?: Written<Pause | undefined> | undefined;
  readonly gate?: Written<ListTree> | undefined;
  readonly retry?: Written<ListTree> | undefined;
  /** The steps that every task goes through. */
  readonly each?: readonly StepOutline[] | undefined;
  /** The steps of a group. */
  readonly steps?: readonly StepOutline[] | undefined;
  readonly parallel: boolean;
  /** The workflow that the step is. */
  readonly call?: Reference | undefined;
}

/** By its keys, whatever is wrong with their values. */
export type StepKind = 'agent' | 'split' | 'gates' | 'group' | 'call';

export function outlineStep(tree: MapTree): StepOutline {
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
    get: calledByGet(childOf(tree, 'get')),
    guard: guardOf(inBlockEntry(tree, 'run', 'guard')),
    permissions: writtenText(inBlock(tree, 'run', 'permissions')),
    hitl: hitlOf(inBlockEntry(tree, 'run', 'hitl')),
    gate: listAt(entryOf(tree, 'gate')),
    retry: listAt(entryOf(tree, 'retry')),
    each: stepsIn(tree, 'each'),
    steps: stepsIn(tree, 'steps'),
    parallel: readSwitch(plainValue(childOf(tree, 'parallel'))),
    call: calledByStep(tree),
  };
}

/** The steps of a list, those that are mappings; `undefined` where there is no list. */
export function stepsIn(tree: Tree, key: string): readonly StepOutline[] | undefined {
  const list = childOf(tree, key);
  return list?.kind === 'list' ? mappingsIn(list).map(outlineStep) : undefined;
}

/** The step and all within it, in the order of the file. */
export function withInner(step: StepOutline): readonly StepOutline[] {
  return [step, ...innerSteps(step).flatMap(withInner)];
}

export function innerSteps(step: StepOutline): readonly StepOutline[] {
  return [...(step.each ?? []), ...(step.steps ?? [])];
}

/** What a scalar holds. */
export function plainValue(tree: Tree | undefined): string | number | boolean | null | undefined {
  return tree?.kind === 'scalar' ? tree.value : undefined;
}

function kindOf(tree: MapTree, type: string | undefined): StepKind {
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
export function has(step: StepOutline, key: string): boolean {
  return hasKey(step.tree, key);
}

function hasKey(step: MapTree, key: string): boolean {
  const inside = (Object.keys(blockKeys) as Block[]).some((block) => {
    const tree = childOf(step, block);
    const isOfBlock = blockKeys[block].some((one) => one === key);
    if (tree === undefined || tree.kind !== 'map') return tree !== undefined && isOfBlock;
    // Beside `workflow` any other key is the name of an input.
    return entryOf(tree, key) !== undefined && (isOfBlock || entryOf(tree, 'workflow') === undefined);
  });
  return inside || entryOf(step, key) !== undefined;
}

function inBlockEntry(tree: MapTree, block: Block, key: string) {
  return entryOf(childOf(tree, block), key) ?? entryOf(tree, key);
}

function inBlock(tree: MapTree, block: Block, key: string): Tree | undefined {
  return inBlockEntry(tree, block, key)?.value;
}

function sessionOf(tree: Tree | undefined): Written<SessionChoice> | undefined {
  const value = tree && readSession(tree);
  if (tree === undefined || value === undefined) return undefined;
  return { value, at: (tree.kind === 'map' && childOf(tree, 'from')?.at) || tree.at };
}

type EntryOfStep = ReturnType<typeof entryOf>;

function guardOf(entry: EntryOfStep): Written<MapTree> | undefined {
  return entry?.value.kind === 'map' ? { value: entry.value, at: entry.at } : undefined;
}

function hitlOf(entry: EntryOfStep): Written<Pause | undefined> | undefined {
  return entry && { value: readPause(plainValue(entry.value)), at: entry.at };
}

function listAt(entry: EntryOfStep): Written<ListTree> | undefined {
  return entry?.value.kind === 'list' ? { value: entry.value, at: entry.at } : undefined;
}
