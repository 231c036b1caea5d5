/** Where a workflow speaks of another one, in all four places: `workflow:`, `get`, a gate and a retry entry. */
import type { Span } from './diagnostic.js';
import { childOf, type Entry, type MapTree, type Tree, textIn, type Written } from './tree.js';

export interface Reference {
  /** As it is written: a name or a path. */
  readonly path: string;
  readonly at: Span;
  readonly inputs: readonly Input[];
}

export interface Input {
  readonly name: string;
  /** The name. */
  readonly at: Span;
  /** Template. */
  readonly text: Written<string>;
}

/** Keys of a `get` block that are its own; beside `workflow` every other one is an input. */
const ownKeys = ['prompt', 'session', 'context', 'worktree'];

/** `workflow: PATH` of a step. */
export function calledByStep(step: MapTree): Reference | undefined {
  return reference(step, 'workflow', inputsOf(childOf(step, 'with')));
}

/** `workflow: PATH` in a `get` block, the inputs beside it. */
export function calledByGet(get: Tree | undefined): Reference | undefined {
  return get?.kind === 'map' ? reference(get, 'workflow', inputsBeside(get, 'workflow', ownKeys)) : undefined;
}

/** `{validate: PATH, …}` in a list of gates. */
export function calledByGate(gate: MapTree): Reference | undefined {
  return reference(gate, 'validate', inputsBeside(gate, 'validate', []));
}

/** `validate: PATH` of a retry entry. */
export function calledByRetry(entry: MapTree): Reference | undefined {
  return reference(entry, 'validate', inputsOf(childOf(entry, 'with')));
}

/** The last part of the path without its ending: how results are spoken of. */
export function lastSegment(path: string): string {
  const segment = path.trim().split('/').at(-1) ?? '';
  return segment.replace(/\.ya?ml$/, '');
}

function reference(holder: MapTree, key: string, inputs: readonly Input[]): Reference | undefined {
  const path = textIn(holder, key);
  return path && { path: path.value.trim(), at: path.at, inputs };
}

/** The keys beside the path, and those in a `with` of their own: so deeper-indented inputs are read. */
function inputsBeside(holder: MapTree, key: string, others: readonly string[]): readonly Input[] {
  const beside = holder.entries.filter((entry) => ![key, 'with', ...others].includes(entry.key));
  return [...beside.flatMap(toInput), ...inputsOf(childOf(holder, 'with'))];
}

function inputsOf(tree: Tree | undefined): readonly Input[] {
  return tree?.kind === 'map' ? tree.entries.flatMap(toInput) : [];
}

function toInput({ key, at, value }: Entry): readonly Input[] {
  if (value.kind !== 'scalar' || value.value === null) return [];
  return [{ name: key, at, text: { value: String(value.value), at: value.at } }];
}
