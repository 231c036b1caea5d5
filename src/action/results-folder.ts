/**
 * Writes the files of the output `results` into the private directory of the job. An agent of the job runs as the same
 * user and could have put a link there, so nothing is written through one.
 */
import { lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunState } from '../journal/run-state.js';
import type { Log } from '../report/log.js';
import { type ResultFile, resultFiles } from '../report/result-files.js';
import { resultsOf } from '../report/result-of-step.js';
import { type Redactor, redactDeep } from '../security/redact.js';

/** Never throws: a result that does not fit on the disk must not cost the report and the outputs. */
export function writeResults(
  directory: string,
  state: RunState,
  { redact, log }: { readonly redact: Redactor; readonly log: Pick<Log, 'warning'> },
): void {
  const results = new Map(redactDeep([...resultsOf(state)], redact));
  try {
    makeFolder(directory);
    for (const file of resultFiles(results)) writeBelow(directory, file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.warning(
      `The files of the output \`results\` could not be written (${reason}). The report contains the same texts, up to 64 KB each. Free space below RUNNER_TEMP.`,
    );
  }
}

function writeBelow(directory: string, { name, content }: ResultFile): void {
  const file = makeFoldersFor(directory, name);
  writeFileSync(file, content, { flag: 'wx' });
}

/** The path of a file below the folder. Its folders exist, and nothing is at the path. */
export function makeFoldersFor(directory: string, name: string): string {
  const parts = name.split('/');
  for (let end = 1; end < parts.length; end += 1) makeFolder(join(directory, ...parts.slice(0, end)));
  const file = join(directory, ...parts);
  if (lstatSync(file, { throwIfNoEntry: false }) !== undefined) rmSync(file, { recursive: true });
  return file;
}

/** A link or a file at the path is replaced by a folder. */
export function makeFolder(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found !== undefined) rmSync(path);
  mkdirSync(path, { recursive: true, mode: 0o700 });
}
