import { createHash } from 'node:crypto';

/** SHA-256 in hexadecimal digits, as every stored format writes it. */
export function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
