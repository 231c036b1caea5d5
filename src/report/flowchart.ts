/**
 * The parts of a Mermaid flowchart. Pure.
 *
 * GRAPH1 Every text of the user is in quotes, and each of its characters that could have a meaning in Mermaid,
 *        Markdown or HTML is written as a character number.
 * GRAPH2 No chart is made that GitHub would refuse to draw.
 */
import type { Redactor } from '../security/redact.js';
import { excerpt } from '../workflow/source-line.js';

// Mermaid's own limits (`maxTextSize` and `maxEdges`, mermaid 11). GitHub does not change them.
export const maxTextLength = 50_000;
const maxEdges = 500;

export interface Flowchart {
  readonly redact: Redactor;
  readonly lines: string[];
  readonly edges: string[];
  count: number;
  /** Approximate number of characters so far. */
  size: number;
}

/** One step, or several that belong together. */
export interface DrawnStep {
  /** Where the arrow from the previous step ends. */
  readonly first: string;
  /** Where the arrow to the next step starts. */
  readonly last: string;
}

/** `direction`: of Mermaid, `TD` or `LR`. */
export function newFlowchart(redact: Redactor, direction: 'TD' | 'LR'): Flowchart {
  return { redact, lines: [`flowchart ${direction}`], edges: [], count: 0, size: 0 };
}

/** `undefined` if the chart is too large to draw. `styles`: lines at its end. */
export function flowchartText(chart: Flowchart, styles: readonly string[] = []): string | undefined {
  if (chart.edges.length > maxEdges || chart.size > maxTextLength) return undefined;
  const text = [...chart.lines, ...chart.edges.map((edge) => `  ${edge}`), ...styles].join('\n');
  return text.length > maxTextLength ? undefined : text;
}

/** Returns its id. */
export function addNode(
  chart: Flowchart,
  [open, close]: readonly [string, string],
  label: readonly string[],
  indent: string,
): string {
  const id = newId(chart);
  addLine(chart, `${indent}${id}${open}"${labelText(chart, label)}"${close}`);
  return id;
}

/** Returns its id. `draw` adds what is in it. */
export function addSubgraph(
  chart: Flowchart,
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

function newId(chart: Flowchart): string {
  chart.count += 1;
  return `s${chart.count}`;
}

/** For what has no function here. */
export function addLine(chart: Flowchart, line: string): void {
  chart.size += line.length;
  chart.lines.push(line);
}

/** `arrow` of Mermaid: `-->`. */
export function addEdge(chart: Flowchart, from: string, arrow: string, to: string): void {
  chart.edges.push(`${from} ${arrow} ${to}`);
}

function labelText({ redact }: Flowchart, lines: readonly string[]): string {
  return lines.map((line) => escaped(redact(excerpt(line)))).join('<br/>');
}

/** Letters, digits, blanks and commas stay, also `-`, `_` and `/` within words. Everything else becomes its number. */
function escaped(text: string): string {
  const special = /(?<![\p{L}\p{N}])[-_/]|[-_/](?![\p{L}\p{N}])|[^\p{L}\p{M}\p{N} ,_/-]/gu;
  return text.replace(special, (sign) => `#${sign.codePointAt(0)};`);
}
