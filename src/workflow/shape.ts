/** Holds a tree against a schema and tells each issue where it is and in our words. */
import type { core, ZodType } from 'zod';
import type { Code } from './codes.js';
import { type Diagnostic, fault } from './diagnostic.js';
import { isMisspelt, keyFault } from './keys.js';
import { laterValue, type Place } from './later.js';
import { type Found, locate, type Path } from './locate.js';
import { excerpt } from './source-line.js';
import { didYouMean } from './suggest.js';
import { type Entry, entryOf, type Tree, toData } from './tree.js';

type Issue = core.$ZodIssue;

/** `top` is the place that the tree itself takes: the whole workflow, or one of its steps. */
export function shapeFaults(tree: Tree, schema: ZodType, top: Place): readonly Diagnostic[] {
  const result = schema.safeParse(toData(tree));
  if (result.success) return [];
  return result.error.issues.flatMap((issue) => told(issue, issue.path, tree, top));
}

function told(issue: Issue, path: Path, tree: Tree, top: Place): readonly Diagnostic[] {
  if (issue.code === 'unrecognized_keys')
    return keyFaults(issue.keys, locate(tree, path).tree, placeOf(path, top));
  const found = locate(tree, path);
  const key = nameOf(path);
  const later = found.isThere ? laterValue(key, found.tree) : undefined;
  if (later !== undefined) return [fault('not-supported-yet', found.at, later)];
  if (!found.isThere) {
    if (isMisspelt(key, found.tree, placeOf(path.slice(0, -1), top))) return [];
    return [fault('missing-key', found.at, `${owner(path, top)} needs \`${key}\`.`)];
  }
  if (issue.code === 'invalid_union') return union(issue, path, tree, top);
  return [fault(codeOf(issue), found.at, messageOf(issue, path, found))];
}

/** The issues of the one option whose kind the value has; if there is none, that none of them fits. */
function union(issue: core.$ZodIssueInvalidUnion, path: Path, tree: Tree, top: Place): readonly Diagnostic[] {
  const ofWrongKind = (issues: readonly Issue[]): boolean =>
    issues.some(({ code, path: inner }) => code === 'invalid_type' && inner.length === 0);
  const options = isNoPromptFile(path, tree) ? [] : issue.errors.filter((issues) => !ofWrongKind(issues));
  const [only] = options;
  if (only !== undefined && options.length === 1) {
    return only.flatMap((inner) => told(inner, [...path, ...inner.path], tree, top));
  }
  const kinds = issue.errors.flatMap((issues) =>
    issues.flatMap((one) => ('expected' in one ? [one.expected] : [])),
  );
  const found = locate(tree, path);
  // Nobody who wrote `{spec}` without quotes thought of a file.
  const meant = nameOf(path) === 'prompt' ? ['string'] : kinds;
  return [fault('wrong-type', found.at, wrongType(meant, path, found))];
}

function isNoPromptFile(path: Path, tree: Tree): boolean {
  const { tree: value } = locate(tree, path);
  return nameOf(path) === 'prompt' && value.kind === 'map' && entryOf(value, 'file') === undefined;
}

function keyFaults(keys: readonly string[], tree: Tree, place: Place): readonly Diagnostic[] {
  return keys.flatMap((key) => {
    const entry = entryOf(tree, key);
    if (isCall(place, tree)) return entry === undefined ? [] : inputFaults(entry);
    const { code, message } = keyFault(place, key);
    return [fault(code, entry?.at ?? tree.at, message)];
  });
}

/** All other keys beside the workflow that is called are inputs of it. */
function isCall(place: Place, tree: Tree): boolean {
  const key = place === 'gate' ? 'validate' : 'workflow';
  return (place === 'gate' || place === 'get') && entryOf(tree, key) !== undefined;
}

function inputFaults({ key, at, value }: Entry): readonly Diagnostic[] {
  if (value.kind === 'scalar' && value.value !== null) return [];
  const message = `\`${excerpt(key)}\` must be text, but is ${describe(value)}${hint(['string'], value)}.`;
  return [fault('wrong-type', value.kind === 'scalar' ? value.at : at, message)];
}

