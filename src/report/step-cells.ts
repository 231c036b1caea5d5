/** The cells of one step, or of several that share a row, in the tables of the summary. Pure. */
import type { GateResult } from '../gates/gate-result.js';
import type { Attempt } from '../journal/run-state.js';
import { formatCost } from '../providers/money.js';
import { sumCosts, sumKnown } from '../providers/usage.js';
import { formatDuration, formatShortCount } from './format.js';
import { escapeText, inlineCode } from './markdown-text.js';
import { gateMarks } from './status-marks.js';

/** A row names this many passed gates; more are counted. */
const maxPassedGates = 3;
const maxGates = 8;
const maxLabel = 32;

/** Tokens, cost and time of these attempts together. */
export function usageCells(attempts: readonly Attempt[]): readonly string[] {
  const sum = (pick: (attempt: Attempt) => number | undefined) => sumKnown(attempts.map(pick));
  return [
    tokensCell({
      inputTokens: sum((a) => a.usage.inputTokens),
      outputTokens: sum((a) => a.usage.outputTokens),
    }),
    formatCost(sumCosts(attempts.map((a) => a.usage))),
    formatDuration(sum((a) => a.durationMs)),
  ];
}

/** Input and output. Empty if neither is known. */
export function tokensCell(tokens: {
  readonly inputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
}): string {
  const { inputTokens, outputTokens } = tokens;
  if (inputTokens === undefined && outputTokens === undefined) return '';
  return `${formatShortCount(inputTokens)}&nbsp;/&nbsp;${formatShortCount(outputTokens)}`;
}

/** The number of attempts in each job attempt, as a sum, and who approved them. */
export function attemptCell(attempts: readonly Attempt[]): string {
  const jobs = [...new Set(attempts.map(({ jobAttempt }) => jobAttempt))];
  const counts = jobs.map((job) => attempts.filter(({ jobAttempt }) => jobAttempt === job).length);
  const people = [...new Set(attempts.flatMap(({ approvedBy }) => approvedBy ?? []))];
  const approved = people.length === 0 ? '' : `<br>approved by ${people.map(escapeText).join(', ')}`;
  return attempts.length === 0 ? '' : `${counts.join('&nbsp;+&nbsp;')}${approved}`;
}

/**
 * The step whose session is resumed, as an arrow. Empty: a new one, as the workflow says. `new ⚠️`: a session had to
 * be resumed and was not.
 */
export function sessionCell(attempts: readonly Attempt[]): string {
  const last = attempts.at(-1);
  if (last?.session === undefined) return '';
  const { declared, reason, effective } = last.session;
  if (effective === 'new') return isExpected(reason) ? '' : 'new&nbsp;⚠️';
  if (reason === 'from') return `→&nbsp;${escapeText(declared.slice('from:'.length))}`;
  const before = attempts.at(-2);
  if (reason === 'continued') return `→&nbsp;job attempt ${before?.jobAttempt ?? last.jobAttempt}`;
  return `→&nbsp;attempt ${before?.number ?? last.number}`;
}

function isExpected(reason: string): boolean {
  return reason === 'declared-new' || reason === 'override-new';
}

/** `labels`: name of a gate → what people read. */
export function gateCell(gates: readonly GateResult[], labels?: ReadonlyMap<string, string>): string {
  const passed = gates.filter(({ status }) => status === 'passed');
  const isLong = passed.length > maxPassedGates;
  const named = isLong ? gates.filter(({ status }) => status !== 'passed') : gates;
  const more = named.length - maxGates;
  return [
    ...named.slice(0, maxGates).map((gate) => gateText(gate, labels?.get(gate.name))),
    ...(more > 0 ? [`and ${more} more`] : []),
    ...(isLong ? [`${gateMarks.passed}&nbsp;${passed.length} gates`] : []),
  ].join('<br>');
}

function gateText({ status, name, type }: GateResult, label = name): string {
  const text = shorten(label.trim());
  return `${gateMarks[status]}&nbsp;${type === 'bash' && label !== name ? inlineCode(text) : escapeText(text)}`;
}

/** The first line, or as much of it as a cell has room for. */
function shorten(text: string): string {
  const [first = ''] = text.split('\n', 1);
  const characters = [...first];
  if (characters.length <= maxLabel) return first === text ? text : `${first}…`;
  return `${characters.slice(0, maxLabel - 1).join('')}…`;
}
