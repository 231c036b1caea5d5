/** The files of this project, as the tests of this folder look at them. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const top = join(import.meta.dirname, '../..');

/** The text of a file; the path counts from the top. */
export function read(path: string): string {
  return readFileSync(join(top, path), 'utf8');
}

/** Paths that git knows or would take in, but for files that are deleted and not yet committed. */
export function files(...patterns: readonly string[]): readonly string[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...patterns];
  const listed = execFileSync('git', args, { cwd: top, encoding: 'utf8' }).split('\0');
  return listed.filter((path) => path !== '' && existsSync(join(top, path)));
}

/** What people read: README, the pages, the files beside them. */
export const pages = files('*.md').filter((path) => !path.startsWith('test/'));

/** Blocks of code in a page, by the language behind their fence. */
export function blocks(page: string, language: string): readonly Block[] {
  const found = read(page).matchAll(/^```(\S*)\n([\s\S]*?)^```$/gm);
  return [...found]
    .filter((match) => match[1] === language)
    .map((match) => ({ page, text: match[2] ?? '', line: lineOf(match) }));
}

export interface Block {
  readonly page: string;
  /** Of the fence, from 1. */
  readonly line: number;
  readonly text: string;
}

function lineOf(match: RegExpExecArray): number {
  return match.input.slice(0, match.index).split('\n').length;
}

/** The cells of the table rows in a page; of all of its tables. */
export function rows(page: string): readonly (readonly string[])[] {
  const lines = read(page).match(/^\|.*\|$/gm) ?? [];
  return lines.map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}

export interface Metadata {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<Record<string, unknown>>;
}

export const metadata: Metadata = parse(read('action.yml'));
