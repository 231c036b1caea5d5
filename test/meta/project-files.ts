/** Access to the files of this project for the tests of this folder. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const repositoryRoot = join(import.meta.dirname, '../..');

/** Reads a file; the path is relative to the root of the repository. */
export function readText(path: string): string {
  return readFileSync(join(repositoryRoot, path), 'utf8');
}

/** Paths that git tracks or would add, except files that are deleted but not yet committed. */
export function listFiles(...patterns: readonly string[]): readonly string[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...patterns];
  const listed = execFileSync('git', args, { cwd: repositoryRoot, encoding: 'utf8' }).split('\0');
  return listed.filter((path) => path !== '' && existsSync(join(repositoryRoot, path)));
}

/** Pages for people: README, docs, and other Markdown files. */
export const docPages = listFiles('*.md').filter((path) => !path.startsWith('test/'));

/** Code blocks of one language in a page. */
export function codeBlocks(page: string, language: string): readonly CodeBlock[] {
  const found = readText(page).matchAll(/^```(\S*)\n([\s\S]*?)^```$/gm);
  return [...found]
    .filter((match) => match[1] === language)
    .map((match) => ({ page, text: match[2] ?? '', line: lineOf(match) }));
}

export interface CodeBlock {
  readonly page: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly text: string;
}

function lineOf(match: RegExpExecArray): number {
  return match.input.slice(0, match.index).split('\n').length;
}

/** The cells of all table rows in a page. */
export function tableRows(page: string): readonly (readonly string[])[] {
  const lines = readText(page).match(/^\|.*\|$/gm) ?? [];
  return lines.map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}

export interface ActionYaml {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<Record<string, unknown>>;
}

export const actionMetadata: ActionYaml = parse(readText('action.yml'));

/** Of the action in `resume/`. */
export const resumeMetadata: ActionYaml = parse(readText('resume/action.yml'));

/** The anchors that GitHub creates for headings. */
export function anchors(page: string): readonly string[] {
  const headings = [...readText(page).matchAll(/^#+ (.*)$/gm)].map((match) => match[1] ?? '');
  return headings.map((text) =>
    text
      // The anchor is made of the text as it is shown: code in double backticks has a space at each end that is not.
      .replaceAll(/`` (.*?) ``/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