/** What stands at the end of the path: an entry of `gate` or `retry`, a step, or the mapping of that name. */
function placeOf(path: Path, top: Place): Place {
  const last = path.at(-1);
  if (last === undefined) return top;
  const name = String(typeof last === 'number' ? path.at(-2) : last);
  if (name === 'steps' || name === 'each') return 'step';
  return (named as readonly string[]).includes(name) ? (name as Place) : 'session';
}

const named: readonly Place[] = ['get', 'run', 'guard', 'context', 'prompt', 'gate', 'retry'];

function codeOf(issue: Issue): Code {
  if (issue.code === 'custom') return (issue.params as { code: Code }).code;
  if (issue.code === 'invalid_type') return 'wrong-type';
  return issue.code === 'too_small' && issue.origin === 'array' ? 'empty-value' : 'bad-value';
}

function messageOf(issue: Issue, path: Path, found: Found): string {
  const subject = subjectOf(path);
  if (issue.code === 'invalid_type') return wrongType([issue.expected], path, found);
  if (issue.code === 'invalid_value') return `${subject} ${oneOf(issue.values.map(String), found.tree)}`;
  if (issue.code === 'too_small') {
    return issue.origin === 'array'
      ? `${subject} must not be empty.`
      : `${subject} must be at least ${issue.minimum}.`;
  }
  return `${subject} ${issue.message}${codeOf(issue) === 'empty-value' ? '' : `, but is ${describe(found.tree)}`}.`;
}

function oneOf(values: readonly string[], tree: Tree): string {
  const allowed = values.map((value) => `\`${value}\``).join(' or ');
  const written = tree.kind === 'scalar' ? String(tree.value) : '';
  return `must be ${allowed}, but is ${describe(tree)}.${didYouMean(written, values)}`;
}

const kindNames: Readonly<Record<string, string | undefined>> = {
  string: 'text',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  // What takes a fraction says so in its own words.
  number: 'a whole number',
  boolean: '`true` or `false`',
  int: 'a whole number',
};

function wrongType(kinds: readonly string[], path: Path, { tree }: Found): string {
  const allowed = kinds.flatMap((kind) => kindNames[kind] ?? []).join(' or ');
  return `${subjectOf(path)} must be ${allowed}, but is ${describe(tree)}${hint(kinds, tree)}.`;
}

function hint(kinds: readonly string[], tree: Tree): string {
  if (kinds.includes('array')) return ': begin each entry with `- `';
  if (kinds.some((kind) => kind !== 'string')) return '';
  if (tree.kind === 'map') return ': text that begins with `{` or holds `: ` has to be in quotes';
  return tree.kind === 'scalar' && tree.value !== null ? ': put it in quotes' : '';
}

function describe(tree: Tree): string {
  if (tree.kind !== 'scalar') return tree.kind === 'list' ? 'a list' : 'a mapping';
  if (tree.value === null) return 'nothing';
  if (typeof tree.value === 'boolean') return `\`${tree.value}\``;
  return typeof tree.value === 'number' ? `the number ${tree.value}` : `"${excerpt(tree.value)}"`;
}

function nameOf(path: Path): string {
  return String(path.findLast((segment) => typeof segment === 'string') ?? 'workflow');
}

function subjectOf(path: Path): string {
  if (path.length === 0) return 'The file';
  return typeof path.at(-1) === 'number' ? `An entry of \`${nameOf(path)}\`` : `\`${nameOf(path)}\``;
}

function owner(path: Path, top: Place): string {
  const holder = path.slice(0, -1);
  if (holder.length === 0) return top === 'root' ? 'The workflow' : 'The step';
  return typeof holder.at(-1) === 'number' && ['steps', 'each'].includes(nameOf(holder))
    ? 'The step'
    : subjectOf(holder);
}
