/** The text of `{pr.diff}`: cut to a size, or put together from the files if GitHub refuses the whole. Pure. */
import { cleanCode, cleanLine } from './clean-text.js';
import { cutAtLine } from './cut-lines.js';

/** A file of a pull request, as `GET …/pulls/N/files` contains it. */
export interface PullFile {
  readonly filename: string;
  readonly previous_filename?: string | undefined;
  readonly status: string;
  /** Absent for a binary or very large file. */
  readonly patch?: string | undefined;
}

/** Bytes of a diff in a prompt. */
const maxDiffBytes = 200 * 1024;

const maxListedFiles = 1000;

/** Ends at a line, with a note and the list of all files, if the diff is longer than 200 KB. */
export function diffText(diff: string): string {
  const text = cleanCode(diff);
  const shown = cutAtLine(text, maxDiffBytes);
  if (shown === text) return text;
  const files = filesOfDiff(text);
  const listed = files.slice(0, maxListedFiles).map((file) => `- ${file}`);
  const more = files.length - listed.length;
  return [
    shown,
    '',
    `[The diff has ${kilobytes(text)} KB. Only the first ${kilobytes(shown)} KB are shown. All changed files:]`,
    ...listed,
    ...(more > 0 ? [`- and ${more} more`] : []),
    '',
  ].join('\n');
}

/** In the form of `git diff`, as far as the list contains it. */
export function diffOfFiles(files: readonly PullFile[]): string {
  return files.map(fileDiff).join('');
}

/** The paths, one a line. */
export function fileList(files: readonly PullFile[]): string {
  return files.map(({ filename }) => cleanLine(filename)).join('\n');
}

function fileDiff({ filename, previous_filename, status, patch }: PullFile): string {
  const before = previous_filename ?? filename;
  const lines = [
    `diff --git a/${before} b/${filename}`,
    ...(status === 'added' ? ['new file'] : status === 'removed' ? ['deleted file'] : []),
    ...(previous_filename === undefined ? [] : [`rename from ${before}`, `rename to ${filename}`]),
  ];
  if (patch === undefined) return `${[...lines, '[GitHub shows no patch of this file.]'].join('\n')}\n`;
  lines.push(status === 'added' ? '--- /dev/null' : `--- a/${before}`);
  lines.push(status === 'removed' ? '+++ /dev/null' : `+++ b/${filename}`);
  return `${[...lines, patch].join('\n')}\n`;
}

function filesOfDiff(diff: string): readonly string[] {
  return [...diff.matchAll(/^diff --git (?:"?a\/).* "?b\/(.*?)"?$/gm)].map(([, path = '']) => path);
}

function kilobytes(text: string): number {
  return Math.round(Buffer.byteLength(text) / 1024);
}
