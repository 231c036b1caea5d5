/** "Did you mean": the known word that a misspelt one is nearest to. */

// Longer words are no slip of the finger, and comparing them would cost time for nothing.
const longest = 40;

/**
 * The candidate with the fewest slips (letters added, left out, changed or swapped), if it is near enough:
 * at most a third of the word, and three. Case and `-` against `_` count as no slip.
 */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > longest) return undefined;
  const written = plain(word);
  let nearest = Math.min(3, Math.max(1, Math.floor(written.length / 3))) + 1;
  let found: string | undefined;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - written.length) >= nearest) continue;
    const slips = distance(written, plain(candidate));
    if (slips < nearest) [nearest, found] = [slips, candidate];
  }
  return found;
}

/** ` Did you mean \`x\`?`, or nothing: made to stand behind a sentence. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const found = closest(word, candidates);
  return found === undefined ? '' : ` Did you mean \`${found}\`?`;
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll('_', '-');
}

/** Edit distance with swaps of neighbours (optimal string alignment). */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(change, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      row.push(best);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
