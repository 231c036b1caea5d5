/**
 * Decides what the next entry of a chain builds on. Pure.
 *
 * POLICY1 A chain has at most 16 entries, so that a restore needs few requests.
 * POLICY2 The first entry is a whole state. There is a new whole one when the increments exceed it, but only if all that
 *         the run has stored stays within 2.5 times the state. Then it stays within three times for 300 attempts.
 *         No policy can promise it for more than about 1500 attempts and 16 entries.
 * POLICY3 If the chain is full, the next entry replaces the increments at its end that have the same level, and builds
 *         on the entry before them. The level is how often the bytes of an entry were written again. So 135 increments
 *         need each byte at most twice and 815 at most three times, however large the whole state is.
 */

/** What the policy knows of an entry. */
export interface ChainLink {
  /** Of the sealed file. */
  readonly bytes: number;
  /** 0 for a whole state and a new increment. */
  readonly level: number;
}

export interface ChainPlan {
  /** How many entries of the chain the next one builds on. 0: it is whole. */
  readonly base: number;
  readonly level: number;
}

export const maxChainEntries = 16;
/** What a run may have stored with a whole state, divided by that state. Leaves space for increments that are merged. */
const maxWholeShare = 2.5;
/** A chain of which more cannot be read (1 GB), with space for the next increment. */
const maxChainBytes = 900_000_000;

const whole: ChainPlan = { base: 0, level: 0 };

/** `storedBytes`: all that the run has stored, also entries that are no longer in the chain. */
export function planEntry(chain: readonly ChainLink[], storedBytes: number): ChainPlan {
  const [first, ...increments] = chain;
  if (first === undefined) return whole;
  const added = increments.reduce((sum, { bytes }) => sum + bytes, 0);
  const state = first.bytes + added;
  if (state > maxChainBytes && added > 0) return whole;
  if (added > first.bytes && storedBytes + state <= maxWholeShare * state) return whole;
  return planIncrement(chain);
}

/** The same, for an entry that is never a whole state if there is one. */
export function planIncrement(chain: readonly ChainLink[]): ChainPlan {
  const [first, ...increments] = chain;
  if (first === undefined) return whole;
  if (chain.length < maxChainEntries) return { base: chain.length, level: 0 };
  const level = increments.at(-1)?.level ?? 0;
  const before = increments.findLastIndex((increment) => increment.level !== level);
  return { base: before + 2, level: level + 1 };
}
