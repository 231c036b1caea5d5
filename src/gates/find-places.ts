/** The places in the output of a failed gate that exist in the repository. */
import { defined } from '../optional-keys.js';
import type { GatePlace } from './gate-result.js';
import { type PrintedPlace, readPlaces } from './read-places.js';

export interface PlaceSurroundings {
  /** The directory of the command, absolute. */
  readonly directory: string;
  /** Its path in the repository, with a `/` at the end; empty: the top. */
  readonly prefix: string;
  /** The files of the repository that git does not ignore, relative to its top. */
  listFiles(): Promise<readonly string[]>;
}

/** GitHub shows at most 10 annotations of a severity for a step of the job. */
export const maxGatePlaces = 10;

export async function findPlaces(
  output: string,
  { directory, prefix, listFiles }: PlaceSurroundings,
): Promise<readonly GatePlace[]> {
  const printed = readPlaces(output);
  if (printed.length === 0) return [];
  const files = await listFiles();
  const find = createFileFinder(files, directory, prefix);
  const found = new Map<string, GatePlace>();
  for (const place of printed) {
    const path = find(place.file);
    // A tool may print a problem twice: with its own reporter, and with that for GitHub.
    const key = `${path}:${place.line}:${place.message}`;
    if (path !== undefined && !found.has(key)) found.set(key, toGatePlace(path, place));
  }
  const places = [...found.values()];
  // Errors first: the others may not be the reason of the failure.
  const errors = places.filter(({ severity }) => severity === 'error');
  const others = places.filter(({ severity }) => severity !== 'error');
  return [...errors, ...others].slice(0, maxGatePlaces);
}

function toGatePlace(path: string, { line, endLine, column, severity, message }: PrintedPlace): GatePlace {
  return { path, line, ...defined({ endLine, column }), severity, message };
}

/** The file of the repository that a tool means; `undefined` if there is none, or more than one. */
function createFileFinder(
  files: readonly string[],
  directory: string,
  prefix: string,
): (printed: string) => string | undefined {
  const known = new Set(files);
  const root = directory.slice(0, directory.length + 1 - prefix.length).replace(/\/$/, '');
  const byName = new Map<string, readonly string[]>();
  for (const file of files) {
    const name = file.slice(file.lastIndexOf('/') + 1);
    byName.set(name, [...(byName.get(name) ?? []), file]);
  }
  return (printed) => {
    const plain = printed.replace(/^file:\/\//, '');
    if (plain.startsWith('/')) {
      const inside = plain.startsWith(`${root}/`) ? plain.slice(root.length + 1) : undefined;
      return inside !== undefined && known.has(inside) ? inside : undefined;
    }
    const relative = plain.replace(/^(?:\.\/)+/, '');
    const found = [`${prefix}${relative}`, relative].find((one) => known.has(one));
    if (found !== undefined || relative.includes('/')) return found;
    // Go prints the name of a test file without its folder, Maven the name of a class.
    const [only, ...more] = byName.get(relative) ?? [];
    return more.length === 0 ? only : undefined;
  };
}
