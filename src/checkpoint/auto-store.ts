/**
 * Stores checkpoints where this job can: in the Actions cache, otherwise as artifacts of the run (`state-store: auto`).
 *
 * AUTO1 A job begins with artifacts if it is known at the start that the cache cannot be written or read. Otherwise it
 *       changes to artifacts with the first checkpoint that the cache does not accept, stores that one there, and stays.
 *       A key that exists is no reason to change: another job uses the name.
 * AUTO2 A look-up asks both, and the newest key counts, because job attempts may have stored in different places. Only in a first
 *       job attempt, in which nothing can be in artifacts yet, the cache alone is asked.
 * AUTO3 If one of them does not answer, nothing is known. Only after the change to artifacts, what they have counts
 *       without the cache: it is newer than anything that this job has stored there.
 */
import { defined } from '../optional-keys.js';
import { failureOf } from './ask-store.js';
import { compareKeys, parseKey } from './checkpoint-key.js';
import type { CheckpointStore, StoreFailure } from './checkpoint-store.js';

export interface AutoStoreOptions {
  readonly cache: CheckpointStore;
  readonly artifacts: CheckpointStore;
  /** Something may be in artifacts: of an earlier job attempt, or of another job with the same state name. */
  readonly hasEarlierJobs: boolean;
  /** An earlier phase of this job has changed to artifacts. */
  readonly isChanged: boolean;
  /** Called when the job changes to artifacts. `reason`: why the cache did not accept a checkpoint. */
  onChange(reason: string | undefined): void;
}

export function createAutoStore(options: AutoStoreOptions): CheckpointStore {
  const { cache, artifacts } = options;
  const cacheReason = cache.unwritableReason ?? cache.unreadableReason;
  const artifactsReason = artifacts.unwritableReason;
  // Without artifacts, a cache that can only be read or only be written is better than nothing.
  if (artifactsReason !== undefined) return withReason(cache, artifactsReason);
  let isInArtifacts = options.isChanged || cacheReason !== undefined;
  let lastFailure: StoreFailure | undefined;
  /** The store that had the newest entry: it has what that one builds on. */
  let preferred: CheckpointStore | undefined;

  const asked = (): readonly CheckpointStore[] => {
    if (isInArtifacts) return [artifacts, cache].filter(isReadable);
    return options.hasEarlierJobs ? [cache, artifacts] : [cache];
  };

  function change(reason: string | undefined): void {
    isInArtifacts = true;
    options.onChange(reason);
  }

  async function findNewest(prefixes: readonly string[]): Promise<string | undefined> {
    const answers = await Promise.all(asked().map((store) => ask(store, () => store.findNewest(prefixes))));
    const inArtifacts = answers.find(({ store, value }) => store === artifacts && value !== undefined);
    const silent = answers.find(({ failure }) => failure !== undefined && failure.isAnswer !== true);
    if (silent !== undefined && !(isInArtifacts && inArtifacts !== undefined)) {
      lastFailure = silent.failure;
      return undefined;
    }
    const newest = answers.reduce((one, other) => newerAnswer(prefixes, one, other));
    lastFailure =
      newest.value === undefined ? answers.find(({ failure }) => failure !== undefined)?.failure : undefined;
    preferred = newest.value === undefined ? preferred : newest.store;
    return newest.value;
  }

  async function read(key: string): Promise<Buffer | undefined> {
    const others = asked().filter((store) => store !== preferred);
    let failure: StoreFailure | undefined;
    for (const store of preferred === undefined ? others : [preferred, ...others]) {
      const answer = await ask(store, () => store.read(key));
      if (answer.value !== undefined) {
        lastFailure = undefined;
        return answer.value;
      }
      // One that did not answer may have it.
      if (failure === undefined || failure.isAnswer === true) failure = answer.failure ?? failure;
    }
    lastFailure = failure;
    return undefined;
  }

  async function write(key: string, sealed: Buffer): Promise<boolean> {
    if (isInArtifacts) return writeTo(artifacts, key, sealed);
    if (await writeTo(cache, key, sealed)) return true;
    const refusal = lastFailure;
    if (refusal?.isTaken) return false;
    if (await writeTo(artifacts, key, sealed)) {
      change(refusal?.message);
      return true;
    }
    if (lastFailure?.isTaken !== true) lastFailure = joinFailures(refusal, lastFailure);
    return false;
  }

  async function writeTo(store: CheckpointStore, key: string, sealed: Buffer): Promise<boolean> {
    const isStored = await store.write(key, sealed);
    lastFailure = isStored ? undefined : failureOf(store);
    return isStored;
  }

  return {
    get title() {
      return isInArtifacts ? artifacts.title : cache.title;
    },
    findNewest,
    read,
    write,
    lastError: () => lastFailure?.message,
    lastFailure: () => lastFailure,
  };
}

