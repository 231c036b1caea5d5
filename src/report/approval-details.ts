/** What a paused run waits for, in the summary. Pure. */
import { type ChangedFile, describeChanges } from './change-statistics.js';
import { cutText } from './cut-text.js';
import { codeBlock, escapeText } from './markdown-text.js';
import type { Report } from './report.js';
import { resultText } from './result-of-step.js';

const maxBytes = 32_000;
const maxFiles = 20;

/** `undefined` if the run does not wait. */
export function approvalDetails({ approval, steps }: Report): string | undefined {
  if (approval === undefined) return undefined;
  const result = steps.find(({ path }) => path === approval.step)?.result;
  const text = result === undefined ? '' : resultText(result).trim();
  const { files, ...totals } = approval.changes;
  const parts = [
    `**Waits for approval: ${escapeText(approval.step)}** · ${describeChanges({ ...totals, files: files.length })}`,
    text === '' ? undefined : codeBlock(cutText(text, maxBytes)),
    files.length === 0 ? undefined : fileList(files),
  ];
  return parts.filter((part) => part !== undefined).join('\n\n');
}

function fileList(files: readonly ChangedFile[]): string {
  const more = files.length - maxFiles;
  const lines = files.slice(0, maxFiles).map((file) => `- ${escapeText(file.path)} ${sizeOf(file)}`);
  return [...lines, ...(more > 0 ? [`- and ${more} more`] : [])].join('\n');
}

function sizeOf({ added, removed }: ChangedFile): string {
  return added === undefined || removed === undefined ? '(binary)' : `+${added} −${removed}`;
}
