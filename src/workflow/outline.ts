/**
 * A step as it is written, each value with its place in the file. Values of the wrong kind are absent: the schema
 * check reports them, and the rules check the rest.
 */
import type { Span } from './diagnostic.js';
import { readBoolean, readPause } from './pause-values.js';
import { readGetReference, readStepReference, type WorkflowReference } from './reference.js';
import { readSession } from './session-value.js';
import { agentStepKeys, blockOf, blocks, keysOfBlock, type StepKeyName, type StepKind } from './step-keys.js';
import type { Pause, SessionChoice } from './workflow.js';
import {
  childOf,
  entryOf,
  type Located,
  mappingsIn,
  textIn,
  writtenText,
  type YamlEntry,
  type YamlList,
  type YamlMap,
  type YamlNode,
} from './yaml-node.js';

export type { Located } from './yaml-node.js';

export interface StepOutline {
  /** The first key of the step. */
  readonly at: Span;
  readonly tree: YamlMap;
  readonly kind: StepKind;
  readonly name?: Located<string> | undefined;
  readonly type?: Located<string> | undefined;
  readonly agent?: Located<string> | undefined;
  readonly fallback?: Located<string> | undefined;
  readonly prompt?: Located<string> | undefined;
  readonly context?: Located<YamlList> | undefined;
  readonly worktree?: Located<string> | undefined;
  readonly session?: Located<SessionChoice> | undefined;
  /** A workflow that runs before the step. */
  readonly get?: WorkflowReference | undefined;
  readonly guard?: Located<YamlMap> | undefined;
  readonly permissions?: Located<string> | undefined;
  /** `value: undefined`: the key is present and its value means that the step does not wait. */
  readonly hitl?: Located<Pause | undefined> | undefined;
  readonly gate?: Located<YamlList> | undefined;
  readonly retry?: Located<YamlList> | undefined;
  /** The steps of a split, which run for every task. */
  readonly each?: readonly StepOutline[] | undefined;
  /** The steps of a group. */
  readonly steps?: readonly StepOutline[] | undefined;
  readonly parallel: boolean;
  /** The workflow that the step calls. */
  readonly call?: WorkflowReference | undefined;
}

export function outlineStep(tree: YamlMap): StepOutline {
  const type = textIn(tree, 'type');
  return {
    at: tree.at,
    tree,
    kind: kindOf(tree, type?.value),
    name: textIn(tree, 'name'),
    type,
    agent: writtenText(keyEntry(tree, 'agent')?.value),
    fallback: writtenText(keyEntry(tree, 'fallback')?.value),
    prompt: writtenText(keyEntry(tree, 'prompt')?.value),
    context: listAt(keyEntry(tree, 'context')),
    worktree: writtenText(keyEntry(tree, 'worktree')?.value),
    session: sessionOf(keyEntry(tree, 'session')?.value),
    get: readGetReference(childOf(tree, 'get')),
    guard: guardOf(keyEntry(tree, 'guard')),
    permissions: writtenText(keyEntry(tree, 'permissions')?.value),
    hitl: hitlOf(keyEntry(tree, 'hitl')),
    gate: listAt(keyEntry(tree, 'gate')),
    retry: listAt(keyEntry(tree, 'retry')),
    each: outlineSteps(tree, 'each'),
    steps: outlineSteps(tree, 'steps'),
    parallel: readBoolean(scalarValue(childOf(tree, 'parallel'))) ?? false,
    call: readStepReference(tree),
  };
}

/** The steps of a list, those that are mappings; `undefined` where there is no list. */
export function outlineSteps(tree: YamlNode, key: string): readonly StepOutline[] | undefined {
  const list = childOf(tree, key);
  return list?.kind === 'list' ? mappingsIn(list).map(outlineStep) : undefined;
}

/** The step and all steps inside it, in the order of the file. */
export function withInnerSteps(step: StepOutline): readonly StepOutline[] {
  return [step, ...innerSteps(step).flatMap(withInnerSteps)];
}

function innerSteps(step: StepOutline): readonly StepOutline[] {
  return [...(step.each ?? []), ...(step.steps ?? [])];
}

/** The value of a scalar; `undefined` for any other node. */
export function scalarValue(tree: YamlNode | undefined): string | number | boolean | null | undefined {
  return tree?.kind === 'scalar' ? tree.value : undefined;
}

function kindOf(tree: YamlMap, type: string | undefined): StepKind {
  if (entryOf(tree, 'workflow') !== undefined) return 'call';
  if (type === 'split') return 'split';
  if (entryOf(tree, 'steps') !== undefined) return 'group';
  return agentStepKeys.some((key) => hasKey(tree, key)) ? 'agent' : 'gates';
}

/**
 * Whether the step has the key, in the step itself or in a block and with any value. A block that is not a mapping
 * counts as having all of its keys, because its intended content is not known.
 */
export function hasStepKey(step: StepOutline, key: string): boolean {
  return hasKey(step.tree, key);
}

function hasKey(step: YamlMap, key: string): boolean {
  const inside = blocks.some((block) => {
    const tree = childOf(step, block);
    const isOfBlock = keysOfBlock(block).some((one) => one === key);
    if (tree === undefined || tree.kind !== 'map') return tree !== undefined && isOfBlock;
    // Next to `workflow`, any other key is the name of an input.
    return entryOf(tree, key) !== undefined && (isOfBlock || entryOf(tree, 'workflow') === undefined);
  });
  return inside || entryOf(step, key) !== undefined;
}

/** From the block of the key, otherwise from the step itself. */
function keyEntry(step: YamlMap, key: StepKeyName): YamlEntry | undefined {
  const block = blockOf(key);
  return (block && entryOf(childOf(step, block), key)) ?? entryOf(step, key);
}

function sessionOf(tree: YamlNode | undefined): Located<SessionChoice> | undefined {
  const value = tree && readSession(tree);
  if (tree === undefined || value === undefined) return undefined;
  return { value, at: (tree.kind === 'map' && childOf(tree, 'from')?.at) || tree.at };
}

function guardOf(entry: YamlEntry | undefined): Located<YamlMap> | undefined {
  return entry?.value.kind === 'map' ? { value: entry.value, at: entry.at } : undefined;
}

function hitlOf(entry: YamlEntry | undefined): Located<Pause | undefined> | undefined {
  const pause = readPause(scalarValue(entry?.value));
  return entry && { value: pause === 'never' ? undefined : pause, at: entry.at };
}

function listAt(entry: YamlEntry | undefined): Located<YamlList> | undefined {
  return entry?.value.kind === 'list' ? { value: entry.value, at: entry.at } : undefined;
}
