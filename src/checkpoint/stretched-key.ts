/** Makes a `state-key` expensive to guess: scrypt, once per process and salt, because it takes a tenth of a second. */
import { randomBytes, scrypt, scryptSync } from 'node:crypto';

const saltBytes = 32;
const resultBytes = 64;
/** 64 MB and about 0.2 s for each guess. A change needs a new version of the slots (`key-slots.ts`). */
const cost = { N: 2 ** 16, r: 8, p: 1, maxmem: 128 * 1024 * 1024 };

const stretched = new Map<string, Buffer>();
let ownSalt: Buffer | undefined;

/** The salt of everything that this process seals. */
export function newStretchSalt(): Buffer {
  ownSalt ??= randomBytes(saltBytes);
  return ownSalt;
}

/** Whether `value` is a salt of this file, in base64, or absent. */
export function isStretchSalt(value: unknown): value is string | undefined {
  if (value === undefined) return true;
  return typeof value === 'string' && Buffer.from(value, 'base64').length === saltBytes;
}

/**
 * Begins to compute in another thread what the first seal with this value needs. An error does not matter, because
 * `stretch` then computes it again.
 */
export function stretchEarly(value: string): void {
  const salt = newStretchSalt();
  scrypt(value, salt, resultBytes, cost, (error, result) => {
    if (error === null) stretched.set(idOf(value, salt), result);
  });
}

/** The same result for the same value and salt. */
export function stretch(value: string, salt: Buffer): Buffer {
  const id = idOf(value, salt);
  const known = stretched.get(id);
  if (known !== undefined) return known;
  const result = scryptSync(value, salt, resultBytes, cost);
  stretched.set(id, result);
  return result;
}

function idOf(value: string, salt: Buffer): string {
  return JSON.stringify([value, salt.toString('base64')]);
}
