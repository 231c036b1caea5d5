/** The results of the steps in the summary, folded. Pure. */
import { isInCall } from '../step-path.js';
import { cutText } from './cut-text.js';
import { codeBlock, escapeText } from './markdown-text.js';
import type { Report, ReportStep } from './report.js';
import { resultText } from './result-of-step.js';

/** All of them together stay far below the 1 MiB that the runner accepts. */
const maxSteps = 30;
const maxBytes = 4_000;

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
  return ['**Results**', ...shown.slice(0, maxSteps).map(details), ...(more > 0 ? [note] : [])].join('\n\n');
}

function details(step: ReportStep): string {
  return `<details><summary>${escapeText(step.path)}${verdictText(step)}</summary>\n\n${block(step)}\n\n</details>`;
}

function verdictText({ result }: ReportStep): string {
  if (result?.pass === undefined) return '';
  return result.pass ? ' (passed)' : ' (not passed)';
}

function block({ result }: ReportStep): string {
  return codeBlock(cutText(result === undefined ? '' : resultText(result), maxBytes).trim());
}
