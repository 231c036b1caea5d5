/** Builds the workflow from its tree. Only valid if neither this file nor a called workflow has an error. */
import { defined } from '../optional-keys.js';
import { type LimitPlace, readLimits } from './limits.js';
import { outlineSteps, type StepOutline, scalarValue } from './outline.js';
import type { WorkflowReference } from './reference.js';
import { readRetry } from './retry.js';
import { gatesOf } from './step-templates.js';
import type {
  AgentStep,
  ContextEntry,
  Gate,
  Guard,
  RetryEntry,
  Step,
  Workflow,
  WorkflowCall,
  WorktreeMode,
} from './workflow.js';
import { childOf, mappingsIn, textIn, type YamlMap, type YamlNode } from './yaml-node.js';

/** Returns the workflow of a reference. */
export type ReferenceResolver = (reference: WorkflowReference) => Workflow;

export function buildWorkflow(tree: YamlNode, source: string, follow: ReferenceResolver): Workflow {
  return {
    name: String(scalarValue(childOf(tree, 'name')) ?? ''),
    source,
    sessionMatch: scalarValue(childOf(tree, 'session-match')) === 'provider' ? 'provider' : 'agent',
    onPause: scalarValue(childOf(tree, 'on-pause')) === 'success' ? 'success' : 'fail',
    budget: limitsIn('budget', tree),
    steps: (outlineSteps(tree, 'steps') ?? []).map((step) => toStep(step, follow)),
  };
}

function toStep(step: StepOutline, follow: ReferenceResolver): Step {
  const { kind } = step;
  const common = commonOf(step, follow);
  if (kind === 'gates') return { kind, name: common.name, gates: common.gates, ...pauseOf(step) };
  if (kind === 'agent') return toAgentStep(step, follow);
  if (kind === 'call') return { kind, ...common, ...limitsOf(step), call: toCall(step.call, follow) };
  if (kind === 'group') {
    const steps = (step.steps ?? []).map((inner) => toStep(inner, follow));
    return { kind, ...common, ...limitsOf(step), steps, ...parallelOf(step) };
  }
  const each = (step.each ?? []).map((inner) => toStep(inner, follow));
  const planner = toAgentStep(step, follow);
  return { kind, ...common, planner, each, files: filesOf(step), ...parallelOf(step) };
}

function commonOf(step: StepOutline, follow: ReferenceResolver) {
  const gates = gatesOf(step).map((gate): Gate => {
    if (gate.type !== 'validate') return gate;
    return { name: gate.name, type: gate.type, call: toCall(gate.reference, follow) };
  });
  return { name: step.name?.value ?? '', gates, retry: retryOf(step, follow) };
}

function retryOf({ retry }: StepOutline, follow: ReferenceResolver): readonly RetryEntry[] {
  const entries = retry === undefined ? [] : readRetry(retry.value);
  return entries.map(({ when, overrides }) =>
    'validate' in when
      ? { when: { validate: toCall(when.validate, follow) }, overrides }
      : { when, overrides },
  );
}

function toAgentStep(step: StepOutline, follow: ReferenceResolver): AgentStep {
  const type = typeOf(step);
  return {
    kind: 'agent',
    ...commonOf(step, follow),
    type,
    agent: step.agent?.value.trim() ?? '',
    ...defined({ fallback: step.fallback?.value.trim() }),
    prompt: step.prompt?.value ?? '',
    context: mappingsIn(step.context?.value).flatMap(toContext),
    worktree:
      (step.worktree?.value as WorktreeMode | undefined) ?? (type === 'code' ? 'read-write' : 'read-only'),
    ...defined({ get: step.get && toCall(step.get, follow) }),
    session: step.session?.value ?? { mode: 'new' },
    ...limitsOf(step),
    ...permissionsOf(step),
  };
}

function permissionsOf({ permissions }: StepOutline): Pick<AgentStep, 'permissions'> {
  const word = permissions?.value;
  return word === 'full' || word === 'workspace' || word === 'read-only' ? { permissions: word } : {};
}

function typeOf({ type }: StepOutline): AgentStep['type'] {
  const word = type?.value;
  return word === 'validate' || word === 'split' || word === 'artifact' ? word : 'code';
}

function toContext(entry: YamlMap): readonly ContextEntry[] {
  const file = textIn(entry, 'file');
  const bash = textIn(entry, 'bash');
  const optional = scalarValue(childOf(entry, 'optional')) === true ? ({ optional: true } as const) : {};
  if (file !== undefined) return [{ type: 'file', path: file.value.trim(), ...optional }];
  return bash === undefined ? [] : [{ type: 'bash', command: bash.value, ...optional }];
}

function toCall(reference: WorkflowReference | undefined, follow: ReferenceResolver): WorkflowCall {
  if (reference === undefined)
    throw new Error('A call without a path cannot be built: check the workflow for errors first.');
  const inputs = Object.fromEntries(reference.inputs.map(({ name, text }) => [name, text.value]));
  return { path: reference.path, workflow: follow(reference), inputs };
}

function limitsOf(step: StepOutline) {
  return { guard: guardOf(step.guard?.value), ...pauseOf(step) };
}

function guardOf(tree: YamlMap | undefined): Guard {
  const noWrite = scalarValue(childOf(tree, 'no_write'));
  return { ...limitsIn('guard', tree), ...(typeof noWrite === 'boolean' ? { noWrite } : {}) };
}

function limitsIn(place: LimitPlace, tree: YamlNode | undefined) {
  return readLimits(place, (key) => scalarValue(childOf(tree, key)));
}

function pauseOf({ hitl }: StepOutline) {
  return defined({ hitl: hitl?.value });
}

function parallelOf({ parallel, tree }: StepOutline) {
  const most = scalarValue(childOf(tree, 'max_parallel'));
  return { parallel, ...(typeof most === 'number' ? { maxParallel: most } : {}) };
}

function filesOf({ tree }: StepOutline): 'warn' | 'fail' | 'off' {
  const files = scalarValue(childOf(tree, 'files'));
  return files === 'fail' || files === 'off' ? files : 'warn';
}
