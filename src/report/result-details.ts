/** The results of the steps in the summary, folded unless there is only one. Pure. */
import { isInCall } from '../step-path.js';
import { cutText } from './cut-text.js';
import { codeBlock, escapeText, folded, paragraphs } from './markdown-text.js';
import type { Report, ReportStep } from './report.js';
import { resultText } from './result-of-step.js';

/** All of them together stay far below the 1 MiB that the runner accepts. */
const maxSteps = 30;
const maxBytes = 4_000;
/** More than these are folded together. */
const maxOpen = 4;

/** `undefined` if no step has a result. Findings have a table of their own. */
export function resultDetails({ status, failedStep, steps }: Report): string | undefined {
  const shown = steps.filter(
    (step) =>
      step.result !== undefined &&
      resultText(step.result).trim() !== '' &&
      !isInCall(step.path) &&
      // It is shown in full already.
      !(status === 'paused' && step.path === failedStep),
  );
  if (shown.length === 0) return undefined;
  const more = shown.length - maxSteps;
  const note = `${more} more ${more === 1 ? 'result is' : 'results are'} in the report.`;
  const [only] = shown;
  if (only !== undefined && shown.length === 1)
    return paragraphs(`**Result of ${titleOf(only)}**`, block(only));
  const list = paragraphs(...shown.slice(0, maxSteps).map(details), more > 0 ? note : undefined);
  return shown.length > maxOpen
    ? folded(`Results of ${shown.length} steps`, list)
    : paragraphs('**Results**', list);
}

function details(step: ReportStep): string {
  return folded(titleOf(step), block(step));
}

function titleOf(step: ReportStep): string {
  return `${escapeText(step.path)}${verdictText(step)}`;
}

function verdictText({ result }: ReportStep): string {
  if (result?.pass === undefined) return '';
  return result.pass ? ' (passed)' : ' (not passed)';
}

function block({ result }: ReportStep): string {
  return codeBlock(cutText(result === undefined ? '' : resultText(result), maxBytes).trim());
}
