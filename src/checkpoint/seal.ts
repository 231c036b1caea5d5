/**
 * The sealed file. It knows bytes and bindings, not what the payload is (`archive.ts`) nor where the file
 * lies (`store.ts`).
 *
 *   "GUMPSEAL" | format u32 | length u32, binding | length u32, slots | nonce 12 | ciphertext | tag 16
 *
 * Q1 Every byte is authenticated: all that stands before the nonce is additional data of the payload, and
 *    all before the slots is additional data of each slot.
 * Q2 Nothing of the payload is returned before the whole of it was authenticated.
 * Q3 Each file has a data key of its own, so no nonce can meet a key twice.
 */
import { type Cipheriv, createCipheriv, createDecipheriv, type Decipheriv, randomBytes } from 'node:crypto';
import {
  type Binding,
  decodeBinding,
  type ExpectedBinding,
  encodeBinding,
  findBindingMismatch,
  type RefusalReason,
} from './binding.js';
import { cipherName, keyBytes, nonceBytes, tagBytes, unwrapKey, wrapKey } from './key-slots.js';
import type { SealSecret } from './seal-secrets.js';

export type OpenSealResult =
  | { readonly status: 'opened'; readonly binding: Binding; readonly payload: Buffer }
  | { readonly status: 'refused'; readonly reason: RefusalReason };

/** The format that this version writes and reads. */
export const sealFormat = 1;

const magic = Buffer.from('GUMPSEAL');
const preludeBytes = magic.length + 4;
const maxPartBytes = 64 * 1024;
// Below Node's bound of 2 GB for one call, and small enough for the pieces to be freed on the way.
const pieceBytes = 16 * 1024 * 1024;

/** Seals `payload` for every one of `secrets`; there has to be one at least. */
export function seal(payload: Buffer, binding: Binding, secrets: readonly SealSecret[]): Buffer {
  if (secrets.length === 0) throw new RangeError('a checkpoint cannot be sealed without a secret');
  const dataKey = randomBytes(keyBytes);
  const head = Buffer.concat([prelude(), withLength(encodeBinding(binding))]);
  const open = Buffer.concat([head, withLength(wrapKey(dataKey, secrets, head))]);
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(cipherName, dataKey, nonce).setAAD(open);
  const start = open.length + nonceBytes;
  const sealed = Buffer.allocUnsafe(start + payload.length + tagBytes);
  open.copy(sealed);
  nonce.copy(sealed, open.length);
  transform(cipher, payload, sealed.subarray(start));
  cipher.getAuthTag().copy(sealed, start + payload.length);
  return sealed;
}

/** Opens a sealed file that was found under `expected.key`, or says why not. Never throws, whatever the bytes are. */
export function open(
  sealed: Buffer,
  secrets: readonly SealSecret[],
  expected: ExpectedBinding,
): OpenSealResult {
  const parts = split(sealed);
  if (typeof parts === 'string') return refused(parts);
  const binding = decodeBinding(parts.binding);
  if (binding === undefined) return refused('altered');
  const mismatch = findBindingMismatch(binding, expected);
  if (mismatch !== undefined) return refused(mismatch);
  const dataKey = unwrapKey(parts.slots, secrets, parts.head);
  if (dataKey === undefined) return refused('no-key-fits');
  const payload = decrypt(parts, dataKey);
  return payload === undefined ? refused('altered') : { status: 'opened', binding, payload };
}

function refused(reason: RefusalReason): OpenSealResult {
  return { status: 'refused', reason };
}

interface SealedFileParts {
  /** Up to and with the binding. */
  readonly head: Buffer;
  /** Up to and with the slots. */
  readonly open: Buffer;
  readonly binding: Buffer;
  readonly slots: Buffer;
  readonly nonce: Buffer;
  readonly ciphertext: Buffer;
  readonly tag: Buffer;
}

function split(sealed: Buffer): SealedFileParts | RefusalReason {
  if (sealed.length < preludeBytes || !sealed.subarray(0, magic.length).equals(magic))
    return 'not-a-checkpoint';
  if (sealed.readUInt32BE(magic.length) !== sealFormat) return 'other-format';
  const binding = partAt(sealed, preludeBytes);
  const slots = binding && partAt(sealed, binding.end);
  if (!binding || !slots || slots.end + nonceBytes + tagBytes > sealed.length) return 'altered';
  const start = slots.end + nonceBytes;
  const end = sealed.length - tagBytes;
  return {
    head: sealed.subarray(0, binding.end),
    open: sealed.subarray(0, slots.end),
    binding: binding.bytes,
    slots: slots.bytes,
    nonce: sealed.subarray(slots.end, start),
    ciphertext: sealed.subarray(start, end),
    tag: sealed.subarray(end),
  };
}

function partAt(
  sealed: Buffer,
  offset: number,
): { readonly bytes: Buffer; readonly end: number } | undefined {
  if (offset + 4 > sealed.length) return undefined;
  const length = sealed.readUInt32BE(offset);
  const end = offset + 4 + length;
  return length > maxPartBytes || end > sealed.length
    ? undefined
    : { bytes: sealed.subarray(offset + 4, end), end };
}

function decrypt(parts: SealedFileParts, dataKey: Buffer): Buffer | undefined {
  const decipher = createDecipheriv(cipherName, dataKey, parts.nonce, { authTagLength: tagBytes })
    .setAAD(parts.open)
    .setAuthTag(parts.tag);
  const payload = Buffer.allocUnsafe(parts.ciphertext.length);
  try {
    transform(decipher, parts.ciphertext, payload);
    return payload;
  } catch {
    return undefined;
  }
}

/** Runs all of `input` through the cipher into `output`, and ends the cipher. */
function transform(cipher: Cipheriv | Decipheriv, input: Buffer, output: Buffer): void {
  for (let offset = 0; offset < input.length; offset += pieceBytes) {
    cipher.update(input.subarray(offset, offset + pieceBytes)).copy(output, offset);
  }
  cipher.final();
}

function prelude(): Buffer {
  const bytes = Buffer.alloc(preludeBytes);
  magic.copy(bytes);
  bytes.writeUInt32BE(sealFormat, magic.length);
  return bytes;
}

function withLength(part: Buffer): Buffer {
  if (part.length > maxPartBytes)
    throw new RangeError(`a part of the checkpoint's head has ${part.length} bytes`);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(part.length);
  return Buffer.concat([length, part]);
}
