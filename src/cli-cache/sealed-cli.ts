/**
 * The sealed file of an installed CLI:
 *
 *   "GUMPCLIS" | format u32 | length u32, head | length u32, slots | blocks
 *
 * The head is JSON: the name of the entry, the repository, and the length of each block. Each key slot authenticates
 * everything before the slots (`key-slots.ts`). The data key in it authenticates each block together with everything
 * before the blocks (`blocks.ts`). So whoever has none of the secrets cannot change a byte.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { keyBytes, unwrapKey, wrapKey } from '../checkpoint/key-slots.js';
import type { SealSecret } from '../checkpoint/seal-secrets.js';
import { blockTagBytes, importBlockKey, openBlocks, packBlocks, sealBlocks } from './blocks.js';

/** What an entry must be, so that one of another repository or another name is not used. */
export interface CliIdentity {
  readonly name: string;
  readonly repositoryId: string;
}

export type OpenedCli =
  | { readonly status: 'opened'; readonly stream: AsyncIterable<Buffer> }
  /** Why it is not used, as the end of a sentence. */
  | { readonly status: 'refused'; readonly reason: string };

const magic = Buffer.from('GUMPCLIS');
const format = 1;
const maxHeadBytes = 64 * 1024;

const headSchema = z.strictObject({
  name: z.string(),
  repositoryId: z.string(),
  blocks: z.array(z.number().int().nonnegative()),
});

export async function sealCli(
  stream: AsyncIterable<Buffer>,
  identity: CliIdentity,
  secrets: readonly SealSecret[],
): Promise<Buffer> {
  if (secrets.length === 0) throw new RangeError('a CLI cannot be sealed without a secret');
  const packed = await packBlocks(stream);
  const head = Buffer.from(
    JSON.stringify({
      name: identity.name,
      repositoryId: identity.repositoryId,
      blocks: packed.map(({ length }) => length + blockTagBytes),
    }),
  );
  const dataKey = randomBytes(keyBytes);
  const beforeSlots = Buffer.concat([magic, uint32(format), withLength(head)]);
  const start = Buffer.concat([beforeSlots, withLength(wrapKey(dataKey, secrets, beforeSlots))]);
  const blocks = await sealBlocks(packed, await importBlockKey(dataKey), start);
  return Buffer.concat([start, ...blocks]);
}

/** Does not throw for any bytes; the returned stream does if a block is not authentic. */
export async function openCli(
  sealed: Buffer,
  identity: CliIdentity,
  secrets: readonly SealSecret[],
): Promise<OpenedCli> {
  const parts = split(sealed);
  if (typeof parts === 'string') return refused(parts);
  if (parts.head.name !== identity.name || parts.head.repositoryId !== identity.repositoryId)
    return refused('it belongs to another entry');
  const dataKey = unwrapKey(parts.slots, secrets, parts.beforeSlots);
  if (dataKey === undefined) return refused('no secret of this job opens it');
  return { status: 'opened', stream: openBlocks(parts.blocks, await importBlockKey(dataKey), parts.start) };
}

function refused(reason: string): OpenedCli {
  return { status: 'refused', reason };
}

interface SealedCliParts {
  readonly beforeSlots: Buffer;
  /** Everything before the blocks. */
  readonly start: Buffer;
  readonly head: z.infer<typeof headSchema>;
  readonly slots: Buffer;
  readonly blocks: readonly Buffer[];
}

function split(sealed: Buffer): SealedCliParts | string {
  if (!sealed.subarray(0, magic.length).equals(magic) || sealed.length < magic.length + 4)
    return 'it is no CLI that this action stored';
  if (sealed.readUInt32BE(magic.length) !== format) return 'it has another format';
  const head = partAt(sealed, magic.length + 4);
  const slots = head && partAt(sealed, head.end);
  const facts = head && parseHead(head.bytes);
  if (head === undefined || slots === undefined || facts === undefined) return 'it was altered';
  const blocks: Buffer[] = [];
  let offset = slots.end;
  for (const length of facts.blocks) {
    blocks.push(sealed.subarray(offset, offset + length));
    offset += length;
  }
  if (offset !== sealed.length) return 'it was altered';
  return {
    beforeSlots: sealed.subarray(0, head.end),
    start: sealed.subarray(0, slots.end),
    head: facts,
    slots: slots.bytes,
    blocks,
  };
}

function partAt(sealed: Buffer, offset: number) {
  if (offset + 4 > sealed.length) return undefined;
  const length = sealed.readUInt32BE(offset);
  const end = offset + 4 + length;
  if (length > maxHeadBytes || end > sealed.length) return undefined;
  return { bytes: sealed.subarray(offset + 4, end), end };
}

function parseHead(bytes: Buffer): z.infer<typeof headSchema> | undefined {
  try {
    return headSchema.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    return undefined;
  }
}

function withLength(part: Buffer): Buffer {
  if (part.length > maxHeadBytes)
    throw new RangeError(`the head of a CLI is too large: ${part.length} bytes`);
  return Buffer.concat([uint32(part.length), part]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
