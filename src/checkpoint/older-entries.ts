/**
 * Finds the entries of a state in one run, newest first, whoever wrote them. The cache answers only "the entry written
 * last under this prefix", so one look-up per prefix would let a foreign entry hide a checkpoint: by a high sequence
 * with a gap below it, or by a low sequence that was written later.
 */
import {
  attemptPrefixes,
  type KeyScope,
  keyVersions,
  lowerSequencePrefixes,
  narrowerPrefixes,
  parseKey,
} from './checkpoint-key.js';

/** The key of the newest entry under the first of `prefixes` that has one. */
export type LookUp = (prefixes: readonly string[]) => Promise<string | undefined>;

/** The highest sequence that a key can have, and one. */
const aboveAll = 1_000_000;

/** All keys, from the highest sequence of `jobAttempt` down to the lowest one of the first job attempt. */
export async function* entriesFromNewest(
  scope: KeyScope,
  jobAttempt: number,
  lookUp: LookUp,
): AsyncGenerator<string, undefined> {
  for (let attempt = jobAttempt; attempt >= 1; ) {
    // One look-up for all job attempts, because most of them stored nothing.
    const key = await lookUp(attemptPrefixes(scope, attempt));
    if (key === undefined) return undefined;
    const found = parsed(key);
    // Prevents an endless loop if a store returns another entry than was asked for.
    if (found !== undefined && found.jobAttempt > attempt) return undefined;
    // A name that is no key, written last, must not hide those that are: then each job attempt is looked up.
    attempt = found?.jobAttempt ?? attempt;
    for (const version of keyVersions) yield* entriesOfAttempt({ scope, attempt, version, lookUp });
    attempt -= 1;
  }
  return undefined;
}

interface AttemptEntries {
  readonly scope: KeyScope;
  readonly attempt: number;
  readonly version: (typeof keyVersions)[number];
  readonly lookUp: LookUp;
}

async function* entriesOfAttempt(entries: AttemptEntries): AsyncGenerator<string, undefined> {
  let sequence = aboveAll;
  for (;;) {
    const key = await highestBelow(entries, sequence);
    const next = parsed(key);
    if (key === undefined || next === undefined || next.sequence >= sequence) return undefined;
    yield key;
    ({ sequence } = next);
  }
}

/** The key with the highest sequence below `sequence`. */
async function highestBelow(
  { scope, attempt, version, lookUp }: AttemptEntries,
  sequence: number,
): Promise<string | undefined> {
  let prefixes = lowerSequencePrefixes(scope, attempt, sequence, version);
  for (;;) {
    const key = prefixes.length === 0 ? undefined : await lookUp(prefixes);
    const prefix = key && prefixes.find((one) => key.startsWith(one));
    if (prefix === undefined || prefix === '' || prefix.endsWith('-')) return key;
    // The prefix covers several sequences, of which the entry written last need not be the highest.
    prefixes = narrowerPrefixes(prefix);
  }
}

function parsed(key: string | undefined) {
  return key === undefined ? undefined : parseKey(key);
}
