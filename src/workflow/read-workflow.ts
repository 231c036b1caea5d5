/**
 * Reads the text of one workflow file. The result is its outline and all of its problems together:
 *
 *   text ─ yaml.ts → tree ─ normalize.ts, prompt-files.ts → tree ─ shape.ts (syntax.ts), check.ts → problems
 *
 * Never throws, and takes bounded time for any text.
 */
import { checkStep, checkSteps } from './check.js';
import { type Diagnostic, problem } from './diagnostic.js';
import { normalize } from './normalize.js';
import { outlineStep, outlineSteps, type StepOutline } from './outline.js';
import { inlinePromptFiles, type PromptReader } from './prompt-files.js';
import type { CheckOptions, RuleContext } from './rule.js';
import { schemaProblems } from './shape.js';
import * as syntax from './syntax.js';
import { readYaml } from './yaml.js';
import { childOf, mappingsIn, type YamlMap, type YamlNode } from './yaml-node.js';

export interface ReadOptions extends CheckOptions {
  /** Absent: prompt files are not read. */
  readonly readPrompt?: PromptReader | undefined;
}

export interface WorkflowOutline {
  readonly tree: YamlNode;
  readonly steps: readonly StepOutline[];
}

export interface ReadWorkflowResult {
  /** Absent: the text is empty or is not YAML. */
  readonly outline?: WorkflowOutline;
  /** In no particular order. */
  readonly problems: readonly Diagnostic[];
}

export function readWorkflow(text: string, options: ReadOptions): ReadWorkflowResult {
  const { tree: asWritten, problems, brokenAt } = readYaml(text);
  if (asWritten === undefined) return { problems: problems.length > 0 ? problems : [emptyFileProblem()] };
  const prompts = applyPromptFiles(normalize(asWritten), options);
  const { tree } = prompts;
  const steps = outlineSteps(tree, 'steps') ?? [];
  const found = [
    ...prompts.problems,
    ...treeProblems({ tree, steps }, problems, { ...options, text }, brokenAt),
  ];
  return { outline: { tree, steps }, problems: [...problems, ...withoutFollowUps(found, problems)] };
}

function applyPromptFiles(tree: YamlNode, { readPrompt }: ReadOptions) {
  return readPrompt === undefined ? { tree, problems: [] } : inlinePromptFiles(tree, readPrompt);
}

function treeProblems(
  { tree, steps }: WorkflowOutline,
  before: readonly Diagnostic[],
  options: RuleContext,
  brokenAt: number | undefined,
): readonly Diagnostic[] {
  if (before.some(({ code }) => code === 'too-large')) return [];
  if (brokenAt === undefined) {
    const each = steps.flatMap((step) => checkStep(step, options));
    return [...schemaProblems(tree, syntax.root, 'root'), ...each, ...checkSteps(steps, options)];
  }
  return completeSteps(tree, brokenAt).flatMap((step) => [
    ...schemaProblems(step, syntax.step, 'step'),
    ...checkStep(outlineStep(step), options),
  ]);
}

/** Without the problems at places where reading the YAML already failed. */
function withoutFollowUps(
  problems: readonly Diagnostic[],
  before: readonly Diagnostic[],
): readonly Diagnostic[] {
  const reportedStarts = new Set(
    before.filter(({ severity }) => severity === 'error').map(({ start }) => start),
  );
  return problems.filter(({ start }) => !reportedStarts.has(start));
}

function emptyFileProblem(): Diagnostic {
  return problem(
    'empty-file',
    { start: 0, end: 0 },
    'The file is empty: write a workflow with `name` and `steps`.',
  );
}

/** The steps that are complete in a broken file: another step begins between them and the syntax error. */
function completeSteps(tree: YamlNode, brokenAt: number): readonly YamlMap[] {
  const steps = mappingsIn(childOf(tree, 'steps'));
  return steps.filter((_, index) => (steps[index + 1]?.at.start ?? Number.POSITIVE_INFINITY) <= brokenAt);
}
