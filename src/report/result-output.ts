/** Which result is the output `result`. Pure. */
import { isInCall } from '../step-path.js';
import { cutText } from './cut-text.js';
import type { Report, ReportStep } from './report.js';
import { resultText } from './result-of-step.js';

/**
 * The text of the last step that has one. What waits for approval comes first. A verdict, a plan and the result of a
 * step that failed count only if no step that passed has a text. Steps of workflows that an attempt calls do not count.
 */
export function resultOutput({ status, failedStep, steps }: Report): string {
  const own = steps.filter(({ path, result }) => result !== undefined && !isInCall(path));
  const waiting = status === 'paused' ? own.find(({ path }) => path === failedStep) : undefined;
  const passed = own.filter((step) => step.status === 'passed');
  const chosen =
    waiting ??
    passed.findLast(({ result }) => result?.text !== undefined) ??
    passed.findLast((step) => textOf(step) !== '') ??
    own.findLast((step) => textOf(step) !== '');
  return chosen === undefined ? '' : cutText(textOf(chosen));
}

function textOf({ result }: ReportStep): string {
  return result === undefined ? '' : resultText(result);
}
