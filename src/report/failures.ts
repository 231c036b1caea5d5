/** Each failed step of a run: why, the last lines, and what a re-run does with it. Pure. */
import { errorText } from '../gates/error-text.js';
import type { Attempt, RunState } from '../journal/run-state.js';
import { isBelow, isInCall } from '../step-path.js';
import { codeBlock, escapeMessage, escapeText, folded, paragraphs } from './markdown-text.js';
import type { Report } from './report.js';
import { rerunStepText } from './rerun.js';

/** The last lines of what the gates printed. */
const maxLines = 20;
const maxLineCharacters = 400;
const maxReasonCharacters = 2_000;
/** More than these have folded lines, so that all of them fit on a screen. */
const maxOpen = 3;
const maxFailures = 50;

/** Of at most `max` steps. `undefined` if no step failed, or if the run waits: the note about the approval explains it. */
export function failureDetails(report: Report, state: RunState, max = maxFailures): string | undefined {
  if (report.status === 'paused') return undefined;
  const paths = troubledSteps(report);
  const texts = paths.slice(0, max).map((path) => {
    const text = textOf(path, report, state);
    return paragraphs(
      `${text.mark} ${text.head}${rerunOf(path, paths, report, state)}`,
      text.lines === '' ? undefined : paths.length > maxOpen ? folded('Last lines', text.lines) : text.lines,
    );
  });
  const more = paths.length - max;
  const runFailure = paths.length === 0 ? state.runEnded?.failure : undefined;
  return paragraphs(
    runFailure && `❌ ${escapeMessage(shorten(runFailure.message))}`,
    ...texts,
    more > 0 ? `${more} more failed steps are in the report.` : undefined,
  );
}

/**
 * The steps that failed or were interrupted themselves, not because of a step in them; that of the run first. A step
 * of a workflow that an attempt calls only explains why this attempt failed.
 */
export function troubledSteps(report: Report): readonly string[] {
  const { status, steps, failedStep } = report;
  if (status === 'passed') return [];
  const wanted = isInterruptedRun(report) ? ['failed', 'cancelled'] : ['failed'];
  const all = steps.filter((step) => wanted.includes(step.status) && !isInCall(step.path));
  const own = all.filter(({ path }) => !all.some((step) => isBelow(step.path, path))).map(({ path }) => path);
  const first = failedStep === undefined || own.some((path) => isBelow(path, failedStep)) ? [] : [failedStep];
  return [...new Set([...first, ...own])];
}

interface FailureText {
  readonly mark: string;
  /** Markdown. */
  readonly head: string;
  /** A block, or empty. */
  readonly lines: string;
}

function textOf(path: string, report: Report, state: RunState): FailureText {
  const step = state.steps.get(path);
  const last = step?.attempts.at(-1);
  const name = `**${escapeText(path)}**`;
  const end = state.runEnded?.failure;
  if (end !== undefined && path === report.failedStep && report.status !== 'cancelled')
    return { mark: '🛑', head: `${name} was stopped (${end.kind}): ${reason(end.message)}`, lines: '' };
  if (last?.failure?.resumeAt !== undefined && step?.status === 'cancelled')
    return {
      mark: '⏳',
      head: `${name} waits (${last.failure.kind}): ${reason(last.failure.message)}`,
      lines: '',
    };
  const isInterrupted = step?.status !== 'failed' && isInterruptedRun(report);
  if (isInterrupted) return { mark: '🛑', head: `${name} was interrupted${attemptText(last)}.`, lines: '' };
  if (step?.failure !== undefined)
    return { mark: '❌', head: `${name} failed: ${reason(step.failure.message)}`, lines: '' };
  const failure = last?.failure;
  const why = failure === undefined ? '.' : ` (${failure.kind}): ${reason(failure.message)}`;
  return { mark: '❌', head: `${name} failed${attemptText(last)}${why}`, lines: linesOf(last) };
}

function isInterruptedRun({ status }: Report): boolean {
  return status === 'cancelled' || status === 'waiting';
}

function attemptText(attempt: Attempt | undefined): string {
  return attempt === undefined ? '' : ` in attempt ${attempt.number}`;
}

/** Of a single failure, the note about the re-run follows anyway. */
function rerunOf(path: string, paths: readonly string[], report: Report, state: RunState): string {
  if (paths.length < 2 || !report.persisted) return '';
  return `<br>A re-run ${rerunStepText({ state, failedStep: path })}.`;
}

function linesOf(attempt: Attempt | undefined): string {
  if (attempt === undefined) return '';
  const text = errorText(attempt.gates) || (attempt.comments ?? '');
  const lines = text.trimEnd().split('\n');
  const shown = lines.slice(-maxLines).map((line) => cutLine(line, maxLineCharacters));
  return text.trim() === '' ? '' : codeBlock(shown.join('\n'));
}

function reason(message: string): string {
  const text = escapeMessage(shorten(message));
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

function shorten(message: string): string {
  return cutLine(message, maxReasonCharacters);
}

function cutLine(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max).replace(/[\ud800-\udbff]$/, '')}…`;
}
