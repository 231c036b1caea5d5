/**
 * The list of files of an installed CLI, and the rules for it: plain relative paths below the folder of the
 * installation, no file below a link, and links only to files of the list. A list from the cache that breaks a rule is
 * refused as a whole. Pure.
 */
import { posix } from 'node:path';
import { z } from 'zod';
import { findCollision, findPathProblem } from '../checkpoint/archive-path.js';

/** A file with content. */
const fileSchema = z.strictObject({
  path: z.string(),
  size: z.number().int().nonnegative(),
  isProgram: z.boolean(),
});
/** A second name of the same file. The install script of Claude Code makes one, of 380 MB. */
const sameSchema = z.strictObject({ path: z.string(), sameAs: z.string() });
/** A symbolic link. */
const linkSchema = z.strictObject({ path: z.string(), target: z.string() });

const listSchema = z.array(z.union([fileSchema, sameSchema, linkSchema]));

export type ListedFile = z.infer<typeof fileSchema>;
export type CliFilesList = z.infer<typeof listSchema>;

/** The largest CLI (Claude Code 2.1.330) has 381 MB, the one with the most files (Gemini CLI 0.61.0) 826. */
const limits = { files: 50_000, bytes: 1_500_000_000, listBytes: 16_000_000 } as const;

/** The files cannot be kept in the cache, or what was read from it is not valid. */
export class CliArchiveError extends Error {
  override readonly name = 'CliArchiveError';
}

/** @throws CliArchiveError if the files break a rule. */
export function encodeList(list: CliFilesList): Buffer {
  requireRules(list);
  const bytes = Buffer.from(JSON.stringify(list));
  requireListLength(bytes.length);
  return bytes;
}

/** @throws CliArchiveError for anything that `encodeList` does not write. */
export function decodeList(bytes: Buffer): CliFilesList {
  const list = listSchema.safeParse(parse(bytes));
  if (!list.success) throw new CliArchiveError('its list of files is not valid');
  requireRules(list.data);
  return list.data;
}

/** Before the list is read into memory. */
export function requireListLength(length: number): void {
  if (length > limits.listBytes) throw new CliArchiveError('its list of files is too long');
}

/** Those with content, in the order of their contents. */
export function filesWithContent(list: CliFilesList): readonly ListedFile[] {
  return list.filter((entry): entry is ListedFile => 'size' in entry);
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function requireRules(list: CliFilesList): void {
  if (list.length > limits.files) throw new CliArchiveError(`it has more than ${limits.files} files`);
  const files = filesWithContent(list);
  if (files.reduce((sum, { size }) => sum + size, 0) > limits.bytes)
    throw new CliArchiveError(`it has more than ${limits.bytes / 1e6} MB`);
  for (const { path } of list) {
    const problem = findPathProblem(path);
    if (problem !== undefined)
      throw new CliArchiveError(`it has the path ${JSON.stringify(path)}, which ${problem}`);
  }
  const paths = list.map(({ path }) => path);
  const collision = findCollision(paths)?.map((path) => JSON.stringify(path));
  if (collision !== undefined)
    throw new CliArchiveError(`it has ${collision.join(' and ')}, which exclude each other`);
  requireTargets(list, new Set(files.map(({ path }) => path)));
}

/** `contents`: the paths of the files with content. */
function requireTargets(list: CliFilesList, contents: ReadonlySet<string>): void {
  const names = new Set(list.flatMap((entry) => ('target' in entry ? [] : [entry.path])));
  for (const entry of list) {
    const isValid =
      'sameAs' in entry
        ? contents.has(entry.sameAs)
        : !('target' in entry) || names.has(targetPath(entry.path, entry.target));
    if (!isValid)
      throw new CliArchiveError(`its link ${JSON.stringify(entry.path)} leads to no file of the CLI`);
  }
}

/** An absolute target is the path of no file. */
function targetPath(path: string, target: string): string {
  return posix.isAbsolute(target) ? target : posix.join(posix.dirname(path), target);
}
