/**
 * Splits a stream of bytes into lines. It searches only for byte 10, which is part of no other character in
 * UTF-8, and decodes whole lines, so a character that spans two chunks stays complete. It is faster than the line
 * iterators of streams, because it neither joins nor decodes a chunk twice.
 */
import { createTail, lastCharacter, type Tail } from './tail.js';

export interface LineSplitter {
  push(chunk: Buffer): void;
  /** Delivers the rest after the last line end, if there is any. */
  end(): void;
}

export interface LineSink {
  /** A line without its LF or CR LF. */
  line(text: string): void;
  /** A line that is longer than the limit, of which only the two ends are kept. */
  longLine(line: LongLine): void;
}

export interface LongLine {
  /** At most half of the limit, whole characters. */
  readonly head: string;
  readonly tail: string;
  /** The length of the whole line. */
  readonly bytes: number;
}

const LF = 10;
const CR = 13;

/** `limit`: length in bytes of the longest line that is delivered whole. No more than that is kept of any line. */
export function createLineSplitter(sink: LineSink, limit: number): LineSplitter {
  const half = Math.floor(limit / 2);
  let parts: Buffer[] = [];
  let held = 0;
  /** The ends of a line that has already exceeded the limit. */
  let long: { readonly head: string; readonly tail: Tail } | undefined;

  const hold = (part: Buffer): void => {
    held += part.length;
    if (long !== undefined) long.tail.push(part);
    else {
      parts.push(part);
      if (held > limit) cutHeld();
    }
  };

  const cutHeld = (): void => {
    const bytes = Buffer.concat(parts, held);
    long = { head: bytes.toString('utf8', 0, lastCharacter(bytes, half)), tail: createTail(half) };
    long.tail.push(bytes.subarray(half));
    parts = [];
  };

  const finishHeld = (): void => {
    if (long === undefined) sink.line(decode(Buffer.concat(parts, held), 0, held));
    else sink.longLine({ head: long.head, tail: long.tail.text().replace(/\r$/, ''), bytes: held });
    parts = [];
    held = 0;
    long = undefined;
  };

  return {
    push(chunk) {
      let start = 0;
      for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
        if (held > 0 || end - start > limit) {
          hold(chunk.subarray(start, end));
          finishHeld();
        } else sink.line(decode(chunk, start, end));
        start = end + 1;
      }
      if (start < chunk.length) hold(chunk.subarray(start));
    },
    end() {
      if (held > 0) finishHeld();
    },
  };
}

function decode(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('utf8', start, end > start && bytes[end - 1] === CR ? end - 1 : end);
}