/** A store that also reads what an earlier job attempt has stored elsewhere, if it has nothing itself. */
export function withEarlier(store: CheckpointStore, earlier: CheckpointStore): CheckpointStore {
  let asked: CheckpointStore = store;
  let isOver = false;
  return {
    ...store,
    get title() {
      return asked.title;
    },
    async findNewest(prefixes) {
      asked = store;
      const found = await store.findNewest(prefixes);
      if (found !== undefined || failureOf(store) !== undefined || isOver) return found;
      asked = earlier;
      const before = await earlier.findNewest(prefixes);
      // What is refused once need not be asked for before each save.
      isOver = failureOf(earlier)?.isAnswer === true;
      return before;
    },
    async read(key) {
      asked = store;
      const found = await store.read(key);
      if (found !== undefined) return found;
      asked = earlier;
      return earlier.read(key);
    },
    write(key, sealed) {
      asked = store;
      return store.write(key, sealed);
    },
    lastError: () => failureOf(asked)?.message,
    lastFailure: () => failureOf(asked),
  };
}

interface StoreReply<T> {
  readonly store: CheckpointStore;
  readonly value: T | undefined;
  readonly failure: StoreFailure | undefined;
}

async function ask<T>(
  store: CheckpointStore,
  question: () => Promise<T | undefined>,
): Promise<StoreReply<T>> {
  const value = await question();
  return { store, value, failure: value === undefined ? failureOf(store) : undefined };
}

function newerAnswer(
  prefixes: readonly string[],
  one: StoreReply<string>,
  other: StoreReply<string>,
): StoreReply<string> {
  if (one.value === undefined || other.value === undefined) return one.value === undefined ? other : one;
  const [first, second] = [one.value, other.value].map((key) =>
    prefixes.findIndex((prefix) => key.startsWith(prefix)),
  );
  if (first !== second) return (first ?? 0) < (second ?? 0) ? one : other;
  const [left, right] = [parseKey(one.value), parseKey(other.value)];
  if (left === undefined || right === undefined) return left === undefined ? other : one;
  return compareKeys(left, right) >= 0 ? one : other;
}

function isReadable(store: CheckpointStore): boolean {
  return store.unreadableReason === undefined;
}

function withReason(cache: CheckpointStore, artifactsReason: string): CheckpointStore {
  const { unwritableReason, unreadableReason } = cache;
  const joined = (reason: string | undefined) =>
    reason === undefined ? undefined : `${reason} ${artifactsReason}`;
  return {
    ...cache,
    ...defined({
      unwritableReason: joined(unwritableReason),
      unreadableReason: joined(unreadableReason),
    }),
  };
}

function joinFailures(one: StoreFailure | undefined, other: StoreFailure | undefined): StoreFailure {
  const texts = [one?.message, other === undefined ? undefined : `artifacts: ${other.message}`];
  return { ...other, message: texts.filter((text) => text !== undefined).join('; ') };
}
