/** The lines of a pull request's diff that a review can comment on: those of its new side. Pure. */

export interface FilePatch {
  readonly path: string;
  /** The hunks. Absent for a binary file, and for one that is too large for GitHub. */
  readonly patch?: string;
}

export interface DiffLine {
  /** The number of its hunk in the patch. The first and last line of a comment must be in one hunk. */
  readonly hunk: number;
  readonly text: string;
}

/** Path → number of the line in the new file → the line. */
export type DiffLines = ReadonlyMap<string, ReadonlyMap<number, DiffLine>>;

export function diffLines(files: readonly FilePatch[]): DiffLines {
  return new Map(files.map(({ path, patch }) => [path, linesOfPatch(patch ?? '')]));
}

function linesOfPatch(patch: string): ReadonlyMap<number, DiffLine> {
  const found = new Map<number, DiffLine>();
  let hunk = 0;
  let line = 0;
  for (const text of patch.split('\n')) {
    const start = /^@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(text)?.[1];
    if (start !== undefined) {
      hunk += 1;
      line = Number(start);
    } else if (hunk > 0 && /^[+ ]/.test(text)) {
      found.set(line, { hunk, text: text.slice(1) });
      line += 1;
    }
  }
  return found;
}

export interface CommentPlace {
  readonly path: string;
  /** The last line. */
  readonly line: number;
  /** The first line, if there is more than one. */
  readonly startLine?: number;
  /** The comment is on exactly the lines of the finding, so a suggestion can replace them. */
  readonly isExact: boolean;
}

/** Where a comment about these lines can be. `undefined` if the diff does not contain the first of them. */
export function commentPlace(
  lines: DiffLines,
  place: { readonly path?: string; readonly line?: number; readonly endLine?: number },
): CommentPlace | undefined {
  const { path, line, endLine } = place;
  if (path === undefined || line === undefined) return undefined;
  const file = lines.get(path);
  const first = file?.get(line);
  if (file === undefined || first === undefined) return undefined;
  if (endLine === undefined || endLine === line) return { path, line, isExact: true };
  if (file.get(endLine)?.hunk === first.hunk) return { path, startLine: line, line: endLine, isExact: true };
  return { path, line, isExact: false };
}

/** The text of the lines of a place. */
export function textOfPlace(lines: DiffLines, { path, line, startLine = line }: CommentPlace): string {
  const file = lines.get(path);
  const texts: string[] = [];
  for (let at = startLine; at <= line; at += 1) texts.push(file?.get(at)?.text ?? '');
  return texts.join('\n');
}

/** The line at which the diff shows this code: the given one, otherwise the only one in the file. */
export function lineWithCode(
  lines: DiffLines,
  { path, line }: { readonly path: string; readonly line: number },
  code: string,
): number | undefined {
  const file = lines.get(path);
  const wanted = code.split('\n').map((text) => text.trimEnd());
  // A finding over several lines may end after the hunk.
  const isAt = (start: number) =>
    file?.has(start) && wanted.every((text, at) => (file.get(start + at)?.text.trimEnd() ?? text) === text);
  if (file === undefined || isAt(line)) return file && line;
  const found = [...file.keys()].filter(isAt);
  return found.length === 1 ? found[0] : undefined;
}
