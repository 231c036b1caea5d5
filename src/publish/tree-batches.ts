/** Cuts the entries of a new tree into requests of a size that GitHub handles within its time limit. Pure. */
import type { NewTreeEntry } from './commit-target.js';

/** GitHub ends a request after 10 seconds (REST API, "Timeouts"). */
const maxEntries = 500;
const maxContentBytes = 4 * 1024 * 1024;

/**
 * Batches that are applied one after the other. Removals come first, and in requests of their own if a new path needs
 * the name of a removed one: a file in place of a directory, or the reverse.
 */
export function treeBatches(entries: readonly NewTreeEntry[]): readonly (readonly NewTreeEntry[])[] {
  const removals = entries.filter(isRemoval);
  const others = entries.filter((entry) => !isRemoval(entry));
  return takesNames(removals, others) ? [...cut(removals), ...cut(others)] : cut([...removals, ...others]);
}

function isRemoval(entry: NewTreeEntry): boolean {
  return 'sha' in entry && entry.sha === null;
}

function takesNames(removals: readonly NewTreeEntry[], others: readonly NewTreeEntry[]): boolean {
  const removed = new Set(removals.map(({ path }) => path));
  const directories = new Set(removals.flatMap(({ path }) => directoriesOf(path)));
  return others.some(
    ({ path }) => directories.has(path) || directoriesOf(path).some((directory) => removed.has(directory)),
  );
}

function directoriesOf(path: string): readonly string[] {
  const names = path.split('/');
  return names.slice(1).map((_, depth) => names.slice(0, depth + 1).join('/'));
}

function cut(entries: readonly NewTreeEntry[]): readonly (readonly NewTreeEntry[])[] {
  const batches: NewTreeEntry[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const size = 'content' in entry ? Buffer.byteLength(entry.content) : 0;
    const last = batches.at(-1);
    if (last === undefined || last.length === maxEntries || bytes + size > maxContentBytes) {
      batches.push([entry]);
      bytes = size;
    } else {
      last.push(entry);
      bytes += size;
    }
  }
  return batches;
}
