/** What a paused run waits for, in the summary. Pure. */
import { describeChanges } from './change-statistics.js';
import { fileTable } from './changed-files.js';
import { cutText } from './cut-text.js';
import { codeBlock, escapeText } from './markdown-text.js';
import type { Report } from './report.js';
import { resultText } from './result-of-step.js';

const maxBytes = 32_000;

/** `undefined` if the run does not wait. */
export function approvalDetails({ approval, steps }: Report): string | undefined {
  if (approval === undefined) return undefined;
  const result = steps.find(({ path }) => path === approval.step)?.result;
  const text = result === undefined ? '' : resultText(result).trim();
  const { files, ...totals } = approval.changes;
  const parts = [
    `**Waits for approval: ${escapeText(approval.step)}** · ${describeChanges({ ...totals, files: files.length })}`,
    text === '' ? undefined : codeBlock(cutText(text, maxBytes)),
    files.length === 0 ? undefined : fileTable(files),
  ];
  return parts.filter((part) => part !== undefined).join('\n\n');
}
