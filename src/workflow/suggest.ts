/** "Did you mean": finds the known word that is closest to a misspelled one. */

// Longer words are not typing errors, and comparing them takes time.
const longest = 40;

/**
 * The candidate with the fewest typing errors (letters added, omitted, changed or swapped), if there are at most
 * three and at most a third of the word. Differences in case, and between `-` and `_`, do not count.
 */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > longest) return undefined;
  const wanted = plain(word);
  let nearest = Math.min(3, Math.max(1, Math.floor(wanted.length / 3))) + 1;
  let found: string | undefined;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - wanted.length) >= nearest) continue;
    const errors = distance(wanted, plain(candidate));
    if (errors < nearest) [nearest, found] = [errors, candidate];
  }
  return found;
}

/** Returns ` Did you mean \`x\`?` to append to a sentence, or an empty string. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const found = closest(word, candidates);
  return found === undefined ? '' : ` Did you mean \`${found}\`?`;
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll('_', '-');
}

/** Edit distance that counts a swap of neighbors as one edit (optimal string alignment). */
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
