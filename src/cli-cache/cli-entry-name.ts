/**
 * The names of cached CLIs:
 * `gump-cli-v1-<provider>-<version>-<platform>-<hash of the lock file>-<key print>-<number>-`.
 *
 * CLINAME1 A name ends with the delimiter, because the cache matches names as prefixes.
 * CLINAME2 Jobs that store the same CLI with the same key use the same name, so the service refuses the second one.
 * CLINAME3 The key print lets a job with another key store an entry of its own. It is 16 bits of a hash of the key, so
 *          it reveals at most 16 bits about it; a state key goes through scrypt first, so a guess is not cheaper to
 *          check with the print than with an entry.
 * CLINAME4 The number is 1. An entry that cannot be used would block its name as long as somebody reads it; the next
 *          one gets the next number, and a look-up finds the newest.
 */
import { createHash, hkdfSync, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import type { SealSecret } from '../checkpoint/seal-secrets.js';

export interface CliFacts {
  /** The id of the provider. */
  readonly provider: string;
  readonly version: string;
  /** From `platformName`. */
  readonly platform: string;
  /** The lock file that npm installed from, if there is one. */
  readonly lock?: string;
}

/** Higher numbers mean that somebody damages the entries on purpose. */
const maxNumber = 99;

/** The start of the names of this CLI that `secret` seals, up to the number. */
export async function namePrefix(
  { provider, version, platform, lock = '' }: CliFacts,
  secret: SealSecret,
  repositoryId: string,
): Promise<string> {
  const lockHash = createHash('sha256').update(lock).digest('hex').slice(0, 12);
  return `gump-cli-v1-${provider}-${version}-${platform}-${lockHash}-${await keyPrint(secret, repositoryId)}-`;
}

/** The name after `found`, or the first one. `undefined` if there are too many. */
export function nextName(prefix: string, found: string | undefined): string | undefined {
  const number = 1 + numberOf(prefix, found);
  return number > maxNumber ? undefined : `${prefix}${number}-`;
}

function numberOf(prefix: string, name: string | undefined): number {
  if (name?.startsWith(prefix) !== true) return 0;
  return Number(/^([1-9]\d{0,2})-$/.exec(name.slice(prefix.length))?.[1] ?? 0);
}

const stretchKey = promisify<string, Buffer, number, object, Buffer>(scrypt);
/** As expensive as the key slots of a state key (`stretched-key.ts`). */
const cost = { N: 2 ** 16, r: 8, p: 1, maxmem: 128 * 1024 * 1024 };

const prints = new Map<string, Promise<string>>();

/** Computed once per process, because a state key takes 0.2 s. */
function keyPrint(secret: SealSecret, repositoryId: string): Promise<string> {
  const id = JSON.stringify([secret, repositoryId]);
  const known = prints.get(id);
  if (known !== undefined) return known;
  const print = computePrint(secret, repositoryId);
  prints.set(id, print);
  return print;
}

async function computePrint({ kind, name, value }: SealSecret, repositoryId: string): Promise<string> {
  // The repository is part of it, so that equal keys of two repositories are not visible.
  const salt = createHash('sha256').update(`gump-action CLI name ${repositoryId}`).digest();
  const input = kind === 'state-key' ? await stretchKey(value, salt, 64, cost) : value;
  const info = JSON.stringify(['gump-action CLI name 1', kind, name]);
  return Buffer.from(hkdfSync('sha256', input, salt, info, 2)).toString('hex');
}
