/** The output of a command, of which the first and the last part are kept however much it prints. */

export interface BoundedOutput {
  add(line: string): void;
  /** All lines, each with a line end; where some are gone, a line between says how many. */
  text(): string;
}

/** `limit`: characters kept in all, half of them from the end. A line may have a quarter of that. */
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
    // Now and then, so that dropping a line costs next to nothing.
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
  // A copy: a slice would keep the whole line in memory.
  return Buffer.from(line.slice(0, room) + note + line.slice(line.length - room)).toString();
}
