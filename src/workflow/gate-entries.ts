/** Gate entries: their spellings, what each takes, and the names by which the rest of the workflow speaks of them. */
import { type Diagnostic, problem, type Span } from './diagnostic.js';
import { lastSegment, readGateReference, type WorkflowReference } from './reference.js';
import { excerpt } from './source-line.js';
import { didYouMean } from './suggest.js';
import type { Gate } from './workflow.js';
import { entryOf, type YamlList, type YamlMap, type YamlNode } from './yaml-node.js';

const withoutArgument = ['compile', 'test', 'lint', 'tests_found'] as const;
const withArgument = ['touched', 'untouched', 'bash'] as const;
/** What `schema` may be held against; the first when nothing is said. */
const contracts = ['plan', 'review'] as const;

export const gateTypes: readonly string[] = [
  ...withoutArgument,
  'coverage',
  ...withArgument,
  'schema',
  'validate',
];

/** A gate before the workflow that it may call is there. */
export type UnresolvedGate =
  | Exclude<Gate, { readonly type: 'validate' }>
  | { readonly name: string; readonly type: 'validate'; readonly reference: WorkflowReference };

/** A gate as it was written. */
interface GateEntry {
  readonly type: string;
  readonly argument?: string | undefined;
  readonly reference?: WorkflowReference | undefined;
  readonly at: Span;
}

/** Every gate that can be read; its place in the list stays its place in the file, for the name holds it. */
export function readGates(list: YamlList): readonly UnresolvedGate[] {
  const taken = new Set<string>();
  return list.items.flatMap((item, index) => {
    const entry = readEntry(item);
    if (entry === undefined || entryProblem(entry) !== undefined) return [];
    const name = gateName(entry, index, taken);
    taken.add(name);
    return [toGate(entry, name)];
  });
}

/** Faults of the entries as gates; that an entry is text or a mapping is for the schema to say. */
export function gateProblems(list: YamlList): readonly Diagnostic[] {
  return list.items.flatMap((item) => {
    const many = multipleGatesProblem(item);
    if (many !== undefined) return [many];
    const entry = readEntry(item);
    const found = entry === undefined ? undefined : entryProblem(entry);
    return found === undefined ? [] : [found];
  });
}

function multipleGatesProblem(item: YamlNode): Diagnostic | undefined {
  // Beside `validate` every key is an input.
  if (item.kind !== 'map' || entryOf(item, 'validate') !== undefined) return undefined;
  const gates = item.entries.filter(({ key }) => gateTypes.includes(key));
  if (item.entries.length === 0)
    return problem('unknown-gate', item.at, `This entry names no gate. ${listed}`);
  if (gates.length < 2) return undefined;
  const names = gates.map(({ key }) => `\`${key}\``).join(' and ');
  return problem(
    'gate-argument',
    item.at,
    `One entry holds ${names}: begin a line with \`- \` for each gate.`,
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

const listed = `There are: ${gateTypes.join(', ')}.`;

function entryProblem({ type, argument, at }: GateEntry): Diagnostic | undefined {
  if (!gateTypes.includes(type)) {
    const hint = didYouMean(type, gateTypes) || ` ${listed}`;
    return problem('unknown-gate', at, `There is no gate \`${excerpt(type)}\`.${hint}`);
  }
  const message = argumentProblem(type, argument);
  return message === undefined ? undefined : problem('gate-argument', at, message);
}

function argumentProblem(type: string, argument: string | undefined): string | undefined {
  if (withoutArgument.some((one) => one === type)) {
    return argument === undefined
      ? undefined
      : `The gate \`${type}\` takes no argument: write \`- ${type}\`.`;
  }
  if (type === 'schema') {
    return argument === undefined || contracts.some((one) => one === argument)
      ? undefined
      : `The gate \`schema\` takes \`plan\` or \`review\`, not "${excerpt(argument)}".`;
  }
  if (type !== 'coverage') {
    const example = examples[type] ?? `${type}: "PATTERN"`;
    return argument ? undefined : `The gate \`${type}\` needs an argument: write \`- ${example}\`.`;
  }
  if (argument === undefined || (/^\d{1,3}$/.test(argument) && Number(argument) <= 100)) return undefined;
  return `The gate \`coverage\` takes a whole number from 0 to 100 without a percent sign, not "${excerpt(argument)}".`;
}

const examples: Readonly<Record<string, string>> = { bash: 'bash: COMMAND', validate: 'validate: WORKFLOW' };

// The reference's names: of a validator the last word of its path; else the type, or with an argument, or the
// second time, the type and the place in the list.
function gateName({ type, argument }: GateEntry, index: number, taken: ReadonlySet<string>): string {
  const plain = type === 'validate' ? validatorName(argument ?? '') : type;
  const isFree = (type === 'validate' || argument === undefined) && !taken.has(plain);
  let name = isFree ? plain : `${plain}_${index}`;
  while (taken.has(name)) name = `${name}_${index}`;
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
