/** Keeps the last lines of an output within a fixed size, however many there are. */

export interface LineTail {
  add(line: string): void;
  readonly isEmpty: boolean;
  /** The lines that were kept, oldest first. */
  lines(): readonly string[];
  /** How many lines were dropped. */
  dropped(): number;
}

/** `limit`: total of what `sizeOf` returns for the lines that are kept. The last line is always kept. */
export function createLineTail(limit: number, sizeOf: (line: string) => number): LineTail {
  // A ring: an array that is copied as lines are dropped would leave much memory to collect.
  let ring: string[] = new Array<string>(1024).fill('');
  let first = 0;
  let count = 0;
  let size = 0;
  let dropped = 0;

  const lines = () => Array.from({ length: count }, (_, index) => ring[(first + index) % ring.length] ?? '');

  const dropFirst = (): void => {
    size -= sizeOf(ring[first] ?? '');
    ring[first] = '';
    first = (first + 1) % ring.length;
    count -= 1;
    dropped += 1;
  };

  const grow = (): void => {
    const kept = lines();
    ring = [...kept, ...new Array<string>(kept.length).fill('')];
    first = 0;
  };

  return {
    add(line) {
      size += sizeOf(line);
      while (size > limit && count > 0) dropFirst();
      if (count === ring.length) grow();
      ring[(first + count) % ring.length] = line;
      count += 1;
    },
    get isEmpty() {
      return count === 0;
    },
    lines,
    dropped: () => dropped,
  };
}
