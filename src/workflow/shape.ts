/** Checks a tree against a schema, and reports each issue at its place in the file and in words of our own. */
import type { core, ZodType } from 'zod';
import { type Diagnostic, problem } from './diagnostic.js';
import type { DiagnosticCode } from './diagnostic-codes.js';
import { hasMisspelledKey, keyProblem } from './keys.js';
import { type DataPath, type LocatedNode, locateNode } from './locate.js';
import { excerpt } from './source-line.js';
import { didYouMean } from './suggest.js';
import { unsupportedValue, type WorkflowSection } from './unsupported.js';
import { entryOf, toData, type YamlEntry, type YamlNode } from './yaml-node.js';

type Issue = core.$ZodIssue;

/** `top`: the section that the tree itself is, either the whole workflow or one of its steps. */
export function schemaProblems(tree: YamlNode, schema: ZodType, top: WorkflowSection): readonly Diagnostic[] {
  const result = schema.safeParse(toData(tree));
  if (result.success) return [];
  return result.error.issues.flatMap((issue) => issueProblems(issue, issue.path, tree, top));
}

function issueProblems(
  issue: Issue,
  path: DataPath,
  tree: YamlNode,
  top: WorkflowSection,
): readonly Diagnostic[] {
  if (issue.code === 'unrecognized_keys')
    return keyProblems(issue.keys, locateNode(tree, path).tree, sectionOf(path, top));
  const found = locateNode(tree, path);
  const key = keyNameOf(path);
  const unsupported = found.isFound ? unsupportedValue(key, found.tree) : undefined;
  if (unsupported !== undefined) return [problem('not-supported-yet', found.at, unsupported)];
  if (!found.isFound) {
    if (hasMisspelledKey(key, found.tree, sectionOf(path.slice(0, -1), top))) return [];
    return [problem('missing-key', found.at, `${ownerTitle(path, top)} needs \`${key}\`.`)];
  }
  if (issue.code === 'invalid_union') return unionProblems(issue, path, tree, top);
  return [problem(codeOf(issue), found.at, messageOf(issue, path, found))];
}

/** The issues of the one option that has the kind of the value. Without such an option: the value has the wrong kind. */
function unionProblems(
  issue: core.$ZodIssueInvalidUnion,
  path: DataPath,
  tree: YamlNode,
  top: WorkflowSection,
): readonly Diagnostic[] {
  const ofWrongKind = (issues: readonly Issue[]): boolean =>
    issues.some(({ code, path: inner }) => code === 'invalid_type' && inner.length === 0);
  const options = isNotPromptFile(path, tree) ? [] : issue.errors.filter((issues) => !ofWrongKind(issues));
  const [only] = options;
  if (only !== undefined && options.length === 1) {
    return only.flatMap((inner) => issueProblems(inner, [...path, ...inner.path], tree, top));
  }
  const kinds = issue.errors.flatMap((issues) =>
    issues.flatMap((one) => ('expected' in one ? [one.expected] : [])),
  );
  const found = locateNode(tree, path);
  // `prompt: {spec}` without quotes is a mapping, but its author meant text, not `file: PATH`.
  const expected = keyNameOf(path) === 'prompt' ? ['string'] : kinds;
  return [problem('wrong-type', found.at, wrongType(expected, path, found))];
}

function isNotPromptFile(path: DataPath, tree: YamlNode): boolean {
  const { tree: value } = locateNode(tree, path);
  return keyNameOf(path) === 'prompt' && value.kind === 'map' && entryOf(value, 'file') === undefined;
}

function keyProblems(
  keys: readonly string[],
  tree: YamlNode,
  section: WorkflowSection,
): readonly Diagnostic[] {
  return keys.flatMap((key) => {
    const entry = entryOf(tree, key);
    if (isWorkflowCall(section, tree)) return entry === undefined ? [] : inputValueProblems(entry);
    const { code, message } = keyProblem(section, key);
    return [problem(code, entry?.at ?? tree.at, message)];
  });
}

