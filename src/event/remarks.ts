/** Comments and reviews as a text for a prompt. Pure. */
import { cleanLine, cleanMarkdown } from './clean-text.js';

/** A comment on an issue or pull request, a comment on a line, or a review. */
export interface Remark {
  /** Absent if the account was deleted. */
  readonly author?: { readonly login: string; readonly isBot: boolean };
  /** RFC 3339. */
  readonly at: string;
  readonly body: string;
  /** `src/a.ts:12`. Absent if it is not about a line. */
  readonly place?: string;
  /** What a review decided: `approved`, `requested changes`. */
  readonly verdict?: string;
}

/** Bytes of such a text. More would distract the agent from its task. */
const maxBytes = 100 * 1024;

/**
 * Oldest first. Each remark begins with a line about author, place and time, and its own lines are indented, so that no
 * remark can contain another one. If all are longer than 100 KB, the oldest are left out. `hidden`: the number of those by
 * people without write permission.
 */
export function remarksText(remarks: readonly Remark[], hidden: number): string {
  const entries = remarks.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)).map(entryText);
  const kept = newest(entries);
  const older = entries.length - kept.length;
  const notes = [
    ...(older > 0 ? [`[${counted(older)} left out, because the text would be too long.]`] : []),
    ...(hidden > 0 ? [`[${counted(hidden)} by people without write permission left out.]`] : []),
  ];
  return [...notes, ...kept].join('\n\n');
}

function entryText({ author, at, body, place, verdict }: Remark): string {
  const what = place === undefined ? (verdict ?? 'wrote') : `wrote on ${cleanLine(place)}`;
  const head = `${cleanLine(author?.login ?? 'ghost')} ${what} (${timeText(at)}):`;
  const lines = cleanMarkdown(body).trim().split('\n');
  return [head, ...lines.map((line) => `  ${line}`.trimEnd())].join('\n').trimEnd();
}

function newest(entries: readonly string[]): readonly string[] {
  let bytes = 0;
  const first = entries.findLastIndex((entry) => {
    bytes += Buffer.byteLength(entry) + 2;
    return bytes > maxBytes;
  });
  // The newest one stays, however long it is: GitHub accepts 65,536 characters.
  return entries.slice(Math.min(first + 1, entries.length - 1));
}

function counted(count: number): string {
  return count === 1 ? '1 comment' : `${count} comments`;
}

function timeText(at: string): string {
  return `${at.slice(0, 16).replace('T', ' ')} UTC`;
}
