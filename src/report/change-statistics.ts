/** How much a patch of the action changes, from its text. Pure. */

export interface ChangedFile {
  readonly path: string;
  /** Lines. Absent: the file is binary. */
  readonly added?: number;
  readonly removed?: number;
}

export interface ChangeTotals {
  readonly files: number;
  readonly added: number;
  readonly removed: number;
}

/** The files in a patch that `git diff-tree -p --binary` wrote with the prefixes `a/` and `b/`. */
export function readChangedFiles(patch: string): readonly ChangedFile[] {
  const files: ChangedFile[] = [];
  let open: OpenFile | undefined;
  for (const line of linesOf(patch)) {
    if (line.startsWith('diff --git ')) {
      if (open !== undefined) files.push(close(open));
      open = { path: pathInHeader(line), isBinary: false, isInHunk: false, added: 0, removed: 0 };
    } else if (open !== undefined) readLineOf(open, line);
  }
  return open === undefined ? files : [...files, close(open)];
}

export function totalsOfChanges(files: readonly ChangedFile[]): ChangeTotals {
  const sum = (pick: (file: ChangedFile) => number | undefined) =>
    files.reduce((total, file) => total + (pick(file) ?? 0), 0);
  return { files: files.length, added: sum((file) => file.added), removed: sum((file) => file.removed) };
}

/** `3 files changed, +10 −2`. */
export function describeChanges({ files, added, removed }: ChangeTotals): string {
  if (files === 0) return 'no files changed';
  return `${files} ${files === 1 ? 'file' : 'files'} changed, +${added} −${removed}`;
}

interface OpenFile {
  path: string;
  isBinary: boolean;
  isInHunk: boolean;
  added: number;
  removed: number;
}

/** Lines of content begin with a space, `+`, `-` or `\`, so a hunk never contains what looks like a header. */
function readLineOf(file: OpenFile, line: string): void {
  if (line.startsWith('@@')) file.isInHunk = true;
  else if (line.startsWith('GIT binary patch')) file.isBinary = true;
  else if (!file.isInHunk) readHeader(file, line);
  else if (line.startsWith('+')) file.added += 1;
  else if (line.startsWith('-')) file.removed += 1;
}

/** The header `diff --git` is ambiguous for names with blanks; these lines are not. */
function readHeader(file: OpenFile, line: string): void {
  const found = /^(?:\+\+\+ b\/|rename to )(.*?)\t?$/.exec(line) ?? /^\+\+\+ ("b\/.*")$/.exec(line);
  if (found?.[1] !== undefined) file.path = unquote(found[1]);
}

function pathInHeader(line: string): string {
  const names = line.slice('diff --git '.length);
  if (names.startsWith('"')) return unquote(/^"(?:[^"\\]|\\.)*"/.exec(names)?.[0] ?? names);
  // Both names are the same, except in a rename, which has a line of its own.
  return names.slice('a/'.length, (names.length - 1) / 2);
}

/** git quotes names with control characters, quotes and backslashes. */
function unquote(name: string): string {
  if (!name.startsWith('"')) return name;
  const inner = name.slice(1, -1).replace(/\\(["\\])/g, '$1');
  return inner.replace(/^[ab]\//, '');
}

function close({ path, isBinary, added, removed }: OpenFile): ChangedFile {
  return isBinary ? { path } : { path, added, removed };
}

/** One after the other: a patch can be large. */
function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    yield text.slice(start, end === -1 ? text.length : end);
    if (end === -1) return;
    start = end + 1;
  }
}
