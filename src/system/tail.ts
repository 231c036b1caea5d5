/** Keeps the last part of a stream of bytes. */

export interface Tail {
  push(chunk: Buffer): void;
  /** At most the last `limit` bytes, starting with a complete character. */
  text(): string;
}

export function createTail(limit: number): Tail {
  let chunks: Buffer[] = [];
  let length = 0;

  const joined = (): Buffer => {
    const all = Buffer.concat(chunks, length);
    return all.length > limit ? all.subarray(firstCharacter(all, all.length - limit)) : all;
  };

  return {
    push(chunk) {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= 8 * limit) return;
      // A copy, because a view would keep the whole read buffer of the stream in memory.
      chunks = [Buffer.from(joined())];
      length = chunks[0]?.length ?? 0;
    },
    text: () => joined().toString('utf8'),
  };
}

/** Skips UTF-8 bytes 10xxxxxx, which belong to a character that began earlier. */
function firstCharacter(bytes: Buffer, from: number): number {
  let start = from;
  while (start < from + 4 && isContinuation(bytes[start])) start++;
  return start;
}

/** The last place up to `end` at which a character begins or the bytes end, so that a cut there splits none. */
export function lastCharacter(bytes: Buffer, end: number): number {
  let at = end;
  while (at > 0 && at > end - 4 && isContinuation(bytes[at])) at--;
  return at;
}

function isContinuation(byte: number | undefined): boolean {
  return ((byte ?? 0) & 0xc0) === 0x80;
}
