/** Gate entries: their spellings, their arguments, and the names by which the rest of the workflow refers to them. */
import { type Diagnostic, problem, type Span } from './diagnostic.js';
import { lastSegment, readGateReference, type WorkflowReference } from './reference.js';
import { excerpt } from './source-line.js';
import { didYouMean } from './suggest.js';
import type { Gate } from './workflow.js';
import { entryOf, type YamlList, type YamlMap, type YamlNode } from './yaml-node.js';

const withoutArgument = ['compile', 'test', 'lint', 'tests_found'] as const;
const withArgument = ['touched', 'untouched', 'bash'] as const;
/** Values of the gate `schema`; the first one is the default. */
const contracts = ['plan', 'review'] as const;

export const gateTypes: readonly string[] = [
  ...withoutArgument,
  'coverage',
  ...withArgument,
  'schema',
  'validate',
];

/** A gate whose called workflow, if any, is not loaded yet. */
export type UnresolvedGate =
  | Exclude<Gate, { readonly type: 'validate' }>
  | { readonly name: string; readonly type: 'validate'; readonly reference: WorkflowReference };

/** A gate as the file contains it. */
interface GateEntry {
  readonly type: string;
  readonly argument?: string | undefined;
  readonly reference?: WorkflowReference | undefined;
  readonly at: Span;
}

/** All valid gates. The index in a gate's name is its index in the file, so invalid entries count too. */
export function readGates(list: YamlList): readonly UnresolvedGate[] {
  const usedNames = new Set<string>();
  return list.items.flatMap((item, index) => {
    const entry = readEntry(item);
    if (entry === undefined || entryProblem(entry) !== undefined) return [];
    const name = gateName(entry, index, usedNames);
    usedNames.add(name);
    return [toGate(entry, name)];
  });
}

/** Problems of the gate entries. The schema checks that each entry is text or a mapping. */
export function gateProblems(list: YamlList): readonly Diagnostic[] {
  return list.items.flatMap((item) => {
    const multiple = multipleGatesProblem(item);
    if (multiple !== undefined) return [multiple];
    const entry = readEntry(item);
    const found = entry === undefined ? undefined : entryProblem(entry);
    return found === undefined ? [] : [found];
  });
}

function multipleGatesProblem(item: YamlNode): Diagnostic | undefined {
  // Next to `validate`, every key is an input.
  if (item.kind !== 'map' || entryOf(item, 'validate') !== undefined) return undefined;
  const gates = item.entries.filter(({ key }) => gateTypes.includes(key));
  if (item.entries.length === 0)
    return problem('unknown-gate', item.at, `This entry names no gate. ${useOneOf}`);
  if (gates.length < 2) return undefined;
  const names = gates.map(({ key }) => `\`${key}\``).join(' and ');
  return problem(
    'gate-argument',
    item.at,
    `One entry contains ${names}. Begin a line with \`- \` for each gate.`,
  );
}

function readEntry(item: YamlNode): GateEntry | undefined {
  if (item.kind === 'list') return undefined;
  if (item.kind === 'scalar')
    return typeof item.value === 'string' ? parseGateText(item.value, item.at) : undefined;
  if (entryOf(item, 'validate') !== undefined) return validator(item);
  const [only] = item.entries.filter(
    ({ key }) => key === 'coverage' || withArgument.some((type) => type === key),
  );
  if (only?.value.kind !== 'scalar' || only.value.value === null || only.value.value === '') return undefined;
  return { type: only.key, argument: String(only.value.value), at: only.value.at };
}

function validator(item: YamlMap): GateEntry | undefined {
  const reference = readGateReference(item);
  return reference && { type: 'validate', argument: reference.path, reference, at: reference.at };
}

function parseGateText(text: string, at: Span): GateEntry | undefined {
  if (text.trim() === '') return undefined;
  const colon = text.indexOf(':');
  if (colon === -1) return { type: text.trim(), at };
  const type = text.slice(0, colon).trim();
  const argument = text.slice(colon + 1).trim();
  return type === 'validate' && argument !== ''
    ? { type, argument, reference: { path: argument, at, inputs: [] }, at }
    : { type, argument, at };
}

const useOneOf = `Use one of: ${gateTypes.join(', ')}.`;

function entryProblem({ type, argument, at }: GateEntry): Diagnostic | undefined {
  if (!gateTypes.includes(type)) {
    const hint = didYouMean(type, gateTypes) || ` ${useOneOf}`;
    return problem('unknown-gate', at, `There is no gate \`${excerpt(type)}\`.${hint}`);
  }
  const message = argumentProblem(type, argument);
  return message === undefined ? undefined : problem('gate-argument', at, message);
}

function argumentProblem(type: string, argument: string | undefined): string | undefined {
  if (withoutArgument.some((one) => one === type)) {
    return argument === undefined
      ? undefined
      : `The gate \`${type}\` takes no argument. Write \`- ${type}\`.`;
  }
  if (type === 'schema') {
    return argument === undefined || contracts.some((one) => one === argument)
      ? undefined
      : `The gate \`schema\` does not accept "${excerpt(argument)}". Use \`plan\` or \`review\`.`;
  }
  if (type !== 'coverage') {
    const example = examples[type] ?? `${type}: "PATTERN"`;
    return argument ? undefined : `The gate \`${type}\` needs an argument. Write \`- ${example}\`.`;
  }
  if (argument === undefined || (/^\d{1,3}$/.test(argument) && Number(argument) <= 100)) return undefined;
  return `The gate \`coverage\` does not accept "${excerpt(argument)}". Use a whole number from 0 to 100 without a percent sign.`;
}

const examples: Readonly<Record<string, string>> = { bash: 'bash: COMMAND', validate: 'validate: WORKFLOW' };

// Names as in the language reference: for a validator the last word of its path, otherwise the type. A gate with
// an argument, and a second gate of the same name, also get their index in the list.
function gateName({ type, argument }: GateEntry, index: number, usedNames: ReadonlySet<string>): string {
  const plain = type === 'validate' ? validatorName(argument ?? '') : type;
  const isFree = (type === 'validate' || argument === undefined) && !usedNames.has(plain);
  let name = isFree ? plain : `${plain}_${index}`;
  while (usedNames.has(name)) name = `${name}_${index}`;
  return name;
}

function validatorName(path: string): string {
  const segment = lastSegment(path);
  return segment.slice(segment.lastIndexOf('-') + 1) || segment;
}

function toGate({ type, argument, reference }: GateEntry, name: string): UnresolvedGate {
  if (reference !== undefined) return { name, type: 'validate', reference };
  if (type === 'touched' || type === 'untouched') return { name, type, pattern: argument ?? '' };
  if (type === 'bash') return { name, type, command: argument ?? '' };
  if (type === 'schema') return { name, type, contract: argument === 'review' ? 'review' : 'plan' };
  if (type !== 'coverage') return { name, type: type as (typeof withoutArgument)[number] };
  return argument === undefined ? { name, type } : { name, type, atLeast: Number(argument) };
}
