/**
 * Reads an artifact that contains one file. GitHub passes artifacts on as zip files, and anybody who may start a run can
 * upload one under any name. So it is read in memory, up to a maximum size, and its names are not looked at. Pure
 * except for zlib.
 */
import { crc32, inflateRawSync } from 'node:zlib';

const endSignature = 0x06054b50;
const directorySignature = 0x02014b50;
const fileSignature = 0x04034b50;
const [stored, deflated] = [0, 8];
const [endBytes, directoryBytes, fileHeaderBytes] = [22, 46, 30];
const maxCommentBytes = 65_535;
const zip64 = 0xffffffff;

/** Whether the bytes begin like a zip file. */
export function isZip(bytes: Buffer): boolean {
  return bytes.length >= endBytes && bytes.readUInt32LE(0) === fileSignature;
}

/**
 * The content of the only file in a zip file. `undefined` if it has another number of files, is damaged, or if the file
 * has more than `maxBytes`.
 */
export function readOnlyFile(zip: Buffer, maxBytes: number): Buffer | undefined {
  try {
    return readEntry(zip, maxBytes);
  } catch (error) {
    // Offsets outside of the file, and data that is not deflated or gets too long.
    if (error instanceof RangeError || (error instanceof Error && 'code' in error)) return undefined;
    throw error;
  }
}

function readEntry(zip: Buffer, maxBytes: number): Buffer | undefined {
  const end = findEnd(zip);
  if (end === undefined || zip.readUInt16LE(end + 10) !== 1) return undefined;
  const directory = directoryOffset(zip, end);
  if (zip.readUInt32LE(directory) !== directorySignature) return undefined;
  const method = zip.readUInt16LE(directory + 10);
  const checksum = zip.readUInt32LE(directory + 16);
  const { packedBytes, bytes, start } = extentOf(zip, directory);
  if (bytes > maxBytes || zip.readUInt32LE(start) !== fileSignature) return undefined;
  const offset = start + fileHeaderBytes + zip.readUInt16LE(start + 26) + zip.readUInt16LE(start + 28);
  const packed = zip.subarray(offset, offset + packedBytes);
  const content = unpacked(packed, method, bytes);
  return content?.length === bytes && crc32(content) === checksum ? content : undefined;
}

function unpacked(packed: Buffer, method: number, bytes: number): Buffer | undefined {
  if (method === stored) return packed;
  if (method !== deflated) return undefined;
  return bytes === 0 ? Buffer.alloc(0) : inflateRawSync(packed, { maxOutputLength: bytes });
}

/** The end record is followed only by a comment. */
function findEnd(zip: Buffer): number | undefined {
  const first = Math.max(0, zip.length - endBytes - maxCommentBytes);
  for (let offset = zip.length - endBytes; offset >= first; offset -= 1)
    if (zip.readUInt32LE(offset) === endSignature) return offset;
  return undefined;
}

/** From the zip64 record if the end record has none: a writer of streams may use it for small files, too. */
function directoryOffset(zip: Buffer, end: number): number {
  const offset = zip.readUInt32LE(end + 16);
  if (offset !== zip64) return offset;
  const record = Number(zip.readBigUInt64LE(end - 20 + 8));
  return Number(zip.readBigUInt64LE(record + 48));
}

interface Extent {
  readonly packedBytes: number;
  readonly bytes: number;
  readonly start: number;
}

/** A value that does not fit is in an extra field with id 1, in this order. */
function extentOf(zip: Buffer, directory: number): Extent {
  const small = [24, 20, 42].map((place) => zip.readUInt32LE(directory + place));
  const wide = small.includes(zip64) ? wideValues(zip, directory) : [];
  const [bytes = 0, packedBytes = 0, start = 0] = small.map((value) =>
    value === zip64 ? Number(wide.shift() ?? 0n) : value,
  );
  return { bytes, packedBytes, start };
}

function wideValues(zip: Buffer, directory: number): bigint[] {
  let offset = directory + directoryBytes + zip.readUInt16LE(directory + 28);
  const end = offset + zip.readUInt16LE(directory + 30);
  while (offset + 4 <= end) {
    const length = zip.readUInt16LE(offset + 2);
    if (zip.readUInt16LE(offset) === 1)
      return Array.from({ length: Math.floor(length / 8) }, (_, index) =>
        zip.readBigUInt64LE(offset + 4 + index * 8),
      );
    offset += 4 + length;
  }
  return [];
}
