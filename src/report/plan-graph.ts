/**
 * A workflow as a Mermaid flowchart. Solid arrows show the order, dotted arrows the sessions that steps resume,
 * boxes the loops over tasks, the groups and the called workflows. Pure.
 */
import type { Redactor } from '../security/redact.js';
import type { Gate, RetryEntry, Step, Workflow, WorkflowCall } from '../workflow/workflow.js';
import {
  addEdge,
  addNode,
  addSubgraph,
  type DrawnStep,
  type Flowchart,
  flowchartText,
  maxTextLength,
  newFlowchart,
} from './flowchart.js';
import { agentText, maxAttempts, orderText } from './plan-facts.js';

/** The text of the chart; `undefined` if it is too large to draw. */
export function planGraph(workflow: Workflow, redact: Redactor): string | undefined {
  const chart: PlanChart = { ...newFlowchart(redact, 'TD'), drawn: new Set() };
  drawScope(chart, workflow.steps, new Map(), '  ');
  return flowchartText(chart);
}

interface PlanChart extends Flowchart {
  /** Sources of the workflows that already have a box; a further call shows only the name. */
  readonly drawn: Set<string>;
}

/** The steps whose sessions a step can resume, by name, with the id of their box. */
type ResumableSteps = Map<string, string>;

/** Draws steps that run one after the other. */
function drawScope(chart: PlanChart, steps: readonly Step[], visible: ResumableSteps, indent: string): void {
  let before: string | undefined;
  for (const step of steps) {
    const drawn = drawStep(chart, step, visible, indent);
    if (before !== undefined) addEdge(chart, before, '-->', drawn.first);
    before = drawn.last;
  }
}

function drawStep(chart: PlanChart, step: Step, visible: ResumableSteps, indent: string): DrawnStep {
  const drawn = drawKind(chart, step, visible, indent);
  for (const gate of step.gates) drawGateWorkflow(chart, gate, drawn.first, indent);
  if (step.kind !== 'gates') for (const entry of step.retry) drawCondition(chart, entry, drawn.first, indent);
  return drawn;
}

function drawKind(chart: PlanChart, step: Step, visible: ResumableSteps, indent: string): DrawnStep {
  switch (step.kind) {
    case 'gates':
      return single(addNode(chart, ['{{', '}}'], [step.name, ...labels(step)], indent));
    case 'agent':
      return single(drawAgent(chart, step, visible, indent));
    case 'split': {
      const planner = drawAgent(chart, { ...step.planner, retry: step.retry }, visible, indent);
      const loop = addSubgraph(chart, [`each task of ${step.name}`, orderText(step)], indent, (inner) =>
        drawScope(chart, step.each, new Map(), inner),
      );
      addEdge(chart, planner, '-->', loop);
      return { first: planner, last: loop };
    }
    case 'group':
      return single(drawGroup(chart, step, visible, indent));
    case 'call':
      return single(drawCall(chart, [step.name, ...labels(step)], step.call, indent));
  }
}

function single(id: string): DrawnStep {
  return { first: id, last: id };
}

function drawGroup(
  chart: PlanChart,
  step: Extract<Step, { kind: 'group' }>,
  visible: ResumableSteps,
  indent: string,
): string {
  const title = [step.name, orderText(step), ...labels(step)];
  return addSubgraph(chart, title, indent, (inner) => {
    if (!step.parallel) drawScope(chart, step.steps, visible, inner);
    else for (const branch of step.steps) drawStep(chart, branch, new Map(), inner);
  });
}

function drawAgent(
  chart: PlanChart,
  step: Extract<Step, { kind: 'agent' }>,
  visible: ResumableSteps,
  indent: string,
): string {
  const get = step.get === undefined ? undefined : drawCall(chart, [], step.get, indent);
  const id = addNode(chart, ['[', ']'], [step.name, agentText(step.agent), ...labels(step)], indent);
  if (get !== undefined) addEdge(chart, get, '-->', id);
  const target = step.session.mode === 'from' ? visible.get(step.session.step) : undefined;
  if (target !== undefined) addEdge(chart, target, '-.->|session|', id);
  visible.set(step.name, id);
  return id;
}

function drawCall(
  chart: PlanChart,
  title: readonly string[],
  { path, workflow }: WorkflowCall,
  indent: string,
): string {
  const named = [...title, `workflow ${path}`];
  if (chart.drawn.has(workflow.source) || chart.size > maxTextLength)
    return addNode(chart, ['[[', ']]'], named, indent);
  chart.drawn.add(workflow.source);
  return addSubgraph(chart, named, indent, (inner) => drawScope(chart, workflow.steps, new Map(), inner));
}

function drawGateWorkflow(chart: PlanChart, gate: Gate, step: string, indent: string): void {
  if (gate.type !== 'validate') return;
  addEdge(chart, step, '---', addNode(chart, ['[[', ']]'], [`gate ${gate.name}`, gate.call.path], indent));
}

function drawCondition(chart: PlanChart, { when }: RetryEntry, step: string, indent: string): void {
  if (!('validate' in when)) return;
  const named = ['retry condition', when.validate.path];
  addEdge(chart, step, '---', addNode(chart, ['[[', ']]'], named, indent));
}

function labels(step: Step): readonly string[] {
  const times = step.kind === 'gates' ? 1 : maxAttempts(step.retry);
  const plain = step.gates.filter(({ type }) => type !== 'validate').map(({ name }) => name);
  return [
    ...(plain.length === 0 ? [] : [`gates ${plain.join(', ')}`]),
    ...(times === 1 ? [] : [`at most ${times} attempts`]),
    ...('hitl' in step && step.hitl !== undefined ? ['waits for approval'] : []),
  ];
}
