/**
 * A workflow as a Mermaid flowchart: solid arrows are the order, dotted ones the conversations that go on, boxes
 * the loops over tasks, groups and called workflows. Pure.
 *
 * M1 Every text of the user stands in quotes, and whatever could mean something to Mermaid, Markdown or HTML in
 *    it is written as a character number.
 * M2 A chart that GitHub would refuse to draw is not made.
 */
import type { Redactor } from '../security/redact.js';
import { excerpt } from '../workflow/source-line.js';
import type { Call, Gate, RetryEntry, Step, Workflow } from '../workflow/workflow.js';
import { agentText, attempts, orderText } from './plan-facts.js';

// Mermaid's own limits (`maxTextSize` and `maxEdges`, mermaid 11), which GitHub leaves as they are.
const longest = 50_000;
const mostEdges = 500;

/** The text of the chart; `undefined` where it would be too large to be drawn. */
export function planGraph(workflow: Workflow, redact: Redactor): string | undefined {
  const chart: Chart = { redact, lines: ['flowchart TD'], edges: [], count: 0, size: 0, drawn: new Set() };
  drawScope(chart, workflow.steps, new Map(), '  ');
  if (chart.edges.length > mostEdges || chart.size > longest) return undefined;
  const text = [...chart.lines, ...chart.edges.map((edge) => `  ${edge}`)].join('\n');
  return text.length > longest ? undefined : text;
}

interface Chart {
  readonly redact: Redactor;
  readonly lines: string[];
  readonly edges: string[];
  count: number;
  /** Characters so far, about. */
  size: number;
  /** Where workflows come from that have a box already; called again, they are only named. */
  readonly drawn: Set<string>;
}

/** The steps that a step can go on from, by name. */
type Visible = Map<string, string>;

/** Steps one after the other; the ids of their boxes. */
function drawScope(chart: Chart, steps: readonly Step[], visible: Visible, indent: string): void {
  let before: string | undefined;
  for (const step of steps) {
    const drawn = drawStep(chart, step, visible, indent);
    if (before !== undefined) edge(chart, before, '-->', drawn.first);
    before = drawn.last;
  }
}

interface Drawn {
  /** Where the arrow from the step before ends. */
  readonly first: string;
  /** Where the arrow to the next step begins. */
  readonly last: string;
}

function drawStep(chart: Chart, step: Step, visible: Visible, indent: string): Drawn {
  const drawn = drawKind(chart, step, visible, indent);
  for (const gate of step.gates) drawJudge(chart, gate, drawn.first, indent);
  if (step.kind !== 'gates') for (const entry of step.retry) drawCondition(chart, entry, drawn.first, indent);
  return drawn;
}

function drawKind(chart: Chart, step: Step, visible: Visible, indent: string): Drawn {
  switch (step.kind) {
    case 'gates':
      return single(node(chart, ['{{', '}}'], [step.name, ...labels(step)], indent));
    case 'agent':
      return single(drawAgent(chart, step, visible, indent));
    case 'split': {
      const planner = drawAgent(chart, { ...step.planner, retry: step.retry }, visible, indent);
      const loop = box(chart, [`each task of ${step.name}`, orderText(step)], indent, (inner) =>
        drawScope(chart, step.each, new Map(), inner),
      );
      edge(chart, planner, '-->', loop);
      return { first: planner, last: loop };
    }
    case 'group':
      return single(drawGroup(chart, step, visible, indent));
    case 'call':
      return single(drawCall(chart, [step.name, ...labels(step)], step.call, indent));
  }
}

function single(id: string): Drawn {
  return { first: id, last: id };
}

function drawGroup(
  chart: Chart,
  step: Extract<Step, { kind: 'group' }>,
  visible: Visible,
  indent: string,
): string {
  const title = [step.name, orderText(step), ...labels(step)];
  return box(chart, title, indent, (inner) => {
    if (!step.parallel) drawScope(chart, step.steps, visible, inner);
    else for (const unit of step.steps) drawStep(chart, unit, new Map(), inner);
  });
}

function drawAgent(
  chart: Chart,
  step: Extract<Step, { kind: 'agent' }>,
  visible: Visible,
  indent: string,
): string {
  const get = step.get === undefined ? undefined : drawCall(chart, [], step.get, indent);
  const id = node(chart, ['[', ']'], [step.name, agentText(step.agent), ...labels(step)], indent);
  if (get !== undefined) edge(chart, get, '-->', id);
  const target = step.session.mode === 'from' ? visible.get(step.session.step) : undefined;
  if (target !== undefined) edge(chart, target, '-.->|session|', id);
  visible.set(step.name, id);
  return id;
}

function drawCall(chart: Chart, title: readonly string[], { path, workflow }: Call, indent: string): string {
  const named = [...title, `workflow ${path}`];
  if (chart.drawn.has(workflow.source) || chart.size > longest)
    return node(chart, ['[[', ']]'], named, indent);
  chart.drawn.add(workflow.source);
  return box(chart, named, indent, (inner) => drawScope(chart, workflow.steps, new Map(), inner));
}

function drawJudge(chart: Chart, gate: Gate, step: string, indent: string): void {
  if (gate.type !== 'validate') return;
  edge(chart, step, '---', node(chart, ['[[', ']]'], [`gate ${gate.name}`, gate.call.path], indent));
}

function drawCondition(chart: Chart, { when }: RetryEntry, step: string, indent: string): void {
  if (!('validate' in when)) return;
  const named = ['retry condition', when.validate.path];
  edge(chart, step, '---', node(chart, ['[[', ']]'], named, indent));
}

function labels(step: Step): readonly string[] {
  const times = step.kind === 'gates' ? 1 : attempts(step.retry);
  const plain = step.gates.filter(({ type }) => type !== 'validate').map(({ name }) => name);
  return [
    ...(plain.length === 0 ? [] : [`gates ${plain.join(', ')}`]),
    ...(times === 1 ? [] : [`at most ${times} attempts`]),
    ...('hitl' in step && step.hitl !== undefined ? ['waits for approval'] : []),
  ];
}

function node(
  chart: Chart,
  [open, close]: readonly [string, string],
  label: readonly string[],
  indent: string,
): string {
  const id = newId(chart);
  put(chart, `${indent}${id}${open}"${labelText(chart, label)}"${close}`);
  return id;
}

function box(chart: Chart, title: readonly string[], indent: string, draw: (indent: string) => void): string {
  const id = newId(chart);
  put(chart, `${indent}subgraph ${id}["${labelText(chart, title)}"]`);
  draw(`${indent}  `);
  put(chart, `${indent}end`);
  return id;
}

function newId(chart: Chart): string {
  chart.count += 1;
  return `s${chart.count}`;
}

function put(chart: Chart, line: string): void {
  chart.size += line.length;
  chart.lines.push(line);
}

function edge(chart: Chart, from: string, arrow: string, to: string): void {
  chart.edges.push(`${from} ${arrow} ${to}`);
}

function labelText({ redact }: Chart, lines: readonly string[]): string {
  return lines.map((line) => escaped(redact(excerpt(line)))).join('<br/>');
}

/** Letters, digits, blanks and commas as they are, `-`, `_` and `/` within words too; all else by its number. */
function escaped(text: string): string {
  const special = /(?<![\p{L}\p{N}])[-_/]|[-_/](?![\p{L}\p{N}])|[^\p{L}\p{M}\p{N} ,_/-]/gu;
  return text.replace(special, (sign) => `#${sign.codePointAt(0)};`);
}
