/**
 * A step as it was written, each value with its place. Values of the wrong kind are left out: the schema has
 * told them already, and the rules go on with the rest.
 */
import type { Span } from './diagnostic.js';
import { readSession } from './session.js';
import { childOf, entryOf, type ListTree, type MapTree, type Tree } from './tree.js';
import type { SessionChoice } from './workflow.js';

export interface Written<T> {
  readonly value: T;
  readonly at: Span;
}

/** The keys that may stand in a block or, where the step has no such block, beside it. */
export const blockKeys = { get: ['prompt', 'session'], run: ['agent'] } as const;
export type Block = keyof typeof blockKeys;

export interface StepOutline {
  /** The first key of the step. */
  readonly at: Span;
  readonly tree: MapTree;
  readonly name?: Written<string> | undefined;
  readonly type?: Written<string> | undefined;
  readonly agent?: Written<string> | undefined;
  readonly prompt?: Written<string> | undefined;
  readonly session?: Written<SessionChoice> | undefined;
  readonly gate?: Written<ListTree> | undefined;
  readonly retry?: Written<ListTree> | undefined;
  /** The steps that every task goes through. */
  readonly each?: readonly StepOutline[] | undefined;
}

export function outlineStep(tree: MapTree): StepOutline {
  return {
    at: tree.at,
    tree,
    name: textOf(childOf(tree, 'name')),
    type: textOf(childOf(tree, 'type')),
    agent: textOf(inBlock(tree, 'run', 'agent')),
    prompt: textOf(inBlock(tree, 'get', 'prompt')),
    session: sessionOf(inBlock(tree, 'get', 'session')),
    gate: listOf(tree, 'gate'),
    retry: listOf(tree, 'retry'),
    each: eachOf(tree),
  };
}

/**
 * Whether the step has the key at all, in whichever form and with whatever value. A block that is no mapping
 * counts as having its keys: what it was meant to hold is not known.
 */
export function has(step: StepOutline, key: string): boolean {
  const inside = (Object.keys(blockKeys) as Block[]).some((block) => {
    const tree = childOf(step.tree, block);
    const isBroken = tree !== undefined && tree.kind !== 'map';
    return entryOf(tree, key) !== undefined || (isBroken && blockKeys[block].some((one) => one === key));
  });
  return inside || entryOf(step.tree, key) !== undefined;
}

function inBlock(tree: MapTree, block: Block, key: string): Tree | undefined {
  return childOf(childOf(tree, block), key) ?? childOf(tree, key);
}

function textOf(tree: Tree | undefined): Written<string> | undefined {
  if (tree?.kind !== 'scalar' || typeof tree.value !== 'string' || tree.value.trim() === '') return undefined;
  return { value: tree.value, at: tree.at };
}

function sessionOf(tree: Tree | undefined): Written<SessionChoice> | undefined {
  const value = tree && readSession(tree);
  if (tree === undefined || value === undefined) return undefined;
  return { value, at: (tree.kind === 'map' && childOf(tree, 'from')?.at) || tree.at };
}

function eachOf(tree: MapTree): readonly StepOutline[] | undefined {
  const list = listOf(tree, 'each')?.value;
  return list?.items.filter((item) => item.kind === 'map').map(outlineStep);
}

function listOf(tree: MapTree, key: string): Written<ListTree> | undefined {
  const entry = entryOf(tree, key);
  return entry?.value.kind === 'list' ? { value: entry.value, at: entry.at } : undefined;
}
