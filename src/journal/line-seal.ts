/**
 * Seals the lines of a file that `main` writes and `post` reads, so that `post` believes no line of another program.
 * Agents run as the same user and can write to every file of the job.
 *
 * Each line ends with a code (HMAC-SHA-256) over the name of the file, the code of the line before it and its own
 * text. So no line can be added, changed, left out, moved, or brought from another file or job. What can be done
 * without the key is to remove the end, which is the same as a kill at an earlier moment. Pure.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** JSON has no tab outside of its texts, and none in them that is not escaped. */
const separator = '\t';

/** Where the lines belong: a file of this name, written under this key. */
export interface LineSealOptions {
  readonly key: Buffer;
  readonly name: string;
}

/**
 * Returns a function that seals the next line, a JSON text, and passes it with its line end to `write`. If `write`
 * throws, the line is not part of the file, and the next one takes its place.
 */
export function createLineSeal(
  options: LineSealOptions,
): (line: string, write: (sealed: string) => void) => void {
  let last = '';
  return (line, write) => {
    const code = codeOf(options, last, line);
    write(`${line}${separator}${code}\n`);
    last = code;
  };
}

export interface SealedLines {
  /** The lines before the first one that is not sealed. */
  readonly lines: readonly string[];
  /** Another program changed the file. An incomplete last line is no change: the writer was killed. */
  readonly isAltered: boolean;
}

export function readSealedLines(text: string, options: LineSealOptions): SealedLines {
  const lines: string[] = [];
  let last = '';
  for (const sealed of text.split('\n').slice(0, -1)) {
    const end = sealed.lastIndexOf(separator);
    const line = sealed.slice(0, Math.max(end, 0));
    const code = codeOf(options, last, line);
    if (end < 0 || !isSameCode(sealed.slice(end + 1), code)) return { lines, isAltered: true };
    lines.push(line);
    last = code;
  }
  return { lines, isAltered: false };
}

function codeOf({ key, name }: LineSealOptions, last: string, line: string): string {
  return createHmac('sha256', key)
    .update(JSON.stringify([name, last, line]))
    .digest('base64url');
}

function isSameCode(found: string, expected: string): boolean {
  const [one, other] = [Buffer.from(found), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