/** If the mapping calls a workflow, every unknown key is an input of that workflow. */
function isWorkflowCall(section: WorkflowSection, tree: YamlNode): boolean {
  const key = section === 'gate' ? 'validate' : 'workflow';
  return (section === 'gate' || section === 'get') && entryOf(tree, key) !== undefined;
}

function inputValueProblems({ key, at, value }: YamlEntry): readonly Diagnostic[] {
  if (value.kind === 'scalar' && value.value !== null) return [];
  const message = `\`${excerpt(key)}\` must be text, but is ${describe(value)}${hint(['string'], value)}.`;
  return [problem('wrong-type', value.kind === 'scalar' ? value.at : at, message)];
}

/** The section at the end of the path: an entry of `gate` or `retry`, a step, or the mapping of that name. */
function sectionOf(path: DataPath, top: WorkflowSection): WorkflowSection {
  const last = path.at(-1);
  if (last === undefined) return top;
  const name = String(typeof last === 'number' ? path.at(-2) : last);
  if (name === 'steps' || name === 'each') return 'step';
  return (named as readonly string[]).includes(name) ? (name as WorkflowSection) : 'session';
}

const named: readonly WorkflowSection[] = ['get', 'run', 'guard', 'context', 'prompt', 'gate', 'retry'];

function codeOf(issue: Issue): DiagnosticCode {
  if (issue.code === 'custom') return (issue.params as { code: DiagnosticCode }).code;
  if (issue.code === 'invalid_type') return 'wrong-type';
  return issue.code === 'too_small' && issue.origin === 'array' ? 'empty-value' : 'bad-value';
}

function messageOf(issue: Issue, path: DataPath, found: LocatedNode): string {
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

function oneOf(values: readonly string[], tree: YamlNode): string {
  const allowed = orList(values.map((value) => `\`${value}\``));
  const written = tree.kind === 'scalar' ? String(tree.value) : '';
  return `must be ${allowed}, but is ${describe(tree)}.${didYouMean(written, values)}`;
}

function orList(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

const kindNames: Readonly<Record<string, string | undefined>> = {
  string: 'text',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  // A schema that also accepts fractions has a message of its own.
  number: 'a whole number',
  boolean: '`true` or `false`',
  int: 'a whole number',
};

function wrongType(kinds: readonly string[], path: DataPath, { tree }: LocatedNode): string {
  const allowed = orList(kinds.flatMap((kind) => kindNames[kind] ?? []));
  return `${subjectOf(path)} must be ${allowed}, but is ${describe(tree)}${hint(kinds, tree)}.`;
}

function hint(kinds: readonly string[], tree: YamlNode): string {
  if (kinds.includes('array')) return ': begin each entry with `- `';
  if (kinds.some((kind) => kind !== 'string')) return '';
  if (tree.kind === 'map') return ': put text that begins with `{` or contains `: ` in quotes';
  return tree.kind === 'scalar' && tree.value !== null ? ': put it in quotes' : '';
}

function describe(tree: YamlNode): string {
  if (tree.kind !== 'scalar') return tree.kind === 'list' ? 'a list' : 'a mapping';
  if (tree.value === null) return 'nothing';
  if (typeof tree.value === 'boolean') return `\`${tree.value}\``;
  return typeof tree.value === 'number' ? `the number ${tree.value}` : `"${excerpt(tree.value)}"`;
}

function keyNameOf(path: DataPath): string {
  return String(path.findLast((segment) => typeof segment === 'string') ?? 'workflow');
}

function subjectOf(path: DataPath): string {
  if (path.length === 0) return 'The file';
  return typeof path.at(-1) === 'number' ? `An entry of \`${keyNameOf(path)}\`` : `\`${keyNameOf(path)}\``;
}

function ownerTitle(path: DataPath, top: WorkflowSection): string {
  const holder = path.slice(0, -1);
  if (holder.length === 0) return top === 'root' ? 'The workflow' : 'The step';
  return typeof holder.at(-1) === 'number' && ['steps', 'each'].includes(keyNameOf(holder))
    ? 'The step'
    : subjectOf(holder);
}
