/** What the terminal shows after a run: the table, and how to continue. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../report/report.js';
import { show } from './run-phase.js';
import { runTable } from './run-table.js';
import type { StateFolder } from './state-folder.js';

export interface RunEnd {
  /** The output `status`. */
  readonly status: string | undefined;
  readonly isStored: boolean;
}

export function showEnd(folder: StateFolder, { status, isStored }: RunEnd): void {
  const report = readReport(join(folder.directory, 'report.json'));
  const table = report === undefined ? [] : runTable(report);
  if (table.length > 0) show('text', `\n${table.join('\n')}\n`);
  if (status === 'passed' || !isStored) return;
  show(
    'text',
    'The state is stored. Start the same command again to continue, or add `--fresh` to start over.',
  );
}

function readReport(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    return undefined;
  }
}

/** The pairs of a command file, as `step-files.ts` writes them. */
export function readPairs(file: string): Readonly<Record<string, string>> {
  const pairs: Record<string, string> = {};
  const lines = readFileSync(file, 'utf8').split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const [, name, end] = /^([\w-]+)<<(.+)$/.exec(lines[at] ?? '') ?? [];
    if (name === undefined) continue;
    const until = lines.indexOf(end ?? '', at + 1);
    if (until < 0) break;
    pairs[name] = lines.slice(at + 1, until).join('\n');
    at = until;
  }
  return pairs;
}
