/**
 * A run as a Mermaid flowchart: its steps with their states, the tasks of a split in a box, and dotted arrows for the
 * sessions that steps resume. Pure.
 */
import type { RunState } from '../journal/run-state.js';
import {
  innerScopes,
  type PlacedStep,
  placeStep,
  plannedTasks,
  rootScope,
  type StepScope,
} from '../plan/placed-step.js';
import type { Plan } from '../plan/plan.js';
import type { Redactor } from '../security/redact.js';
import {
  addEdge,
  addLine,
  addNode,
  addSubgraph,
  type DrawnStep,
  type Flowchart,
  flowchartText,
  newFlowchart,
} from './flowchart.js';
import type { Report, StepStatus } from './report.js';
import { stepMarks } from './status-marks.js';
import { type TaskRow, taskRowsOf } from './task-rows.js';

/** With more, nobody can read it. */
const maxNodes = 59;
/** More steps in a row do not fit next to each other. */
const maxInRow = 5;
const tasksInRow = 4;

/** White text on these has a contrast of at least 4.5 to 1, on light and on dark pages. */
const colors: Readonly<Record<StepStatus, string>> = {
  passed: '#1a7f37',
  failed: '#cf222e',
  skipped: '#57606a',
  paused: '#8250df',
  cancelled: '#9a6700',
  'not-run': '#57606a',
};

/** `undefined` if there is too much, or too little to draw. */
export function runGraph(plan: Plan, state: RunState, report: Report, redact: Redactor): string | undefined {
  const direction = plan.steps.length > maxInRow ? 'TD' : 'LR';
  const chart: RunChart = {
    ...newFlowchart(redact, direction),
    report,
    state,
    statuses: new Map(report.steps.map(({ path, status }) => [path, status])),
    classes: [],
    boxes: [],
  };
  drawScope(chart, rootScope(plan), new Map(), '  ');
  if (chart.classes.length > maxNodes || chart.classes.length < 2) return undefined;
  return flowchartText(chart, stylesOf(chart));
}

interface RunChart extends Flowchart {
  readonly report: Report;
  readonly state: RunState;
  /** Path of a step → its status. */
  readonly statuses: ReadonlyMap<string, StepStatus>;
  readonly classes: { readonly id: string; readonly status: StepStatus }[];
  readonly boxes: string[];
}

/** Name of a step → its node. */
type Nodes = Map<string, string>;

function drawScope(chart: RunChart, scope: StepScope, nodes: Nodes, indent: string): void {
  let before: string | undefined;
  for (const planned of scope.steps) {
    const drawn = drawStep(chart, placeStep(planned, scope), nodes, indent);
    if (before !== undefined) addEdge(chart, before, '-->', drawn.first);
    before = drawn.last;
  }
}

function drawStep(chart: RunChart, placed: PlacedStep, nodes: Nodes, indent: string): DrawnStep {
  const { step, path, name } = placed;
  if (chart.classes.length > maxNodes) return { first: 's0', last: 's0' };
  if (step.kind === 'split') return drawSplit(chart, placed, nodes, indent);
  if (step.kind === 'group' || step.kind === 'call') {
    const box = addSubgraph(chart, [label(name, statusAt(chart, path))], indent, (inner) => {
      const isParallel = step.kind === 'group' && step.parallel;
      for (const scope of innerScopes(placed, []))
        drawScope(chart, scope, isParallel || step.kind === 'call' ? new Map() : nodes, inner);
    });
    chart.boxes.push(box);
    return { first: box, last: box };
  }
  const id = drawNode(chart, name, statusAt(chart, path), indent);
  drawSession(chart, placed, nodes, id);
  nodes.set(name, id);
  return { first: id, last: id };
}

/** A task is one node, whatever its steps are. */
function drawSplit(chart: RunChart, placed: PlacedStep, nodes: Nodes, indent: string): DrawnStep {
  const { path, name } = placed;
  const { report, state } = chart;
  const split = report.steps.find((step) => step.path === path);
  const isPlanned = plannedTasks(state.steps.get(path)) !== undefined;
  const planner = drawNode(chart, name, isPlanned ? 'passed' : statusAt(chart, path), indent);
  drawSession(chart, placed, nodes, planner);
  nodes.set(name, planner);
  const tasks = split === undefined ? [] : taskRowsOf(split, report.steps, state);
  if (tasks.length === 0) return { first: planner, last: planner };
  const isParallel = placed.step.kind === 'split' && placed.step.parallel;
  const order = isParallel ? 'in parallel' : 'one after the other';
  const box = addSubgraph(chart, [`${tasks.length} tasks, ${order}`], indent, (inner) =>
    drawTasks(chart, tasks, inner),
  );
  chart.boxes.push(box);
  addEdge(chart, planner, '-->', box);
  return { first: planner, last: box };
}

/** In rows: a single row or column of many tasks would be too small to read. `~~~` is an edge that is not drawn. */
function drawTasks(chart: RunChart, tasks: readonly TaskRow[], indent: string): void {
  addLine(chart, `${indent}direction TB`);
  const ids = tasks.map(({ name, status }) => drawNode(chart, name, status, indent));
  for (const [index, id] of ids.entries()) {
    const below = ids[index + tasksInRow];
    if (below !== undefined) addEdge(chart, id, '~~~', below);
  }
}

function drawNode(chart: RunChart, name: string, status: StepStatus, indent: string): string {
  const id = addNode(chart, ['[', ']'], [label(name, status)], indent);
  chart.classes.push({ id, status });
  return id;
}

/** Only a session that was really resumed. */
function drawSession(chart: RunChart, { path }: PlacedStep, nodes: Nodes, id: string): void {
  const session = chart.state.steps
    .get(path)
    ?.attempts.find((attempt) => attempt.session?.reason === 'from')?.session;
  const target = session && nodes.get(session.declared.slice('from:'.length));
  if (target !== undefined) addEdge(chart, target, '-.->', id);
}

function label(name: string, status: StepStatus): string {
  return `${stepMarks[status]} ${name}`;
}

function statusAt({ statuses }: RunChart, path: string): StepStatus {
  return statuses.get(path) ?? 'not-run';
}

/** A class needs no quotes, and its name is not a word of Mermaid. */
function stylesOf({ classes, boxes }: RunChart): readonly string[] {
  const statuses = [...new Set(classes.map(({ status }) => status))];
  return [
    ...statuses.map(
      (status) =>
        `  classDef ${className(status)} fill:${colors[status]},stroke:${colors[status]},color:#ffffff`,
    ),
    ...statuses.map((status) => {
      const ids = classes.filter((one) => one.status === status).map(({ id }) => id);
      return `  class ${ids.join(',')} ${className(status)}`;
    }),
    ...boxes.map((id) => `  style ${id} fill:transparent,stroke:#8b949e`),
  ];
}

function className(status: StepStatus): string {
  return `state_${status.replace('-', '_')}`;
}
