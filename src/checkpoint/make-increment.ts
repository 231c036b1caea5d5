/** Makes an entry of a chain: finds out what of a state the entries before it do not contain. Pure, except for `read`. */
import { hashOf } from '../system/hash-of.js';
import type { ManifestFile } from './chain-manifest.js';
import { chunksFrom } from './content-chunks.js';
import {
  type ChunkIndex,
  indexChunks,
  joinSegments,
  placesOf,
  type Segment,
  type StoredFile,
  type StoredFiles,
  sliceSegments,
  withChunks,
} from './stored-file.js';

/** A file of the state. */
export interface StateFile {
  readonly path: string;
  /** Absent if the base contains the file with this hash. */
  readonly content?: Buffer;
  /** Hexadecimal. */
  readonly sha256: string;
}

export interface Increment {
  readonly files: readonly ManifestFile[];
  readonly removed: readonly string[];
  readonly data: Buffer;
  /** All files of the state. */
  readonly stored: StoredFiles;
}

/**
 * `base`: the files that the entries contain on which this one builds. `place`: the place of this one in the chain.
 * A source without content must be in the base, unchanged.
 */
export function makeIncrement(sources: readonly StateFile[], base: StoredFiles, place: number): Increment {
  const writer = createDataWriter(base, place);
  const stored = new Map<string, StoredFile>();
  const files: ManifestFile[] = [];
  for (const { path, sha256, content } of sources) {
    const former = base.get(path);
    if (former?.sha256 === sha256) {
      stored.set(path, former);
      // Listed, although it adds nothing: `extendEntry` adds to the journal.
      if (content !== undefined) files.push(manifestFile(path, former, former.length));
    } else if (content === undefined) throw new RangeError(`no content of ${path}`);
    else {
      const file = writer.write({ content, sha256 }, former);
      stored.set(path, file);
      files.push(manifestFile(path, file, keptBytes(file, former)));
    }
  }
  const removed = [...base.keys()].filter((path) => !stored.has(path));
  return { files, removed, data: writer.data(), stored };
}

interface NewContent {
  readonly content: Buffer;
  readonly sha256: string;
}

/** Collects the new bytes of an entry. */
function createDataWriter(base: StoredFiles, place: number) {
  const pieces: Buffer[] = [];
  const added = new Map<string, readonly Segment[]>();
  let length = 0;
  let index: ChunkIndex | undefined;

  function add(bytes: Buffer): Segment {
    const segment = { entry: place, offset: length, length: bytes.length };
    pieces.push(bytes);
    length += bytes.length;
    return segment;
  }

  function remember(file: StoredFile, former: StoredFile): StoredFile {
    for (const [id, segments] of placesOf(file, former.length)) added.set(id, segments);
    return file;
  }

  /** The file grew at its end, as a conversation does. */
  function append({ content, sha256 }: NewContent, former: StoredFile): StoredFile {
    const tail = add(content.subarray(former.length));
    const segments = joinSegments([...former.segments, tail]);
    return withChunks({ length: content.length, sha256, segments }, content, former);
  }

  /** The file is new, or was rewritten. */
  function compose({ content, sha256 }: NewContent): StoredFile {
    index ??= indexChunks(base);
    const chunks = chunksFrom(content, 0);
    const segments: Segment[] = [];
    let start = 0;
    for (const { end, id } of chunks) {
      const known = added.get(id) ?? index.get(id);
      const places = known ?? [add(content.subarray(start, end))];
      if (known === undefined) added.set(id, places);
      segments.push(...places);
      start = end;
    }
    return { length: content.length, sha256, segments: joinSegments(segments), chunks };
  }

  return {
    write: (content: NewContent, former: StoredFile | undefined): StoredFile =>
      former !== undefined && isContinued(content.content, former)
        ? remember(append(content, former), former)
        : compose(content),
    data: () => Buffer.concat(pieces),
  };
}

function isContinued(content: Buffer, former: StoredFile): boolean {
  if (content.length < former.length) return false;
  return hashOf(content.subarray(0, former.length)) === former.sha256;
}

/** How many bytes at the start are those of the former version, in the same places. */
function keptBytes(file: StoredFile, former: StoredFile | undefined): number {
  if (former === undefined || former.length > file.length) return 0;
  const start = joinSegments(sliceSegments(file.segments, 0, former.length));
  return JSON.stringify(start) === JSON.stringify(former.segments) ? former.length : 0;
}

function manifestFile(path: string, { length, sha256, segments }: StoredFile, keep: number): ManifestFile {
  const parts = sliceSegments(segments, keep, length).map(
    (segment) => [segment.entry, segment.offset, segment.length] as const,
  );
  return { path, length, sha256, keep, parts };
}
