/**
 * The part of the log that one gate, agent or command may fill. What it prints first is shown immediately, what it
 * prints last when it ends, and the rest is left out: a runner stores the whole log and shows none that is too long.
 */
import { createLineTail } from '../system/line-tail.js';

export interface LogShare {
  /** One or more lines. */
  print(text: string): void;
  /** Prints the last part. To be called when the program has ended. */
  end(): void;
}

const defaultLimit = 1024 * 1024;
/** More than the log shows of a line, so that secrets at the place where it is truncated are still complete. */
const longestLine = 8000;

const tailNote = '[… of what follows, the log shows only the last part, when the program has ended …]';

/** `print` gets one or more lines. `limit`: bytes, half of them for the last part. */
export function createLogShare(
  print: (text: string) => void,
  prefix: string,
  limit: number = defaultLimit,
): LogShare {
  // The notes need some room too.
  const half = Math.floor(limit / 2) - 200;
  const sizeOf = (line: string) => prefix.length + 1 + byteLength(line);
  const tail = createLineTail(half, sizeOf);
  let printed = 0;
  /** Whether the lines are printed at once, all or none. */
  const printFirst = (lines: readonly string[]): boolean => {
    const size = lines.reduce((sum, line) => sum + sizeOf(line), 0);
    if (!tail.isEmpty || printed + size > half) return false;
    printed += size;
    print(lines.map((line) => prefix + line).join('\n'));
    return true;
  };
  return {
    print(text) {
      // The usual case of a very long output.
      if (!tail.isEmpty && !text.includes('\n')) {
        tail.add(cut(text));
        return;
      }
      const lines = text.split('\n').map(cut);
      // A text that fits stays whole, so that the redactor sees secrets of several lines.
      if (printFirst(lines)) return;
      for (const line of lines) {
        if (printFirst([line])) continue;
        if (tail.isEmpty) print(`${prefix}${tailNote}`);
        tail.add(line);
      }
    },
    end() {
      if (tail.isEmpty) return;
      const dropped = tail.dropped();
      const gap = dropped === 0 ? [] : [`[… ${dropped} lines left out …]`];
      print([...gap, ...tail.lines()].map((line) => prefix + line).join('\n'));
    },
  };
}

/** Exact for all but very short lines, of which there can be very many. */
function byteLength(line: string): number {
  return line.length <= 8 ? line.length * 3 : Buffer.byteLength(line);
}

function cut(line: string): string {
  // Copies the text: a slice would keep the whole line in memory.
  return line.length <= longestLine ? line : Buffer.from(line.slice(0, longestLine)).toString();
}
