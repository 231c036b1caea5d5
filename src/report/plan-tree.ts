/** A workflow as a plain-text tree: its steps, their agents, gates, limits and retries. Pure. */
import type { Permission } from '../providers/provider.js';
import { excerpt } from '../workflow/source-line.js';
import type { AgentStep, Gate, RetryEntry, Step, Workflow, WorkflowCall } from '../workflow/workflow.js';
import {
  agentFacts,
  budgetFacts,
  gateFacts,
  guardFacts,
  kindOf,
  orderText,
  pauseFacts,
  retryFacts,
} from './plan-facts.js';

interface PlanTreeNode {
  readonly title: string;
  /** Lines below the title. */
  readonly facts: readonly string[];
  readonly children: readonly PlanTreeNode[];
}

/**
 * The lines of the tree. A workflow that is called several times is shown at its first call. `permissions`: the
 * default of the run for steps without the key.
 */
export function planTree(workflow: Workflow, permissions?: Permission): readonly string[] {
  const root = workflowNode(titleOf(workflow.name, workflow), workflow, new Set());
  const permissionFacts =
    permissions === undefined ? [] : [`permissions: ${permissions}, unless a step sets its own`];
  return [
    root.title,
    ...[...root.facts, ...permissionFacts].map((fact) => `  ${fact}`),
    ...renderNodes(root.children, ''),
  ];
}

function titleOf(name: string, { source }: Workflow): string {
  return source === '' ? excerpt(name) : `${excerpt(name)} (${excerpt(source)})`;
}

function renderNodes(nodes: readonly PlanTreeNode[], indent: string): readonly string[] {
  return nodes.flatMap((node, index) => {
    const isLast = index === nodes.length - 1;
    const below = `${indent}${isLast ? '   ' : '│  '}`;
    return [
      `${indent}${isLast ? '└─ ' : '├─ '}${node.title}`,
      ...node.facts.map((fact) => `${below}${node.children.length > 0 ? '│  ' : '   '}${fact}`),
      ...renderNodes(node.children, below),
    ];
  });
}

/** Sources of the workflows that are already in the tree. Without it, calls within calls would repeat them without limit. */
type ShownWorkflows = Set<string>;

function workflowNode(title: string, workflow: Workflow, shown: ShownWorkflows): PlanTreeNode {
  if (shown.has(workflow.source)) return { title: `${title}, see above`, facts: [], children: [] };
  shown.add(workflow.source);
  const facts = [
    ...budgetFacts(workflow.budget),
    ...(workflow.sessionMatch === 'agent'
      ? []
      : ['steps resume sessions of the same provider, not only of the same agent']),
    ...(workflow.onPause === 'fail' ? [] : ['a job that waits for approval ends with success']),
  ];
  return { title, facts, children: workflow.steps.map((step) => stepNode(step, shown)) };
}

function stepNode(step: Step, shown: ShownWorkflows): PlanTreeNode {
  const title = `${excerpt(step.name)} · ${kindOf(step)}`;
  switch (step.kind) {
    case 'gates':
      return {
        title,
        facts: [...gateFacts(step.gates), ...pauseFacts(step.hitl)],
        children: judgeNodes(step.gates, [], shown),
      };
    case 'agent':
      return agentNode(title, step, shown);
    case 'split': {
      const planner = agentNode(title, { ...step.planner, gates: step.gates, retry: step.retry }, shown);
      const each: PlanTreeNode = {
        title: `each task, ${orderText(step)}`,
        facts: step.files === 'warn' ? [] : [`changes outside the files of the task: ${step.files}`],
        children: step.each.map((inner) => stepNode(inner, shown)),
      };
      return { ...planner, children: [...planner.children, each] };
    }
    case 'group':
      return {
        title: `${title}, ${orderText(step)}`,
        facts: commonFacts(step),
        children: [
          ...step.steps.map((inner) => stepNode(inner, shown)),
          ...judgeNodes(step.gates, step.retry, shown),
        ],
      };
    case 'call':
      return {
        title,
        facts: [...inputFacts(step.call), ...commonFacts(step)],
        children: [callNode('', step.call, shown), ...judgeNodes(step.gates, step.retry, shown)],
      };
  }
}

function agentNode(title: string, step: AgentStep, shown: ShownWorkflows): PlanTreeNode {
  const before = step.get === undefined ? [] : [callNode('first, for its outputs: ', step.get, shown)];
  return {
    title,
    facts: [...agentFacts(step), ...commonFacts(step)],
    children: [...before, ...judgeNodes(step.gates, step.retry, shown)],
  };
}

function commonFacts(
  step: Pick<AgentStep, 'guard' | 'gates' | 'retry'> & Pick<AgentStep, 'hitl'>,
): readonly string[] {
  return [
    ...guardFacts(step.guard),
    ...gateFacts(step.gates),
    ...pauseFacts(step.hitl),
    ...retryFacts(step.retry),
  ];
}

/** The workflows that judge a step: as its gates, and as conditions of its retries. */
function judgeNodes(
  gates: readonly Gate[],
  retry: readonly RetryEntry[],
  shown: ShownWorkflows,
): readonly PlanTreeNode[] {
  return [
    ...gates.flatMap((gate) =>
      gate.type === 'validate' ? [callNode(`gate ${excerpt(gate.name)}: `, gate.call, shown)] : [],
    ),
    ...retry.flatMap(({ when }) =>
      'validate' in when ? [callNode('retry condition: ', when.validate, shown)] : [],
    ),
  ];
}

function callNode(why: string, { path, workflow }: WorkflowCall, shown: ShownWorkflows): PlanTreeNode {
  return workflowNode(`${why}workflow ${titleOf(path, workflow)}`, workflow, shown);
}

function inputFacts({ inputs }: WorkflowCall): readonly string[] {
  const names = Object.keys(inputs).map(excerpt);
  return names.length === 0 ? [] : [`inputs: ${names.join(', ')}`];
}
