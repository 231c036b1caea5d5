/** References to other workflows, in all four places: `workflow:`, `get`, a gate and a retry entry. */
import type { Span } from './diagnostic.js';
import { keysOfBlock } from './step-keys.js';
import { childOf, type Located, textIn, type YamlEntry, type YamlMap, type YamlNode } from './yaml-node.js';

export interface WorkflowReference {
  /** As in the file: a name or a path. */
  readonly path: string;
  readonly at: Span;
  readonly inputs: readonly ReferenceInput[];
}

export interface ReferenceInput {
  readonly name: string;
  /** Span of the name. */
  readonly at: Span;
  /** The value, which is a template. */
  readonly text: Located<string>;
}

/** `workflow: PATH` of a step. */
export function readStepReference(step: YamlMap): WorkflowReference | undefined {
  return readReference(step, 'workflow', inputsOf(childOf(step, 'with')));
}

/** `workflow: PATH` in a `get` block, with the inputs next to it. */
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

/** The last segment of the path without its extension. Templates use it as the name of the results. */
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

/** The keys next to the path, and those in `with`: the YAML reader puts deeper-indented inputs there. */
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
