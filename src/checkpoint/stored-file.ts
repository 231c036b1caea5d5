/** Where the bytes of a file are in the entries of a chain. Pure. */
import { type Chunk, continueChunks } from './content-chunks.js';

/** Bytes in the data of one entry. */
export interface Segment {
  /** Place of the entry in the chain, from 0. */
  readonly entry: number;
  readonly offset: number;
  readonly length: number;
}

/** The version of a file that an entry of the chain and those before it contain. */
export interface StoredFile {
  readonly length: number;
  /** Hexadecimal, of the whole file. */
  readonly sha256: string;
  readonly segments: readonly Segment[];
  readonly chunks: readonly Chunk[];
}

/** By path in the checkpoint. */
export type StoredFiles = ReadonlyMap<string, StoredFile>;

/** The segments that contain the bytes from `start` to `end`. */
export function sliceSegments(segments: readonly Segment[], start: number, end: number): readonly Segment[] {
  const slice: Segment[] = [];
  let position = 0;
  for (const segment of segments) {
    if (position >= end) break;
    const from = Math.max(start, position);
    const to = Math.min(end, position + segment.length);
    if (from < to)
      slice.push({ entry: segment.entry, offset: segment.offset + from - position, length: to - from });
    position += segment.length;
  }
  return slice;
}

/** The same bytes in as few segments as possible. */
export function joinSegments(segments: Iterable<Segment>): readonly Segment[] {
  const joined: Segment[] = [];
  for (const segment of segments) {
    const last = joined.at(-1);
    const isNext = last?.entry === segment.entry && last.offset + last.length === segment.offset;
    if (last !== undefined && isNext)
      joined[joined.length - 1] = { ...last, length: last.length + segment.length };
    else if (segment.length > 0) joined.push(segment);
  }
  return joined;
}

/** Chunk id → where its bytes are. */
export type ChunkIndex = ReadonlyMap<string, readonly Segment[]>;

/** All chunks of `files`. */
export function indexChunks(files: StoredFiles): ChunkIndex {
  const index = new Map<string, readonly Segment[]>();
  for (const file of files.values()) for (const [id, place] of placesOf(file)) index.set(id, place);
  return index;
}

/** The chunks of a file that end after `from`, and where their bytes are. Walks the segments once: a file may have many. */
export function* placesOf(
  { segments, chunks }: StoredFile,
  from = 0,
): Generator<readonly [string, readonly Segment[]]> {
  let [first, position, start] = [0, 0, 0];
  for (const { end, id } of chunks) {
    if (end <= from) {
      start = end;
      continue;
    }
    for (let segment = segments[first]; segment !== undefined; segment = segments[first]) {
      if (position + segment.length > start) break;
      position += segment.length;
      first += 1;
    }
    yield [
      id,
      sliceSegments(segmentsUntil(segments, first, end - position), start - position, end - position),
    ];
    start = end;
  }
}

function segmentsUntil(segments: readonly Segment[], first: number, end: number): readonly Segment[] {
  let [last, covered] = [first, 0];
  for (; last < segments.length && covered < end; last += 1) covered += segments[last]?.length ?? 0;
  return segments.slice(first, last);
}

/** The file with its chunks, if `former` is what it grew from, or nothing. */
export function withChunks(
  file: Omit<StoredFile, 'chunks'>,
  content: Buffer,
  former?: StoredFile,
): StoredFile {
  return { ...file, chunks: continueChunks(former?.chunks ?? [], content) };
}
