/** Which steps of called workflows judged or informed an attempt that is not the last one any more. Pure. */
import { callAt, enclosingPrefixes, pathOfPrefix } from '../step-path.js';
import type { ReportStep } from './report.js';

/** Whether the step is in a call by an attempt after which its step had another one. */
export function isOfEarlierAttempt(path: string, steps: readonly ReportStep[]): boolean {
  return enclosingPrefixes(path).some((prefix) => {
    const call = callAt(pathOfPrefix(prefix));
    const owner = call && steps.find((step) => step.path === call.owner);
    const last = owner?.attempts.at(-1)?.number;
    return call !== undefined && last !== undefined && call.attempt < last;
  });
}
