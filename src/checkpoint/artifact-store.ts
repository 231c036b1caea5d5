/**
 * Stores checkpoints as artifacts of the run, each under its key. Everybody who can read the repository can download
 * them, so nothing but sealed files may be written here.
 *
 * ARTIFACT1 What a later checkpoint of this job has replaced is deleted, except for the newest five and what they build
 *           on: a job may have 500 artifacts. What an earlier job attempt stored is left alone.
 * ARTIFACT2 A name that this job has stored is in the next list, or the service is asked again: its lists are late at
 *           times.
 */
import { ArtifactError, type RunArtifact, type RunArtifacts } from '../artifacts/run-artifacts.js';
import type { Clock } from '../system/clock.js';
import { compareKeys, parseKey } from './checkpoint-key.js';
import type { CheckpointStore, StoreFailure } from './checkpoint-store.js';
import { maxSealedBytes } from './new-file.js';
import { readBinding } from './seal.js';

export interface ArtifactStoreOptions {
  readonly artifacts: RunArtifacts;
  readonly clock: Clock;
  /** Why there are no artifacts, as a sentence. Absent if there are. */
  readonly unavailableReason?: string;
}

/** As long as the cache keeps what nobody uses. */
export const checkpointDays = 7;
const keptCheckpoints = 5;
const [maxLists, listPauseMs] = [4, 1000];

export const artifactsTitle = 'artifacts';

export function createArtifactStore(options: ArtifactStoreOptions): CheckpointStore {
  const { artifacts, clock, unavailableReason } = options;
  const written: WrittenArtifact[] = [];
  let listed: readonly RunArtifact[] = [];
  let lastFailure: StoreFailure | undefined;

  async function call<T>(work: () => Promise<T>, fallback: T): Promise<T> {
    if (unavailableReason !== undefined) return fallback;
    try {
      const result = await work();
      lastFailure = undefined;
      return result;
    } catch (error) {
      lastFailure = failureOfArtifacts(error);
      return fallback;
    }
  }

  async function list(): Promise<readonly RunArtifact[]> {
    for (let count = 1; ; count += 1) {
      listed = await artifacts.list();
      const names = new Set(listed.map(({ name }) => name));
      if (count === maxLists || written.every(({ key }) => names.has(key))) return listed;
      await clock.sleep(listPauseMs);
    }
  }

  async function read(key: string): Promise<Buffer | undefined> {
    const known = listed.some(({ name }) => name === key) ? listed : await list();
    // The first one under a name is meant, as in the cache, which has no second one.
    const [found] = known
      .filter(({ name }) => name === key)
      .sort((one, other) => one.createdAt - other.createdAt);
    return found && artifacts.download(found, maxSealedBytes);
  }

  async function write(key: string, sealed: Buffer): Promise<boolean> {
    await artifacts.upload(key, sealed, checkpointDays);
    written.push({ key, chain: (readBinding(sealed)?.chain ?? []).map((link) => link.key) });
    await removeReplaced(artifacts, written);
    return true;
  }

  return {
    title: artifactsTitle,
    ...(unavailableReason === undefined
      ? {}
      : { unwritableReason: unavailableReason, unreadableReason: unavailableReason }),
    findNewest: (prefixes) => call(async () => newestUnder(prefixes, await list()), undefined),
    read: (key) => call(() => read(key), undefined),
    write: (key, sealed) => call(() => write(key, sealed), false),
    lastError: () => lastFailure?.message,
    lastFailure: () => lastFailure,
  };
}

interface WrittenArtifact {
  readonly key: string;
  /** The keys that it builds on. */
  readonly chain: readonly string[];
}

/** The checkpoint is stored already, so an error does not matter: the next one tries again. */
async function removeReplaced(artifacts: RunArtifacts, written: WrittenArtifact[]): Promise<void> {
  const kept = written.slice(-keptCheckpoints);
  const needed = new Set(kept.flatMap(({ key, chain }) => [key, ...chain]));
  for (const { key } of written.filter((one) => !needed.has(one.key))) {
    const isRemoved = await artifacts.remove(key).then(
      () => true,
      () => false,
    );
    if (!isRemoved) return;
    written.splice(
      written.findIndex((one) => one.key === key),
      1,
    );
  }
}

/** The newest name under the first prefix that has one. Names that are no keys are older than those that are. */
export function newestUnder(
  prefixes: readonly string[],
  artifacts: readonly Pick<RunArtifact, 'name' | 'createdAt'>[],
): string | undefined {
  for (const prefix of prefixes) {
    const found = artifacts.filter(({ name }) => name.startsWith(prefix)).sort(compareArtifacts);
    if (found.length > 0) return found.at(-1)?.name;
  }
  return undefined;
}

type DatedName = Pick<RunArtifact, 'name' | 'createdAt'>;

function compareArtifacts(left: DatedName, right: DatedName): number {
  const [one, other] = [parseKey(left.name), parseKey(right.name)];
  if (one !== undefined && other !== undefined) return compareKeys(one, other);
  return Number(one !== undefined) - Number(other !== undefined) || left.createdAt - right.createdAt;
}

function failureOfArtifacts(error: unknown): StoreFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof ArtifactError)) return { message, isAnswer: true };
  switch (error.kind) {
    case 'taken':
      return { message, isTaken: true };
    case 'refused':
      return { message, isAnswer: true };
    case 'unanswered':
      return { message };
  }
}
