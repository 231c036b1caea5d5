/**
 * The runner's command files of this action step (`GITHUB_OUTPUT`, `GITHUB_STATE`, …), and what the action wrote to
 * them. The runner reads them when the phase ends, even if it fails, and their content affects every later step of
 * the job. Agents and gates do not get their names but can find them, so this file knows what they must hold.
 *
 * STEPFILES1 Each write of the action replaces the whole file, so nothing of others remains in it.
 * STEPFILES2 Only the files that the variables name are read or written. Since June 2026 the runner runs steps in
 *            parallel and keeps the files of all of them in one folder.
 */
import { randomUUID } from 'node:crypto';
import {
  type BigIntStats,
  lstatSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Environment } from '../system/environment.js';
import { type FileCommandVariable, fileCommandVariables, isWrittenByActions } from './secret-names.js';
import type { Watch } from './watch.js';

/** The methods that write throw if a file cannot be written. */
export interface StepFiles extends Watch {
  setOutput(name: string, value: string): void;
  saveState(name: string, value: string): void;
  /** Replaces the summary of the step. */
  setSummary(text: string): void;
  /** Restores the files after a comparison of their content. Returns the paths that others changed, sorted. */
  restoreAll(): readonly string[];
}

/** The entry at a path. `other` is a folder, a pipe or an unreadable file. It is never opened and never restored. */
type StepFileState =
  | { readonly kind: 'file'; readonly content: Buffer; readonly mode: number }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'missing' | 'other' };

interface StepFile {
  readonly path: string;
  /** What the file must hold. */
  expected: StepFileState;
  /** The file as it was seen with the expected content. The system changes the times in it at every write. */
  seen: string;
}

const opened = new Map<string, StepFiles>();

/**
 * The files that this environment names; the same object for the same files, which each phase gets of its own. The
 * first call empties the files that only the action writes to: a process that an earlier step left may have written to
 * them.
 */
export function stepFilesOf(environment: Environment): StepFiles {
  const paths = JSON.stringify(fileCommandVariables.map((name) => environment[name] ?? ''));
  const known = opened.get(paths) ?? openStepFiles(environment);
  opened.set(paths, known);
  return known;
}

export function openStepFiles(environment: Environment): StepFiles {
  const files = new Map<FileCommandVariable, StepFile>();
  for (const name of fileCommandVariables) {
    const path = environment[name];
    if (path) files.set(name, openStepFile(path, isWrittenByActions(name)));
  }
  const write = (name: FileCommandVariable, textFor: (before: string) => string): void => {
    const file = files.get(name);
    if (file === undefined) throw new Error(`${name} is not set`);
    if (file.expected.kind === 'other' || file.expected.kind === 'link')
      throw new Error(`\`${file.path}\` is not a regular file`);
    const before = file.expected.kind === 'file' ? file.expected : { content: Buffer.alloc(0), mode: 0o644 };
    const content = Buffer.from(textFor(before.content.toString('utf8')));
    place(file, { kind: 'file', content, mode: before.mode });
  };
  const restore = (isChanged: (file: StepFile) => boolean): readonly string[] => {
    const changed = [...files.values()].filter(isChanged);
    for (const file of changed) place(file, file.expected);
    return changed.map(({ path }) => path).sort();
  };
  return {
    setOutput: (name, value) => write('GITHUB_OUTPUT', (before) => before + pairText(name, value)),
    saveState: (name, value) => write('GITHUB_STATE', (before) => before + pairText(name, value)),
    setSummary: (text) => write('GITHUB_STEP_SUMMARY', () => text),
    restoreAll: () => restore((file) => !isSame(readState(file.path), file.expected)),
    async restore() {
      // A change of the times alone is none.
      const changed = restore(
        (file) => signatureOf(file.path) !== file.seen && !isSame(readState(file.path), file.expected),
      );
      if (changed.length === 0) return [];
      const names = changed.map((path) => basename(path)).join(', ');
      return [{ what: `command files of the runner (${names})`, effect: 'run' }];
    },
  };
}

function openStepFile(path: string, isOurs: boolean): StepFile {
  const found = readState(path);
  const seen = signatureOf(path);
  const file: StepFile = { path, expected: found, seen };
  if (isOurs && found.kind === 'file' && found.content.length > 0)
    place(file, { ...found, content: Buffer.alloc(0) });
  return file;
}

/** The format for values of several lines (GitHub documentation, "Workflow commands", "Multiline strings"). */
function pairText(name: string, value: string): string {
  const end = `gump_${randomUUID()}`;
  return `${name}<<${end}\n${value}\n${end}\n`;
}

function readState(path: string): StepFileState {
  try {
    const found = lstatSync(path);
    if (found.isSymbolicLink()) return { kind: 'link', target: readlinkSync(path) };
    // Reading from a pipe would wait for a writer.
    if (!found.isFile()) return { kind: 'other' };
    return { kind: 'file', content: readFileSync(path), mode: found.mode & 0o777 };
  } catch (error) {
    return { kind: (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'missing' : 'other' };
  }
}

function signatureOf(path: string): string {
  let found: BigIntStats | undefined;
  try {
    found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return 'unreadable';
  }
  if (found === undefined) return 'missing';
  const { dev, ino, mode, size, mtimeNs, ctimeNs } = found;
  return [dev, ino, mode, size, mtimeNs, ctimeNs].join(' ');
}

function isSame(found: StepFileState, expected: StepFileState): boolean {
  if (found.kind === 'file' && expected.kind === 'file') return found.content.equals(expected.content);
  if (found.kind === 'link' && expected.kind === 'link') return found.target === expected.target;
  return found.kind === expected.kind;
}

/** Puts the state at the path and notes it. If it throws, the file must hold what it held before. */
function place(file: StepFile, state: StepFileState): void {
  if (state.kind === 'file') replaceFile(file.path, state.content, state.mode);
  else if (state.kind !== 'other') rmSync(file.path, { recursive: true, force: true });
  if (state.kind === 'link') symlinkSync(state.target, file.path);
  // Only now: what could not be written is not expected later.
  file.expected = state;
  file.seen = signatureOf(file.path);
}

/** A new file, so that a process that has the old one open writes to nothing. It replaces a link, a pipe or a folder. */
function replaceFile(path: string, content: Buffer, mode: number): void {
  const draft = join(dirname(path), `gump-${randomUUID()}`);
  try {
    writeFileSync(draft, content, { mode, flag: 'wx' });
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) rmSync(path, { recursive: true });
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}
