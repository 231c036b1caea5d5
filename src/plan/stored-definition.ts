/**
 * A step's definition in the form whose hash the journal stores (S11).
 *
 * A stored format: the names below and their order are part of the hash. If one changes, a re-run with a newer
 * release of the action pays again for steps that passed. Fields of the workflow model may be renamed; their names
 * here must not change. Add a new field at the end of its object and leave it out if it has its default value, so
 * that workflows without it keep their hash. `test/plan/fingerprint.test.ts` checks the hashes.
 *
 * The names in the other stored formats must not change either:
 * - journal event types and fields (`journal/event.ts`)
 * - keys of `report.json` (`report/report.ts`)
 * - paths inside a checkpoint (`checkpoint/checkpoint-contents.ts`) and its header (`checkpoint/seal.ts`)
 * - the format of a cache key (`checkpoint/checkpoint-key.ts`) and of a state name (`checkpoint/state-name.ts`)
 */
import type {
  AgentStep,
  Budget,
  CallStep,
  ContextEntry,
  Gate,
  GateStep,
  GroupStep,
  Guard,
  RetryEntry,
  RetryOverrides,
  SessionChoice,
  SplitStep,
  Step,
  Workflow,
  WorkflowCall,
} from '../workflow/workflow.js';

/** A key with the value `undefined` is left out. */
type Stored = Readonly<Record<string, unknown>>;

/** The definition of the step alone, without its agent and without the steps below it, which have their own hashes. */
export function storedDefinition(step: Step): unknown {
  switch (step.kind) {
    case 'gates':
      return storedGateStep(step);
    case 'agent':
      return { ...storedAgentStep(step), agent: undefined };
    case 'split':
      return storedPlanner(step);
    case 'group':
      return { ...storedGroup(step), steps: undefined, maxParallel: undefined };
    case 'call':
      return { ...storedCallStep(step), call: { path: step.call.path, inputs: step.call.inputs } };
  }
}

/** `max_parallel` and `files` do not change a result, so they are not part of the hash. */
function storedPlanner({ planner, parallel }: SplitStep): unknown {
  const own = { ...storedAgentStep(planner), agent: undefined };
  return parallel ? [own, parallel] : own;
}

/** A called workflow is, as a whole, part of the definition of the step that calls it. */
function storedWorkflow(workflow: Workflow): Stored {
  return {
    name: workflow.name,
    source: workflow.source,
    sessionMatch: workflow.sessionMatch,
    onPause: workflow.onPause,
    budget: storedBudget(workflow.budget),
    steps: workflow.steps.map(storedStep),
  };
}

function storedStep(step: Step): Stored {
  switch (step.kind) {
    case 'gates':
      return storedGateStep(step);
    case 'agent':
      return storedAgentStep(step);
    case 'split':
      return storedSplit(step);
    case 'group':
      return storedGroup(step);
    case 'call':
      return storedCallStep(step);
  }
}

function storedGateStep(step: GateStep): Stored {
  return { kind: step.kind, name: step.name, gates: step.gates.map(storedGate), hitl: step.hitl };
}

function storedAgentStep(step: AgentStep): Stored {
  return {
    kind: step.kind,
    name: step.name,
    gates: step.gates.map(storedGate),
    retry: step.retry.map(storedRetry),
    type: step.type,
    agent: step.agent,
    prompt: step.prompt,
    context: step.context.map(storedContext),
    worktree: step.worktree,
    get: step.get && storedCall(step.get),
    session: storedSession(step.session),
    guard: storedGuard(step.guard),
    hitl: step.hitl,
    permissions: step.permissions,
  };
}

function storedSplit(step: SplitStep): Stored {
  return {
    kind: step.kind,
    name: step.name,
    gates: step.gates.map(storedGate),
    retry: step.retry.map(storedRetry),
    planner: storedAgentStep(step.planner),
    each: step.each.map(storedStep),
    files: step.files,
    parallel: step.parallel,
    maxParallel: step.maxParallel,
  };
}

function storedGroup(step: GroupStep): Stored {
  return {
    ...storedJudged(step),
    steps: step.steps.map(storedStep),
    parallel: step.parallel,
    maxParallel: step.maxParallel,
  };
}

function storedCallStep(step: CallStep): Stored {
  return { ...storedJudged(step), call: storedCall(step.call) };
}

/** The common part of a group and a call. */
function storedJudged(step: GroupStep | CallStep): Stored {
  return {
    kind: step.kind,
    name: step.name,
    gates: step.gates.map(storedGate),
    retry: step.retry.map(storedRetry),
    guard: storedGuard(step.guard),
    hitl: step.hitl,
  };
}

function storedCall(call: WorkflowCall): Stored {
  return { path: call.path, workflow: storedWorkflow(call.workflow), inputs: call.inputs };
}

function storedBudget(budget: Budget): Stored {
  return { maxUsd: budget.maxUsd, maxTokens: budget.maxTokens, maxTimeMs: budget.maxTimeMs };
}

function storedGuard(guard: Guard): Stored {
  return {
    maxTurns: guard.maxTurns,
    maxUsd: guard.maxUsd,
    maxTokens: guard.maxTokens,
    maxTimeMs: guard.maxTimeMs,
    stallMs: guard.stallMs,
    noWrite: guard.noWrite,
  };
}

function storedSession(session: SessionChoice): Stored {
  return session.mode === 'from' ? { mode: session.mode, step: session.step } : { mode: session.mode };
}

function storedContext(entry: ContextEntry): Stored {
  const { type, optional } = entry;
  return type === 'file' ? { type, path: entry.path, optional } : { type, command: entry.command, optional };
}

function storedGate(gate: Gate): Stored {
  const { name, type } = gate;
  switch (gate.type) {
    case 'coverage':
      return { name, type, atLeast: gate.atLeast };
    case 'touched':
    case 'untouched':
      return { name, type, pattern: gate.pattern };
    case 'bash':
      return { name, type, command: gate.command };
    case 'schema':
      return { name, type, contract: gate.contract };
    case 'validate':
      return { name, type, call: storedCall(gate.call) };
    default:
      return { name, type };
  }
}

function storedRetry({ when, overrides }: RetryEntry): Stored {
  return { when: storedCondition(when), overrides: storedOverrides(overrides) };
}

function storedCondition(when: RetryEntry['when']): Stored {
  if ('attempt' in when) return { attempt: when.attempt };
  if ('not' in when) return { not: when.not };
  return 'validate' in when ? { validate: storedCall(when.validate) } : { exit: when.exit };
}

/** In the order of the keys in the entry: if the input `agent` replaces the agent, that key is the last one. */
function storedOverrides(overrides: RetryOverrides): Stored {
  const values = {
    agent: overrides.agent,
    session: overrides.session,
    worktree: overrides.worktree,
    prompt: overrides.prompt,
  };
  return Object.fromEntries(Object.keys(overrides).map((key) => [key, values[key as keyof typeof values]]));
}
