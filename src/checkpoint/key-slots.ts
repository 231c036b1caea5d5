/**
 * Wraps the data key of a checkpoint once for each secret. A slot contains the kind and the variable name of its
 * secret, but nothing of the secret itself. Each slot has its own salt, so that equal secrets are not visible.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { SealSecret } from './seal-secrets.js';

export const cipherName = 'aes-256-gcm';
export const nonceBytes = 12;
export const tagBytes = 16;
export const keyBytes = 32;
const saltBytes = 32;
// A limit, so that a forged file cannot make the reader derive an unlimited number of keys. We never write more.
const maxSlots = 64;

interface KeySlot {
  readonly kind: string;
  readonly name: string;
  /** This and the following fields are base64. */
  readonly salt: string;
  readonly nonce: string;
  /** The wrapped data key, followed by its tag. */
  readonly key: string;
}

/** The slots as bytes. `head` is authenticated with each slot. */
export function wrapKey(dataKey: Buffer, secrets: readonly SealSecret[], head: Buffer): Buffer {
  return Buffer.from(JSON.stringify(secrets.map((secret) => makeSlot(dataKey, secret, head))));
}

/** The data key, if one of `secrets` opens one of the slots. Does not throw for any bytes. */
export function unwrapKey(slots: Buffer, secrets: readonly SealSecret[], head: Buffer): Buffer | undefined {
  for (const slot of decodeSlots(slots)) {
    for (const secret of secrets) {
      if (slot.kind !== secret.kind || slot.name !== secret.name) continue;
      const key = openSlot(slot, secret, head);
      if (key !== undefined) return key;
    }
  }
  return undefined;
}

function makeSlot(dataKey: Buffer, secret: SealSecret, head: Buffer): KeySlot {
  const salt = randomBytes(saltBytes);
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(cipherName, deriveKey(secret, salt), nonce).setAAD(head);
  const key = Buffer.concat([cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
  const [saltText, nonceText, keyText] = [salt, nonce, key].map((bytes) => bytes.toString('base64'));
  return {
    kind: secret.kind,
    name: secret.name,
    salt: saltText ?? '',
    nonce: nonceText ?? '',
    key: keyText ?? '',
  };
}

function openSlot(slot: KeySlot, secret: SealSecret, head: Buffer): Buffer | undefined {
  const salt = Buffer.from(slot.salt, 'base64');
  const nonce = Buffer.from(slot.nonce, 'base64');
  const key = Buffer.from(slot.key, 'base64');
  if (salt.length !== saltBytes || nonce.length !== nonceBytes || key.length !== keyBytes + tagBytes)
    return undefined;
  const decipher = createDecipheriv(cipherName, deriveKey(secret, salt), nonce, { authTagLength: tagBytes })
    .setAAD(head)
    .setAuthTag(key.subarray(keyBytes));
  try {
    return Buffer.concat([decipher.update(key.subarray(0, keyBytes)), decipher.final()]);
  } catch {
    return undefined;
  }
}

// Kind and name are part of the derivation, so the same value in another variable does not open a slot.
function deriveKey(secret: SealSecret, salt: Buffer): Buffer {
  const info = JSON.stringify(['gump-action checkpoint slot 1', secret.kind, secret.name]);
  return Buffer.from(hkdfSync('sha256', secret.value, salt, info, keyBytes));
}

function decodeSlots(bytes: Buffer): readonly KeySlot[] {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return Array.isArray(value) ? value.slice(0, maxSlots).filter(isSlot) : [];
  } catch {
    return [];
  }
}

const slotFields = ['kind', 'name', 'salt', 'nonce', 'key'] as const;

function isSlot(value: unknown): value is KeySlot {
  if (typeof value !== 'object' || value === null) return false;
  return slotFields.every((field) => typeof (value as Record<string, unknown>)[field] === 'string');
}
