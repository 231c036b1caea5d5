/**
 * Workflow text → checked workflow, or everything that is wrong with it, in one pass:
 *
 *   text ─ yaml.ts → tree ─ lenient.ts → tree ─ shape.ts (syntax.ts), check.ts → faults ─ here → Workflow
 *
 * Never throws, and takes bounded time, for any text.
 */
import { checkStep, checkSteps } from './check.js';
import { withDefaultAgent } from './default-agent.js';
import { type Diagnostic, fault } from './diagnostic.js';
import { readGates } from './gates.js';
import { readLeniently } from './lenient.js';
import { outlineStep, type StepOutline } from './outline.js';
import { readRetry } from './retry.js';
import { shapeFaults } from './shape.js';
import { isGateOnly } from './step-rules.js';
import * as syntax from './syntax.js';
import { childOf, type MapTree, type Tree } from './tree.js';
import type { AgentStep, Step, Workflow } from './workflow.js';
import { readYaml } from './yaml.js';

export interface ParseOptions {
  /** Path of the file, to which paths in it will be relative; no key of today's language holds one. */
  readonly file: string;
  /** Ids of the providers there are (`claude`, `codex`, …); without them agent names are not checked. */
  readonly providers?: readonly string[];
  /** The agent of steps that name none; without it such a step is at fault. */
  readonly defaultAgent?: string;
}

export interface ParsedWorkflow {
  /** There exactly when no diagnostic is an error. */
  readonly workflow?: Workflow;
  /** In the order of the file; at most 100, and one more that says so. */
  readonly diagnostics: readonly Diagnostic[];
}

export function parseWorkflow(text: string, options: ParseOptions): ParsedWorkflow {
  const { tree: asWritten, faults, brokenAt } = readYaml(text);
  const tree = asWritten && readLeniently(asWritten);
  const found = [...faults, ...withoutEchoes(treeFaults(tree, faults, options, brokenAt), faults)];
  const diagnostics = presented(found);
  if (tree === undefined || found.some(({ severity }) => severity === 'error')) return { diagnostics };
  return { workflow: withDefaultAgent(toWorkflow(tree), options.defaultAgent ?? ''), diagnostics };
}

function treeFaults(
  tree: Tree | undefined,
  before: readonly Diagnostic[],
  options: ParseOptions,
  brokenAt: number | undefined,
): readonly Diagnostic[] {
  if (tree === undefined) return before.length > 0 ? [] : [emptyFile()];
  if (before.some(({ code }) => code === 'too-large')) return [];
  if (brokenAt === undefined)
    return [...shapeFaults(tree, syntax.root, 'root'), ...meaningFaults(tree, options)];
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

function meaningFaults(tree: Tree, options: ParseOptions): readonly Diagnostic[] {
  const steps = stepsOf(tree).map(outlineStep);
  return [...steps.flatMap((step) => checkStep(step, options)), ...checkSteps(steps)];
}

/** The steps that were over before the file broke: another step begins between them and the fault. */
function soundSteps(tree: Tree, brokenAt: number): readonly MapTree[] {
  const steps = stepsOf(tree);
  return steps.filter((_, index) => (steps[index + 1]?.at.start ?? Number.POSITIVE_INFINITY) <= brokenAt);
}

function stepsOf(tree: Tree): readonly MapTree[] {
  const steps = childOf(tree, 'steps');
  return steps?.kind === 'list' ? steps.items.filter((item) => item.kind === 'map') : [];
}

const mostShown = 100;

/** In the order of the file, each once: what an alias repeats is the same fault at the same place. */
function presented(faults: readonly Diagnostic[]): readonly Diagnostic[] {
  const unique = new Map(faults.map((one) => [`${one.start} ${one.code} ${one.message}`, one]));
  const sorted = [...unique.values()].sort((a, b) => a.start - b.start || a.end - b.end);
  const next = sorted[mostShown];
  if (next === undefined) return sorted;
  const message = `There are ${sorted.length - mostShown} more faults from here on, which are not shown.`;
  return [...sorted.slice(0, mostShown), fault('too-many', next, message)];
}

function toWorkflow(tree: Tree): Workflow {
  const name = childOf(tree, 'name');
  const match = childOf(tree, 'session-match');
  return {
    name: name?.kind === 'scalar' ? String(name.value) : '',
    source: '',
    sessionMatch: match?.kind === 'scalar' && match.value === 'provider' ? 'provider' : 'agent',
    onPause: 'fail',
    budget: {},
    steps: stepsOf(tree).map((step) => toStep(outlineStep(step))),
  };
}

function toStep(step: StepOutline): Step {
  const name = step.name?.value ?? '';
  const gates = step.gate === undefined ? [] : readGates(step.gate.value);
  if (isGateOnly(step)) return { kind: 'gates', name, gates };
  const agent = toAgentStep(step, name, gates);
  if (agent.type !== 'split') return agent;
  const { retry } = agent;
  const each = (step.each ?? []).map(toStep);
  return { kind: 'split', name, planner: agent, each, gates, retry, files: 'warn', parallel: false };
}

function toAgentStep(step: StepOutline, name: string, gates: AgentStep['gates']): AgentStep {
  const type = step.type?.value;
  return {
    kind: 'agent',
    name,
    type: type === 'validate' || type === 'split' ? type : 'code',
    agent: step.agent?.value.trim() ?? '',
    prompt: step.prompt?.value ?? '',
    context: [],
    worktree: type === 'validate' || type === 'split' ? 'read-only' : 'read-write',
    session: step.session?.value ?? { mode: 'new' },
    guard: {},
    gates,
    retry: step.retry === undefined ? [] : readRetry(step.retry.value),
  };
}
