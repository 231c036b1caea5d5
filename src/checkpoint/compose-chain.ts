/** Puts the files of a state together from the entries of a chain. Pure. */
import { hashOf } from '../system/hash-of.js';
import type { ArchiveLimits } from './archive.js';
import { type EntryPayload, findPathsProblem, type ManifestFile } from './chain-manifest.js';
import { joinSegments, type Segment, sliceSegments } from './stored-file.js';

/** A file without its chunks, which only the next increment needs. */
export interface ComposedFile {
  readonly length: number;
  readonly sha256: string;
  readonly segments: readonly Segment[];
}

export type ComposedFiles = ReadonlyMap<string, ComposedFile>;

/** The entries do not fit together. */
export class ChainError extends Error {
  override readonly name = 'ChainError';
}

/** For each entry of the chain, the files that it and those before it contain. Throws `ChainError`. */
export function composeFiles(payloads: readonly EntryPayload[]): readonly ComposedFiles[] {
  const states: ComposedFiles[] = [];
  for (const [place, { manifest }] of payloads.entries()) {
    const files = new Map(states.at(-1) ?? []);
    for (const path of manifest.removed) files.delete(path);
    for (const file of manifest.files)
      files.set(file.path, composeFile(file, states.at(-1), payloads, place));
    states.push(files);
  }
  return states;
}

function composeFile(
  { path, length, sha256, keep, parts }: ManifestFile,
  base: ComposedFiles | undefined,
  payloads: readonly EntryPayload[],
  place: number,
): ComposedFile {
  const former = base?.get(path);
  if (keep > (former?.length ?? 0)) throw new ChainError(`the start of ${JSON.stringify(path)} is missing`);
  const own = parts.map(([entry, offset, bytes]): Segment => {
    const available = entry <= place ? (payloads[entry]?.data.length ?? 0) : 0;
    if (offset + bytes > available) throw new ChainError(`bytes of ${JSON.stringify(path)} are missing`);
    return { entry, offset, length: bytes };
  });
  const segments = joinSegments([...sliceSegments(former?.segments ?? [], 0, keep), ...own]);
  const sum = segments.reduce((total, segment) => total + segment.length, 0);
  if (sum !== length) throw new ChainError(`${JSON.stringify(path)} has another length`);
  return { length, sha256, segments };
}

/** The contents of the files, by path. Throws `ChainError`. */
export function readFiles(
  files: ComposedFiles,
  payloads: readonly EntryPayload[],
  limits: ArchiveLimits,
): ReadonlyMap<string, Buffer> {
  checkFiles(files, limits);
  const contents = new Map<string, Buffer>();
  for (const path of [...files.keys()].sort()) {
    const { segments = [], sha256 } = files.get(path) ?? {};
    const content = joinContent(segments, payloads);
    if (hashOf(content) !== sha256) throw new ChainError(`${JSON.stringify(path)} has another content`);
    contents.set(path, content);
  }
  return contents;
}

/** One chunk can be in many files, so what is unpacked says nothing about what the files need. */
function checkFiles(files: ComposedFiles, limits: ArchiveLimits): void {
  if (files.size > limits.entries) throw new ChainError(`it contains more than ${limits.entries} files`);
  const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  if (bytes > limits.bytes) throw new ChainError(`it contains more than ${limits.bytes} bytes`);
  const problem = findPathsProblem([...files.keys()]);
  if (problem !== undefined) throw new ChainError(problem);
}

/** Without a copy if the bytes are in one piece. */
function joinContent(segments: readonly Segment[], payloads: readonly EntryPayload[]): Buffer {
  const pieces = segments.map(({ entry, offset, length }) =>
    (payloads[entry]?.data ?? Buffer.alloc(0)).subarray(offset, offset + length),
  );
  const [only] = pieces;
  return only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces);
}
