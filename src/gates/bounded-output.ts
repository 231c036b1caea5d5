/** Keeps the first and the last part of a command's output within a fixed size, however much it prints. */
import { createLineTail } from '../system/line-tail.js';

export interface BoundedOutput {
  add(line: string): void;
  /** The lines that were kept, each with a line end. A line in the middle contains the number of dropped lines. */
  text(): string;
}

/** `limit`: characters that are kept in total, half of them from the end. One line may have a quarter of that. */
export function createBoundedOutput(limit: number): BoundedOutput {
  const half = Math.floor(limit / 2);
  const longest = Math.floor(limit / 4);
  const head: string[] = [];
  let headLength = 0;
  // One more for the line end.
  const tail = createLineTail(half, (line) => line.length + 1);
  return {
    add(line) {
      const kept = shorten(line, longest);
      if (!tail.isEmpty || headLength + kept.length + 1 > half) return tail.add(kept);
      head.push(kept);
      headLength += kept.length + 1;
    },
    text() {
      const dropped = tail.dropped();
      const gap = dropped === 0 ? [] : [`[… ${dropped} lines left out …]`];
      return [...head, ...gap, ...tail.lines()].map((line) => `${line}\n`).join('');
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
