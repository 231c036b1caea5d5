/** Keeps the first and the last part of a command's output within a fixed size, however much it prints. */

export interface BoundedOutput {
  add(line: string): void;
  /** The lines that were kept, each with a line end. A line in the middle contains the number of dropped lines. */
  text(): string;
}

/** `limit`: characters that are kept in total, half of them from the end. One line may have a quarter of that. */
export function createBoundedOutput(limit: number): BoundedOutput {
  const half = Math.floor(limit / 2);
  const head: string[] = [];
  let headLength = 0;
  let tail: string[] = [];
  let first = 0;
  let tailLength = 0;
  let dropped = 0;

  const trimTail = (): void => {
    while (tailLength > half) {
      tailLength -= tail[first]?.length ?? 0;
      first++;
      dropped++;
    }
    // Only every 1024 lines: copying the array for each dropped line would be slow.
    if (first <= 1024) return;
    tail = tail.slice(first);
    first = 0;
  };

  return {
    add(line) {
      const kept = `${shorten(line, Math.floor(limit / 4))}\n`;
      if (tail.length === 0 && headLength + kept.length <= half) {
        head.push(kept);
        headLength += kept.length;
        return;
      }
      tail.push(kept);
      tailLength += kept.length;
      trimTail();
    },
    text() {
      const gap = dropped === 0 ? [] : [`[… ${dropped} lines left out …]\n`];
      return [...head, ...gap, ...tail.slice(first)].join('');
    },
  };
}

function shorten(line: string, max: number): string {
  if (line.length <= max) return line;
  const note = ` [… ${line.length - max} characters left out …] `;
  const room = Math.max(0, Math.floor((max - note.length) / 2));
  // Copies the text: a slice would keep the whole line in memory.
  return Buffer.from(line.slice(0, room) + note + line.slice(line.length - room)).toString();
}
