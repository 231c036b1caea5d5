/** Where a workflow speaks of another one, in all four places: `workflow:`, `get`, a gate and a retry entry. */
import type { Span } from './diagnostic.js';
import { keysOfBlock } from './step-keys.js';
import { childOf, type Located, textIn, type YamlEntry, type YamlMap, type YamlNode } from './yaml-node.js';

export interface WorkflowReference {
  /** As it is written: a name or a path. */
  readonly path: string;
  readonly at: Span;
  readonly inputs: readonly ReferenceInput[];
}

export interface ReferenceInput {
  readonly name: string;
  /** The name. */
  readonly at: Span;
  /** Template. */
  readonly text: Located<string>;
}

/** `workflow: PATH` of a step. */
export function readStepReference(step: YamlMap): WorkflowReference | undefined {
  return readReference(step, 'workflow', inputsOf(childOf(step, 'with')));
}

/** `workflow: PATH` in a `get` block, the inputs beside it. */
export function readGetReference(get: YamlNode | undefined): WorkflowReference | undefined {
  return get?.kind === 'map'
    ? readReference(get, 'workflow', siblingInputs(get, 'workflow', keysOfBlock('get')))
    : undefined;
}

/** `{validate: PATH, …}` in a list of gates. */
export function readGateReference(gate: YamlMap): WorkflowReference | undefined {
  return readReference(gate, 'validate', siblingInputs(gate, 'validate', []));
}

/** `validate: PATH` of a retry entry. */
export function readRetryReference(entry: YamlMap): WorkflowReference | undefined {
  return readReference(entry, 'validate', inputsOf(childOf(entry, 'with')));
}

/** The last part of the path without its ending: how results are spoken of. */
export function lastSegment(path: string): string {
  const segment = path.trim().split('/').at(-1) ?? '';
  return segment.replace(/\.ya?ml$/, '');
}

function readReference(
  holder: YamlMap,
  key: string,
  inputs: readonly ReferenceInput[],
): WorkflowReference | undefined {
  const path = textIn(holder, key);
  return path && { path: path.value.trim(), at: path.at, inputs };
}

/** The keys beside the path, and those in a `with` of their own: so deeper-indented inputs are read. */
function siblingInputs(holder: YamlMap, key: string, others: readonly string[]): readonly ReferenceInput[] {
  const siblings = holder.entries.filter((entry) => ![key, 'with', ...others].includes(entry.key));
  return [...siblings.flatMap(toInput), ...inputsOf(childOf(holder, 'with'))];
}

function inputsOf(tree: YamlNode | undefined): readonly ReferenceInput[] {
  return tree?.kind === 'map' ? tree.entries.flatMap(toInput) : [];
}

function toInput({ key, at, value }: YamlEntry): readonly ReferenceInput[] {
  if (value.kind !== 'scalar' || value.value === null) return [];
  return [{ name: key, at, text: { value: String(value.value), at: value.at } }];
}
