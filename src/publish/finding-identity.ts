/**
 * Whether two findings of two runs are the same. A finding has no name, agents word it differently each time, and its line
 * moves with every push. So its identity is its file, the words of its message, and the code that it is about. Pure.
 */
import { defined } from '../optional-keys.js';
import type { Finding } from '../outputs/findings.js';
import { shortHash } from './publication-marker.js';

/** The text of the lines of a finding in the present files. Empty if it has none. */
export type ReadCode = (place: {
  readonly path: string;
  readonly line: number;
  readonly endLine?: number;
}) => string;

export interface IdentifiedFinding {
  readonly finding: Finding;
  readonly id: string;
  /** Hash of the file and of the code that it is about. */
  readonly context: string;
  /** The lines that it is about, as the agent saw them. Empty if it is about none. */
  readonly code: string;
}

/** Indentation and blanks do not count. Several findings with the same words about the same code have an order, which distinguishes them. */
export function identifyFindings(
  findings: readonly Finding[],
  readCode: ReadCode,
): readonly IdentifiedFinding[] {
  const counts = new Map<string, number>();
  return inOrder(findings).map((finding) => {
    const code = codeOf(finding, readCode);
    const context = shortHash([finding.path ?? null, code.replace(/\s+/g, ' ').trim()]);
    const words = wordsOf(finding.message).join(' ');
    const same = `${context} ${words}`;
    const count = counts.get(same) ?? 0;
    counts.set(same, count + 1);
    return { finding, context, id: shortHash([context, words, count]), code };
  });
}

/** By file and line, so that the order in which an agent writes them does not count. */
function inOrder(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort((one, other) => {
    const [path = '', otherPath = ''] = [one.path, other.path];
    if (path !== otherPath) return path < otherPath ? -1 : 1;
    return (one.line ?? 0) - (other.line ?? 0);
  });
}

function codeOf({ path, line, endLine }: Finding, readCode: ReadCode): string {
  if (path === undefined || line === undefined) return '';
  return readCode({ path, line, ...defined({ endLine }) });
}

/** Without case, punctuation and numbers: a message may name a line. */
export function wordsOf(message: string): readonly string[] {
  return message.toLowerCase().match(/[\p{L}_]+/gu) ?? [];
}

/** Whether two texts have at least half of the words of the shorter one in common. */
export function areAlike(one: readonly string[], other: readonly string[]): boolean {
  const [first, second] = [new Set(one), new Set(other)];
  const common = [...first].filter((word) => second.has(word)).length;
  return common > 0 && common * 2 >= Math.min(first.size, second.size);
}
