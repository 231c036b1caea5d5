/**
 * The keys under which checkpoints are stored:
 * `gump-v2-<hash of state name>-<run id>-a<job attempt>-s<sequence, 6 digits>-`.
 *
 * CACHEKEY1 A key ends with the delimiter: the cache matches keys as prefixes, so `…-a1` would match `…-a10`.
 * CACHEKEY2 No key is used twice: an interrupted upload blocks its key for a day (actions/cache#1541).
 * CACHEKEY3 Prefixes are listed newest first, and a list for one request has at most `maxKeysPerRequest`.
 * CACHEKEY4 A key contains no writer, so that the store refuses the second of two jobs that count under one name.
 *
 * Version 0.1.0 stored under `gump-v1-` and put a writer at the end: `…-s<sequence>-<writer>-`. Such keys are still
 * looked up, after those of version 2 of the same job attempt.
 */
import { createHash, randomBytes } from 'node:crypto';
import { defined } from '../optional-keys.js';

/** The values that all checkpoints of one state in one run share. */
export interface KeyScope {
  readonly stateName: string;
  readonly runId: string;
}

export interface CheckpointKey {
  readonly stateHash: string;
  readonly runId: string;
  readonly jobAttempt: number;
  /** From 1. */
  readonly sequence: number;
  /** Only in keys of version 1, and in all of them. */
  readonly writer?: string;
}

type KeyVersion = 1 | 2;

/** Newest first. */
export const keyVersions: readonly KeyVersion[] = [2, 1];

/** The client refuses a look-up with more keys (`@actions/cache` 6.3.0). */
export const maxKeysPerRequest = 10;

const maxSequence = 999_999;
const shape = /^gump-v([12])-([0-9a-f]{20})-(\d{1,20})-a([1-9]\d{0,5})-s(\d{6})-(?:([0-9a-f]{8})-)?$/;

export function formatKey(key: CheckpointKey): string {
  if (key.sequence < 1 || key.sequence > maxSequence) {
    throw new RangeError(`checkpoint sequence ${key.sequence} is not between 1 and ${maxSequence}`);
  }
  const start = `${attemptPrefix(key, key.jobAttempt, key.writer === undefined ? 2 : 1)}s`;
  return `${start}${digitsOf(key.sequence)}-${key.writer === undefined ? '' : `${key.writer}-`}`;
}

/** `undefined` if the text is not a key of version 1 or 2. */
export function parseKey(text: string): CheckpointKey | undefined {
  const [, version, stateHash, runId, attempt, sequence, writer] = shape.exec(text) ?? [];
  if (!stateHash || !runId || !attempt || !sequence || Number(sequence) === 0) return undefined;
  if ((version === '1') !== (writer !== undefined)) return undefined;
  const place = { stateHash, runId, jobAttempt: Number(attempt), sequence: Number(sequence) };
  return { ...place, ...defined({ writer }) };
}

export function hashStateName(stateName: string): string {
  return createHash('sha256').update(stateName).digest('hex').slice(0, 20);
}

/** Eight random hexadecimal digits. */
export function newWriter(): string {
  return randomBytes(4).toString('hex');
}

/** The prefixes of each job attempt, from `jobAttempt` down to 1. */
export function attemptPrefixes(scope: KeyScope, jobAttempt: number): readonly string[] {
  return countDown(jobAttempt).flatMap((attempt) => prefixesOfAttempt(scope, attempt));
}

/** The prefixes of one job attempt, one for each version. */
export function prefixesOfAttempt(scope: KeyScope, jobAttempt: number): readonly string[] {
  return keyVersions.map((version) => attemptPrefix(hashed(scope), jobAttempt, version));
}

/**
 * What to look up to find out whether a job attempt may store: first later job attempts, so that one of them is found
 * even if this attempt has stored something since, then this attempt, then any attempt. In one request. Without keys
 * of version 1, because a later job attempt does not run an older version of the action.
 */
export function fencePrefixes(scope: KeyScope, jobAttempt: number): readonly string[] {
  const run = hashed(scope);
  return [
    ...laterPrefixes(scope, jobAttempt, maxKeysPerRequest - 2),
    attemptPrefix(run, jobAttempt, 2),
    `${runPrefix(run, 2)}a`,
  ];
}

/** The same for a job that has stored nothing: also whether its restored checkpoint is still the newest. */
export function newestPrefixes(scope: KeyScope, jobAttempt: number): readonly string[] {
  const own = attemptPrefixes(scope, jobAttempt);
  return [...laterPrefixes(scope, jobAttempt, Math.max(2, maxKeysPerRequest - own.length)), ...own];
}

function laterPrefixes(scope: KeyScope, jobAttempt: number, count: number): readonly string[] {
  const run = hashed(scope);
  return Array.from({ length: count }, (_, index) => attemptPrefix(run, jobAttempt + 1 + index, 2));
}

/**
 * Prefixes that together cover all sequences below `sequence`, at most 1,000,000, of one job attempt, the highest
 * first. Those of single sequences end with the delimiter; the others cover 10, 100, … sequences.
 */
export function lowerSequencePrefixes(
  scope: KeyScope,
  jobAttempt: number,
  sequence: number,
  version: KeyVersion = 2,
): readonly string[] {
  const start = `${attemptPrefix(hashed(scope), jobAttempt, version)}s`;
  if (sequence > maxSequence) return countDown(10).map((digit) => `${start}${digit - 1}`);
  const digits = digitsOf(sequence);
  return [...digits].flatMap((_, fromEnd) => {
    const place = digits.length - 1 - fromEnd;
    const end = place === digits.length - 1 ? '-' : '';
    return countDown(Number(digits[place])).map(
      (digit) => `${start}${digits.slice(0, place)}${digit - 1}${end}`,
    );
  });
}

/** The parts of a prefix that covers several sequences, the highest first. */
export function narrowerPrefixes(prefix: string): readonly string[] {
  const end = /-s\d{5}$/.test(prefix) ? '-' : '';
  return countDown(10).map((digit) => `${prefix}${digit - 1}${end}`);
}

/** Sorts from oldest to newest: by job attempt, then by version, then by sequence. */
export function compareKeys(left: CheckpointKey, right: CheckpointKey): number {
  const versions = Number(left.writer === undefined) - Number(right.writer === undefined);
  return left.jobAttempt - right.jobAttempt || versions || left.sequence - right.sequence;
}

type RunKeyParts = Pick<CheckpointKey, 'stateHash' | 'runId'>;

/** Whether two keys are of one state in one run. */
export function isSameRun(left: RunKeyParts, right: RunKeyParts): boolean {
  return left.stateHash === right.stateHash && left.runId === right.runId;
}

function hashed(scope: KeyScope): RunKeyParts {
  return { stateHash: hashStateName(scope.stateName), runId: scope.runId };
}

function runPrefix(run: RunKeyParts, version: KeyVersion): string {
  return `gump-v${version}-${run.stateHash}-${run.runId}-`;
}

function attemptPrefix(run: RunKeyParts, jobAttempt: number, version: KeyVersion): string {
  return `${runPrefix(run, version)}a${jobAttempt}-`;
}

function digitsOf(sequence: number): string {
  return String(sequence).padStart(6, '0');
}

/** The numbers from `from` down to 1. */
function countDown(from: number): readonly number[] {
  return Array.from({ length: Math.max(0, from) }, (_, index) => from - index);
}
