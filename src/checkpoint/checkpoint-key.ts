/**
 * The keys under which checkpoints are stored:
 * `gump-v1-<hash of state name>-<run id>-a<job attempt>-s<sequence, 6 digits>-<writer>-`.
 *
 * CACHEKEY1 A key ends with the delimiter: the cache matches keys as prefixes, so `…-a1` would match `…-a10`.
 * CACHEKEY2 No key is used twice: an interrupted upload blocks its key for a day (actions/cache#1541).
 * CACHEKEY3 Prefixes are listed newest first, and a list for one request has at most `maxKeysPerRequest`.
 */
import { createHash, randomBytes } from 'node:crypto';

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
  /** Distinguishes two jobs that write at the same time. From `newWriter`. */
  readonly writer: string;
}

/** The client refuses a look-up with more keys (`@actions/cache` 6.3.0). */
export const maxKeysPerRequest = 10;

const maxSequence = 999_999;
const shape = /^gump-v1-([0-9a-f]{20})-(\d{1,20})-a([1-9]\d{0,5})-s(\d{6})-([0-9a-f]{8})-$/;

export function formatKey(key: CheckpointKey): string {
  if (key.sequence < 1 || key.sequence > maxSequence) {
    throw new RangeError(`checkpoint sequence ${key.sequence} is not between 1 and ${maxSequence}`);
  }
  return `${sequencePrefix(key, key.sequence)}${key.writer}-`;
}

/** `undefined` if the text is not a key of this version. */
export function parseKey(text: string): CheckpointKey | undefined {
  const [, stateHash, runId, attempt, sequence, writer] = shape.exec(text) ?? [];
  if (!stateHash || !runId || !attempt || !sequence || !writer || Number(sequence) === 0) return undefined;
  return { stateHash, runId, jobAttempt: Number(attempt), sequence: Number(sequence), writer };
}

export function hashStateName(stateName: string): string {
  return createHash('sha256').update(stateName).digest('hex').slice(0, 20);
}

/** Eight random hexadecimal digits. */
export function newWriter(): string {
  return randomBytes(4).toString('hex');
}

/** One prefix for each job attempt, from `jobAttempt` down to 1. */
export function attemptPrefixes(scope: KeyScope, jobAttempt: number): readonly string[] {
  return countDown(jobAttempt).map((attempt) => attemptPrefix(hashed(scope), attempt));
}

/**
 * What to look up before a save: first later job attempts, so that one of them is found even if this attempt has
 * stored something since, then this attempt, then any attempt.
 */
export function fencePrefixes(scope: KeyScope, jobAttempt: number): readonly string[] {
  const run = hashed(scope);
  const later = Array.from({ length: maxKeysPerRequest - 2 }, (_, index) => jobAttempt + 1 + index);
  return [
    ...later.map((attempt) => attemptPrefix(run, attempt)),
    attemptPrefix(run, jobAttempt),
    `${runPrefix(run)}a`,
  ];
}

/**
 * Prefixes that together cover all sequences below `sequence`, at most 1,000,000, of one job attempt, the highest
 * first. Those of single sequences end with the delimiter; the others cover 10, 100, … sequences.
 */
export function lowerSequencePrefixes(
  scope: KeyScope,
  jobAttempt: number,
  sequence: number,
): readonly string[] {
  const start = `${attemptPrefix(hashed(scope), jobAttempt)}s`;
  if (sequence > maxSequence) return countDown(10).map((digit) => `${start}${digit - 1}`);
  const digits = String(sequence).padStart(6, '0');
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

/** Sorts from oldest to newest: by job attempt, then by sequence. */
export function compareKeys(left: CheckpointKey, right: CheckpointKey): number {
  return left.jobAttempt - right.jobAttempt || left.sequence - right.sequence;
}

type RunKeyParts = Pick<CheckpointKey, 'stateHash' | 'runId'>;

function hashed(scope: KeyScope): RunKeyParts {
  return { stateHash: hashStateName(scope.stateName), runId: scope.runId };
}

/** The prefix of all keys of a state in one run. */
export function runPrefix(run: RunKeyParts): string {
  return `gump-v1-${run.stateHash}-${run.runId}-`;
}

function attemptPrefix(run: RunKeyParts, jobAttempt: number): string {
  return `${runPrefix(run)}a${jobAttempt}-`;
}

function sequencePrefix(key: CheckpointKey, sequence: number): string {
  return `${attemptPrefix(key, key.jobAttempt)}s${String(sequence).padStart(6, '0')}-`;
}

/** The numbers from `from` down to 1. */
function countDown(from: number): readonly number[] {
  return Array.from({ length: Math.max(0, from) }, (_, index) => from - index);
}
