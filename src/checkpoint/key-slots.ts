/**
 * Wraps the data key of a checkpoint once for each secret. A slot contains the kind and the variable name of its
 * secret, but nothing of the secret itself. Each slot has its own salt, so that equal secrets are not visible.
 *
 * Keys come from HKDF. A `state-key` is chosen by a person, so scrypt makes it expensive to guess first; a slot with the
 * field `scrypt` was made so. Version 0.1.0 made slots of state keys without it, which are still opened.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { defined } from '../optional-keys.js';
import type { SealSecret } from './seal-secrets.js';
import { isStretchSalt, newStretchSalt, stretch } from './stretched-key.js';

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
  /** The salt for scrypt, if the secret went through it. */
  readonly scrypt?: string;
}

/** The slots as bytes. `head` is authenticated with each slot. */
export function wrapKey(dataKey: Buffer, secrets: readonly SealSecret[], head: Buffer): Buffer {
  return Buffer.from(JSON.stringify(secrets.map((secret) => makeSlot(dataKey, secret, head))));
}

/** The data key, if one of `secrets` opens one of the slots. Does not throw for any bytes. */
export function unwrapKey(slots: Buffer, secrets: readonly SealSecret[], head: Buffer): Buffer | undefined {
  const decoded = decodeSlots(slots);
  // All slots of a file have one salt for scrypt, so that a forged file cannot keep the reader busy.
  const scrypt = decoded.find((slot) => slot.scrypt !== undefined)?.scrypt;
  for (const slot of decoded) {
    if (slot.scrypt !== undefined && slot.scrypt !== scrypt) continue;
    for (const secret of secrets) {
      if (!mayOpen(secret, slot)) continue;
      const key = openSlot(slot, secret, head);
      if (key !== undefined) return key;
    }
  }
  return undefined;
}

/** A line of `state-key` also opens what a provider's key of that value has sealed, whatever its variable. */
function mayOpen(secret: SealSecret, slot: KeySlot): boolean {
  if (slot.kind === secret.kind) return slot.name === secret.name;
  return slot.kind === 'credential' && secret.kind === 'state-key';
}

/** The names in the slots that have the form of one; nothing else in the slots proves that they are genuine. */
export function slotNames(slots: Buffer): readonly string[] {
  const names = decodeSlots(slots).map(({ name }) => name);
  return [...new Set(names.filter((name) => /^[A-Za-z][\w-]{0,99}$/.test(name)))];
}

function makeSlot(dataKey: Buffer, secret: SealSecret, head: Buffer): KeySlot {
  const salt = randomBytes(saltBytes);
  const nonce = randomBytes(nonceBytes);
  const { kind, name } = secret;
  const scrypt = kind === 'state-key' ? newStretchSalt().toString('base64') : undefined;
  const derived = deriveKey({ kind, name, ...defined({ scrypt }) }, secret.value, salt);
  const cipher = createCipheriv(cipherName, derived, nonce).setAAD(head);
  const key = Buffer.concat([cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
  const [saltText, nonceText, keyText] = [salt, nonce, key].map((bytes) => bytes.toString('base64'));
  return {
    kind,
    name,
    salt: saltText ?? '',
    nonce: nonceText ?? '',
    key: keyText ?? '',
    ...defined({ scrypt }),
  };
}

function openSlot(slot: KeySlot, secret: SealSecret, head: Buffer): Buffer | undefined {
  const salt = Buffer.from(slot.salt, 'base64');
  const nonce = Buffer.from(slot.nonce, 'base64');
  const key = Buffer.from(slot.key, 'base64');
  if (salt.length !== saltBytes || nonce.length !== nonceBytes || key.length !== keyBytes + tagBytes)
    return undefined;
  const decipher = createDecipheriv(cipherName, deriveKey(slot, secret.value, salt), nonce, {
    authTagLength: tagBytes,
  })
    .setAAD(head)
    .setAuthTag(key.subarray(keyBytes));
  try {
    return Buffer.concat([decipher.update(key.subarray(0, keyBytes)), decipher.final()]);
  } catch {
    return undefined;
  }
}

// Kind and name are part of the derivation, so the same value in another variable does not open a slot.
function deriveKey(
  { kind, name, scrypt }: Pick<KeySlot, 'kind' | 'name' | 'scrypt'>,
  value: string,
  salt: Buffer,
): Buffer {
  const version = scrypt === undefined ? 1 : 2;
  const info = JSON.stringify([`gump-action checkpoint slot ${version}`, kind, name]);
  const input = scrypt === undefined ? value : stretch(value, Buffer.from(scrypt, 'base64'));
  return Buffer.from(hkdfSync('sha256', input, salt, info, keyBytes));
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
  const fields = value as Record<string, unknown>;
  return slotFields.every((field) => typeof fields[field] === 'string') && isStretchSalt(fields.scrypt);
}
