/** Writes the files of a CLI from the stream of `read-cli.ts` into a new folder. */
import { mkdirSync } from 'node:fs';
import { link, open, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  CliArchiveError,
  type CliFilesList,
  decodeList,
  filesWithContent,
  type ListedFile,
  requireListLength,
} from './cli-files-list.js';

/**
 * `folder` must be empty, and no other program may write to it. Overwrites nothing.
 *
 * @throws CliArchiveError if the stream is not one of `readCli`.
 */
export async function writeCli(folder: string, stream: AsyncIterable<Buffer>): Promise<void> {
  const source = createByteSource(stream);
  const length = (await takeWhole(source, 4)).readUInt32BE();
  requireListLength(length);
  const list = decodeList(await takeWhole(source, length));
  for (const parent of new Set(list.map(({ path }) => dirname(join(folder, path)))))
    mkdirSync(parent, { recursive: true });
  for (const file of filesWithContent(list)) await writeContent(folder, file, source);
  if (!(await source.isAtEnd())) throw new CliArchiveError('it has data after its last file');
  await makeLinks(folder, list);
}

/** After all files, so that nothing is written through a link. */
async function makeLinks(folder: string, list: CliFilesList): Promise<void> {
  for (const entry of list) {
    const path = join(folder, entry.path);
    if ('sameAs' in entry) await link(join(folder, entry.sameAs), path);
    else if ('target' in entry) await symlink(entry.target, path);
  }
}

async function writeContent(
  folder: string,
  { path, size, isProgram }: ListedFile,
  source: ByteSource,
): Promise<void> {
  const handle = await open(join(folder, path), 'wx', isProgram ? 0o755 : 0o644);
  try {
    for (let left = size; left > 0; ) {
      const piece = await source.take(left);
      await handle.writeFile(piece);
      left -= piece.length;
    }
  } finally {
    await handle.close();
  }
}

interface ByteSource {
  /** At least one byte and at most `max`. */
  take(max: number): Promise<Buffer>;
  isAtEnd(): Promise<boolean>;
}

function createByteSource(stream: AsyncIterable<Buffer>): ByteSource {
  const iterator = stream[Symbol.asyncIterator]();
  let rest = Buffer.alloc(0);
  const isAtEnd = async () => {
    while (rest.length === 0) {
      const next = await iterator.next();
      if (next.done === true) return true;
      rest = next.value as Buffer<ArrayBuffer>;
    }
    return false;
  };
  return {
    isAtEnd,
    async take(max) {
      if (await isAtEnd()) throw new CliArchiveError('it ends before its last file');
      const piece = rest.subarray(0, max);
      rest = rest.subarray(piece.length);
      return piece;
    },
  };
}

async function takeWhole(source: ByteSource, length: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let left = length; left > 0; ) {
    const piece = await source.take(left);
    pieces.push(piece);
    left -= piece.length;
  }
  return Buffer.concat(pieces);
}
