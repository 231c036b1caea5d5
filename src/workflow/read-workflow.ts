/**
 * The text of one workflow file → its outline, and everything that is wrong with it, in one pass:
 *
 *   text ─ yaml.ts → tree ─ lenient.ts, prompt-files.ts → tree ─ shape.ts (syntax.ts), check.ts → faults
 *
 * Never throws, and takes bounded time, for any text.
 */
import { checkStep, checkSteps } from './check.js';
import { type Diagnostic, fault } from './diagnostic.js';
import { readLeniently } from './lenient.js';
import { outlineStep, type StepOutline, stepsIn } from './outline.js';
import { type ReadPrompt, readPromptFiles } from './prompt-files.js';
import type { CheckedText, CheckOptions } from './rule.js';
import { shapeFaults } from './shape.js';
import * as syntax from './syntax.js';
import { childOf, type MapTree, mappingsIn, type Tree } from './tree.js';
import { readYaml } from './yaml.js';

export interface ReadOptions extends CheckOptions {
  /** Without it prompt files are not read. */
  readonly readPrompt?: ReadPrompt | undefined;
}

export interface WrittenWorkflow {
  readonly tree: Tree;
  readonly steps: readonly StepOutline[];
}

export interface ReadText {
  /** Absent when there is nothing to look at. */
  readonly written?: WrittenWorkflow;
  /** In no order. */
  readonly faults: readonly Diagnostic[];
}

export function readWorkflow(text: string, options: ReadOptions): ReadText {
  const { tree: asWritten, faults, brokenAt } = readYaml(text);
  if (asWritten === undefined) return { faults: faults.length > 0 ? faults : [emptyFile()] };
  const prompts = withPrompts(readLeniently(asWritten), options);
  const { tree } = prompts;
  const steps = stepsIn(tree, 'steps') ?? [];
  const found = [...prompts.faults, ...treeFaults({ tree, steps }, faults, { ...options, text }, brokenAt)];
  return { written: { tree, steps }, faults: [...faults, ...withoutEchoes(found, faults)] };
}

function withPrompts(tree: Tree, { readPrompt }: ReadOptions) {
  return readPrompt === undefined ? { tree, faults: [] } : readPromptFiles(tree, readPrompt);
}

function treeFaults(
  { tree, steps }: WrittenWorkflow,
  before: readonly Diagnostic[],
  options: CheckedText,
  brokenAt: number | undefined,
): readonly Diagnostic[] {
  if (before.some(({ code }) => code === 'too-large')) return [];
  if (brokenAt === undefined) {
    const each = steps.flatMap((step) => checkStep(step, options));
    return [...shapeFaults(tree, syntax.root, 'root'), ...each, ...checkSteps(steps, options)];
  }
  return soundSteps(tree, brokenAt).flatMap((step) => [
    ...shapeFaults(step, syntax.step, 'step'),
    ...checkStep(outlineStep(step), options),
  ]);
}

/** A value that YAML could not give is no fault of the language as well. */
function withoutEchoes(faults: readonly Diagnostic[], before: readonly Diagnostic[]): readonly Diagnostic[] {
  const told = new Set(before.filter(({ severity }) => severity === 'error').map(({ start }) => start));
  return faults.filter(({ start }) => !told.has(start));
}

function emptyFile(): Diagnostic {
  return fault('empty-file', { start: 0, end: 0 }, 'The file is empty: a workflow needs `name` and `steps`.');
}

/** The steps that were over before the file broke: another step begins between them and the fault. */
function soundSteps(tree: Tree, brokenAt: number): readonly MapTree[] {
  const steps = mappingsIn(childOf(tree, 'steps'));
  return steps.filter((_, index) => (steps[index + 1]?.at.start ?? Number.POSITIVE_INFINITY) <= brokenAt);
}
