/**
 * Splits a stream of bytes into lines. It searches only for byte 10, which is part of no other character in
 * UTF-8, and decodes whole lines, so a character that spans two chunks stays complete. It is faster than the line
 * iterators of streams, because it neither joins nor decodes a chunk twice.
 */

export interface LineSplitter {
  push(chunk: Buffer): void;
  /** Delivers the rest after the last line end, if there is any. */
  end(): void;
}

export interface LineSink {
  /** A line without its LF or CR LF. */
  line(text: string): void;
  /** A line that was longer than the limit and is dropped; `bytes` is its length. */
  skipped(bytes: number): void;
}

const LF = 10;
const CR = 13;

/** `limit`: length in bytes of the longest line that is delivered. */
export function createLineSplitter(sink: LineSink, limit: number): LineSplitter {
  let parts: Buffer[] = [];
  let held = 0;

  const hold = (part: Buffer): void => {
    held += part.length;
    if (held > limit) parts = [];
    else parts.push(part);
  };

  const finishHeld = (): void => {
    if (held > limit) sink.skipped(held);
    else sink.line(decode(Buffer.concat(parts, held), 0, held));
    parts = [];
    held = 0;
  };

  return {
    push(chunk) {
      let start = 0;
      for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
        if (held > 0) {
          hold(chunk.subarray(start, end));
          finishHeld();
        } else if (end - start > limit) sink.skipped(end - start);
        else sink.line(decode(chunk, start, end));
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
