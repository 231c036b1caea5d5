/**
 * The values that a checkpoint is bound to, and the reasons to refuse one. The binding is readable in the header of
 * the sealed file and authenticated with it (`seal.ts`). Pure.
 */
import { formatKey, hashStateName, parseKey } from './checkpoint-key.js';

/** A stored entry, named so that no other one can take its place. */
export interface EntryRef {
  readonly key: string;
  /** Hexadecimal, of the sealed file. */
  readonly sha256: string;
}

export interface Binding {
  readonly repositoryId: string;
  readonly runId: string;
  readonly stateName: string;
  readonly jobAttempt: number;
  readonly sequence: number;
  readonly writer: string;
  /** `GITHUB_REF`. */
  readonly ref: string;
  /** The trust class of the event that started the run. */
  readonly trust: string;
  /** The entries that this one builds on, the whole state first. Absent in format 1, in which every entry is whole. */
  readonly chain?: readonly EntryRef[];
}

/** What a job expects of a checkpoint: the job's own values, and the key under which the checkpoint was found. */
export interface ExpectedBinding {
  readonly repositoryId: string;
  readonly runId: string;
  readonly stateName: string;
  readonly ref: string;
  readonly trust: string;
  readonly key: string;
}

const refusals = {
  'not-a-checkpoint': 'it is not a checkpoint of this action',
  'other-format': 'another version of this action wrote it in a format that this version cannot read',
  altered: 'it is damaged or was altered',
  'no-key-fits':
    'none of the keys of this job opens it: the secret that sealed it was changed or removed, or the file was altered. ' +
    'If you changed the key, add the former key as a second line of `state-key`',
  'other-repository': 'it belongs to another repository',
  'other-run': 'it belongs to another workflow run',
  'other-state': 'it belongs to another state name',
  'other-ref': 'it belongs to another branch, tag or pull request',
  'other-trust': 'it was written for an event with a different trust class',
  'key-mismatch': 'it is stored under a key that is not its own',
  unreadable: 'it could not be read',
  'bad-content': 'its content is invalid',
  'missing-link': 'an entry that it builds on is missing',
  'wrong-link': 'an entry that it builds on was replaced or altered',
} as const;

export type RefusalReason = keyof typeof refusals;

/** The end of a text that begins with "Checkpoint … is not used: ". */
export function refusalText(reason: RefusalReason): string {
  return refusals[reason];
}

/** The key under which a checkpoint with this binding is stored. */
export function keyOf(binding: Omit<Binding, 'writer'>): string {
  const { stateName, runId, jobAttempt, sequence } = binding;
  return formatKey({ stateHash: hashStateName(stateName), runId, jobAttempt, sequence });
}

/** The key under which version 0.1.0 stored it. */
export function formerKeyOf(binding: Binding): string {
  const { stateName, runId, jobAttempt, sequence, writer } = binding;
  return formatKey({ stateHash: hashStateName(stateName), runId, jobAttempt, sequence, writer });
}

/** Whether a checkpoint with this binding belongs under `key`. */
export function isKeyOf(binding: Binding, key: string): boolean {
  return key === keyOf(binding) || key === formerKeyOf(binding);
}

/** Why a checkpoint with this binding is not the expected one. `undefined` if it is. */
export function findBindingMismatch(binding: Binding, expected: ExpectedBinding): RefusalReason | undefined {
  if (binding.repositoryId !== expected.repositoryId) return 'other-repository';
  if (binding.runId !== expected.runId) return 'other-run';
  if (binding.stateName !== expected.stateName) return 'other-state';
  if (binding.ref !== expected.ref) return 'other-ref';
  if (binding.trust !== expected.trust) return 'other-trust';
  return isKeyOf(binding, expected.key) ? undefined : 'key-mismatch';
}

export function encodeBinding(binding: Binding): Buffer {
  const { repositoryId, runId, stateName, jobAttempt, sequence, writer, ref, trust } = binding;
  const chain = binding.chain?.map(({ key, sha256 }) => ({ key, sha256 }));
  return Buffer.from(
    JSON.stringify({ repositoryId, runId, stateName, jobAttempt, sequence, writer, ref, trust, chain }),
  );
}

const textFields = ['repositoryId', 'runId', 'stateName', 'writer', 'ref', 'trust'] as const;

/** `undefined` if the bytes are not a binding that `encodeBinding` writes. */
export function decodeBinding(bytes: Buffer): Binding | undefined {
  const value = parseObject(bytes);
  if (value === undefined) return undefined;
  if (!textFields.every((field) => typeof value[field] === 'string')) return undefined;
  if (!isCount(value.jobAttempt) || !isCount(value.sequence)) return undefined;
  if (value.chain !== undefined && !isChain(value.chain)) return undefined;
  const binding = value as unknown as Binding;
  // Each binding has exactly one encoding: callers compare and show fields, so there must be no hidden extra content.
  return encodeBinding(binding).equals(bytes) ? binding : undefined;
}

function parseObject(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** More than the policy writes, so that it can change. */
const maxChainLength = 64;

function isChain(value: unknown): boolean {
  return Array.isArray(value) && value.length <= maxChainLength && value.every(isEntryRef);
}

function isEntryRef(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { key, sha256 } = value as Readonly<Record<string, unknown>>;
  if (typeof key !== 'string' || typeof sha256 !== 'string') return false;
  // The key becomes a file name in a directory store.
  return parseKey(key) !== undefined && /^[0-9a-f]{64}$/.test(sha256);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 999_999;
}
