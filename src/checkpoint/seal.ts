/**
 * Seals and opens files. Handles bytes and bindings, but not the content (`archive.ts`) or the storage
 * (`checkpoint-store.ts`).
 *
 *   "GUMPSEAL" | format u32 | length u32, binding | length u32, slots | nonce 12 | ciphertext | tag 16
 *
 * SEAL1 Every byte is authenticated: everything before the nonce is additional data of the payload, and everything
 *       before the slots is additional data of each slot.
 * SEAL2 Nothing of the payload is returned before all of it is authenticated.
 * SEAL3 Each file has its own data key, so no nonce is used twice with the same key.
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
import { cipherName, keyBytes, nonceBytes, slotNames, tagBytes, unwrapKey, wrapKey } from './key-slots.js';
import type { SealSecret } from './seal-secrets.js';

export type OpenSealResult =
  | {
      readonly status: 'opened';
      readonly binding: Binding;
      readonly payload: Buffer;
      /** Opens this file without a secret. Later entries of a chain contain it. */
      readonly dataKey: Buffer;
    }
  | {
      readonly status: 'refused';
      readonly reason: RefusalReason;
      /** For `no-key-fits`: the names of the variables whose values sealed the file, as it claims itself. */
      readonly sealedBy?: readonly string[];
    };

/** The format of a whole state, and that of an entry of a chain (`Binding.chain`). Both are read. */
const [wholeFormat, chainFormat] = [1, 2];

const magic = Buffer.from('GUMPSEAL');
const preludeBytes = magic.length + 4;
const maxPartBytes = 64 * 1024;
// Below Node's limit of 2 GB for one call, and small enough that memory is freed between pieces.
const pieceBytes = 16 * 1024 * 1024;

/** A key for one file (SEAL3). */
export function newDataKey(): Buffer {
  return randomBytes(keyBytes);
}

/** Seals `payload` for each of `secrets`. There must be at least one. `dataKey` must be new. */
export function seal(
  payload: Buffer,
  binding: Binding,
  secrets: readonly SealSecret[],
  dataKey: Buffer = newDataKey(),
): Buffer {
  if (secrets.length === 0) throw new RangeError('a checkpoint cannot be sealed without a secret');
  const head = Buffer.concat([prelude(binding), withLength(encodeBinding(binding))]);
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

/** Opens a sealed file found under `expected.key`, or returns why it is refused. Does not throw for any bytes. */
export function open(
  sealed: Buffer,
  secrets: readonly SealSecret[],
  expected: ExpectedBinding,
): OpenSealResult {
  return openWith(sealed, expected, ({ slots, head }) => {
    const dataKey = unwrapKey(slots, secrets, head);
    return dataKey ?? { status: 'refused', reason: 'no-key-fits', sealedBy: slotNames(slots) };
  });
}

/** The same with the key of the file, which an authenticated entry contains. */
export function openWithDataKey(sealed: Buffer, dataKey: Buffer, expected: ExpectedBinding): OpenSealResult {
  return openWith(sealed, expected, () => dataKey);
}

/**
 * The binding of a sealed file if one of `secrets` authenticates it (SEAL1). Says nothing about the payload. Does not
 * throw for any bytes.
 */
export function openBinding(sealed: Buffer, secrets: readonly SealSecret[]): Binding | undefined {
  const parts = split(sealed);
  if (typeof parts === 'string' || unwrapKey(parts.slots, secrets, parts.head) === undefined)
    return undefined;
  const binding = decodeBinding(parts.binding);
  return binding !== undefined && formatOf(binding) === parts.format ? binding : undefined;
}

/** How much of a sealed file its header takes at most. */
export const headerBytes = preludeBytes + 4 + maxPartBytes;

type Refused = Extract<OpenSealResult, { readonly status: 'refused' }>;

function openWith(
  sealed: Buffer,
  expected: ExpectedBinding,
  findDataKey: (parts: SealedFileParts) => Buffer | Refused,
): OpenSealResult {
  const parts = split(sealed);
  if (typeof parts === 'string') return refused(parts);
  const binding = decodeBinding(parts.binding);
  if (binding === undefined || formatOf(binding) !== parts.format) return refused('altered');
  const mismatch = findBindingMismatch(binding, expected);
  if (mismatch !== undefined) return refused(mismatch);
  const dataKey = findDataKey(parts);
  if ('status' in dataKey) return dataKey;
  const payload = decrypt(parts, dataKey);
  return payload === undefined ? refused('altered') : { status: 'opened', binding, payload, dataKey };
}

/**
 * The binding in the header of a sealed file, without proof that it is genuine. Its first `headerBytes` are enough.
 * `undefined` if the bytes are not a sealed file.
 */
export function readBinding(sealed: Buffer): Binding | undefined {
  if (typeof formatIn(sealed) === 'string') return undefined;
  const part = partAt(sealed, preludeBytes);
  return part === undefined ? undefined : decodeBinding(part.bytes);
}

function formatOf(binding: Binding): number {
  return binding.chain === undefined ? wholeFormat : chainFormat;
}

function refused(reason: RefusalReason): Refused {
  return { status: 'refused', reason };
}

interface SealedFileParts {
  readonly format: number;
  /** Everything up to the end of the binding. */
  readonly head: Buffer;
  /** Everything up to the end of the slots. */
  readonly open: Buffer;
  readonly binding: Buffer;
  readonly slots: Buffer;
  readonly nonce: Buffer;
  readonly ciphertext: Buffer;
  readonly tag: Buffer;
}

function formatIn(sealed: Buffer): number | RefusalReason {
  if (sealed.length < preludeBytes || !sealed.subarray(0, magic.length).equals(magic))
    return 'not-a-checkpoint';
  const format = sealed.readUInt32BE(magic.length);
  return format === wholeFormat || format === chainFormat ? format : 'other-format';
}

function split(sealed: Buffer): SealedFileParts | RefusalReason {
  const format = formatIn(sealed);
  if (typeof format === 'string') return format;
  const binding = partAt(sealed, preludeBytes);
  const slots = binding && partAt(sealed, binding.end);
  if (!binding || !slots || slots.end + nonceBytes + tagBytes > sealed.length) return 'altered';
  const start = slots.end + nonceBytes;
  const end = sealed.length - tagBytes;
  return {
    format,
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

/** Encrypts or decrypts all of `input` into `output` and finishes the cipher. */
function transform(cipher: Cipheriv | Decipheriv, input: Buffer, output: Buffer): void {
  for (let offset = 0; offset < input.length; offset += pieceBytes) {
    cipher.update(input.subarray(offset, offset + pieceBytes)).copy(output, offset);
  }
  cipher.final();
}

function prelude(binding: Binding): Buffer {
  const bytes = Buffer.alloc(preludeBytes);
  magic.copy(bytes);
  bytes.writeUInt32BE(formatOf(binding), magic.length);
  return bytes;
}

function withLength(part: Buffer): Buffer {
  if (part.length > maxPartBytes)
    throw new RangeError(`a part of the checkpoint's header is too large: ${part.length} bytes`);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(part.length);
  return Buffer.concat([length, part]);
}
