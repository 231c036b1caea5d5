/**
 * A workflow as a Mermaid flowchart. Solid arrows show the order, dotted arrows the sessions that steps resume,
 * boxes the loops over tasks, the groups and the called workflows. Pure.
 *
 * GRAPH1 Every text of the user is in quotes, and each of its characters that could have a meaning in Mermaid,
 *        Markdown or HTML is written as a character number.
 * GRAPH2 No chart is made that GitHub would refuse to draw.
 */
import type { Redactor } from '../security/redact.js';
import { excerpt } from '../workflow/source-line.js';
import type { Gate, RetryEntry, Step, Workflow, WorkflowCall } from '../workflow/workflow.js';
import { agentText, maxAttempts, orderText } from './plan-facts.js';

// Mermaid's own limits (`maxTextSize` and `maxEdges`, mermaid 11). GitHub does not change them.
const maxTextLength = 50_000;
const maxEdges = 500;

/** The text of the chart; `undefined` if it is too large to draw. */
export function planGraph(workflow: Workflow, redact: Redactor): string | undefined {
  const chart: Chart = { redact, lines: ['flowchart TD'], edges: [], count: 0, size: 0, drawn: new Set() };
  drawScope(chart, workflow.steps, new Map(), '  ');
  if (chart.edges.length > maxEdges || chart.size > maxTextLength) return undefined;
  const text = [...chart.lines, ...chart.edges.map((edge) => `  ${edge}`)].join('\n');
  return text.length > maxTextLength ? undefined : text;
}

interface Chart {
  readonly redact: Redactor;
  readonly lines: string[];
  readonly edges: string[];
  count: number;
  /** Approximate number of characters so far. */
  size: number;
  /** Sources of the workflows that already have a box; a further call shows only the name. */
  readonly drawn: Set<string>;
}

/** The steps whose sessions a step can resume, by name, with the id of their box. */
type ResumableSteps = Map<string, string>;

/** Draws steps that run one after the other. */
function drawScope(chart: Chart, steps: readonly Step[], visible: ResumableSteps, indent: string): void {
  let before: string | undefined;
  for (const step of steps) {
    const drawn = drawStep(chart, step, visible, indent);
    if (before !== undefined) addEdge(chart, before, '-->', drawn.first);
    before = drawn.last;
  }
}

interface DrawnStep {
  /** Where the arrow from the previous step ends. */
  readonly first: string;
  /** Where the arrow to the next step starts. */
  readonly last: string;
}

function drawStep(chart: Chart, step: Step, visible: ResumableSteps, indent: string): DrawnStep {
  const drawn = drawKind(chart, step, visible, indent);
  for (const gate of step.gates) drawGateWorkflow(chart, gate, drawn.first, indent);
  if (step.kind !== 'gates') for (const entry of step.retry) drawCondition(chart, entry, drawn.first, indent);
  return drawn;
}

function drawKind(chart: Chart, step: Step, visible: ResumableSteps, indent: string): DrawnStep {
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
  chart: Chart,
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
  chart: Chart,
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
  chart: Chart,
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

function drawGateWorkflow(chart: Chart, gate: Gate, step: string, indent: string): void {
  if (gate.type !== 'validate') return;
  addEdge(chart, step, '---', addNode(chart, ['[[', ']]'], [`gate ${gate.name}`, gate.call.path], indent));
}

function drawCondition(chart: Chart, { when }: RetryEntry, step: string, indent: string): void {
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

function addNode(
  chart: Chart,
  [open, close]: readonly [string, string],
  label: readonly string[],
  indent: string,
): string {
  const id = newId(chart);
  addLine(chart, `${indent}${id}${open}"${labelText(chart, label)}"${close}`);
  return id;
}

function addSubgraph(
  chart: Chart,
  title: readonly string[],
  indent: string,
  draw: (indent: string) => void,
): string {
  const id = newId(chart);
  addLine(chart, `${indent}subgraph ${id}["${labelText(chart, title)}"]`);
  draw(`${indent}  `);
  addLine(chart, `${indent}end`);
  return id;
}

function newId(chart: Chart): string {
  chart.count += 1;
  return `s${chart.count}`;
}

function addLine(chart: Chart, line: string): void {
  chart.size += line.length;
  chart.lines.push(line);
}

function addEdge(chart: Chart, from: string, arrow: string, to: string): void {
  chart.edges.push(`${from} ${arrow} ${to}`);
}

function labelText({ redact }: Chart, lines: readonly string[]): string {
  return lines.map((line) => escaped(redact(excerpt(line)))).join('<br/>');
}

/** Letters, digits, blanks and commas stay, also `-`, `_` and `/` within words. Everything else becomes its number. */
function escaped(text: string): string {
  const special = /(?<![\p{L}\p{N}])[-_/]|[-_/](?![\p{L}\p{N}])|[^\p{L}\p{M}\p{N} ,_/-]/gu;
  return text.replace(special, (sign) => `#${sign.codePointAt(0)};`);
}
