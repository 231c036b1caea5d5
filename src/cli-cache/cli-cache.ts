/** Installed CLIs in the Actions cache: finds, opens and stores them. */
import { askStore } from '../checkpoint/ask-store.js';
import type { CheckpointStore } from '../checkpoint/checkpoint-store.js';
import { endsWithin } from '../checkpoint/ends-within.js';
import type { SealSecret } from '../checkpoint/seal-secrets.js';
import type { Clock } from '../system/clock.js';
import { type CliFacts, namePrefix, nextName } from './cli-entry-name.js';
import { hashed, readCli } from './read-cli.js';
import { openCli, sealCli } from './sealed-cli.js';
import { writeCli } from './write-cli.js';

export interface CliCacheOptions {
  readonly store: CheckpointStore;
  /** There must be at least one. The first one is part of the name of what is stored. */
  readonly secrets: readonly SealSecret[];
  readonly repositoryId: string;
  readonly clock: Clock;
}

export type FoundCli =
  | { readonly status: 'found'; readonly name: string; unpack(folder: string): Promise<void> }
  /** `reason`: why the entry is not used, as the end of a sentence. */
  | { readonly status: 'refused'; readonly name: string; readonly reason: string }
  | { readonly status: 'none' }
  /** The service did not answer. */
  | { readonly status: 'unanswered' };

/** Installing from npm takes 5 to 30 s, so waiting longer does not pay. In milliseconds. */
const maxLookUpMs = 5000;
const maxReadMs = 60_000;

/** Searches with each secret, because any of them may have named the entry. */
export async function findCli(options: CliCacheOptions, facts: CliFacts): Promise<FoundCli> {
  const { store, secrets, repositoryId, clock } = options;
  const prefixes = await Promise.all(secrets.map((secret) => namePrefix(facts, secret, repositoryId)));
  // Asked once: a service that fails now would delay the run.
  const patience = { clock, until: clock.now(), maxAnswerMs: maxLookUpMs };
  const newest = await askStore(store, () => store.findNewest(prefixes), patience);
  if (newest.status === 'unanswered') return { status: 'unanswered' };
  if (newest.value === undefined) return { status: 'none' };
  return readEntry(options, newest.value);
}

async function readEntry(options: CliCacheOptions, name: string): Promise<FoundCli> {
  const { store, secrets, repositoryId, clock } = options;
  const reading = store.read(name);
  if (!(await endsWithin(reading, maxReadMs, clock))) return { status: 'unanswered' };
  const sealed = await reading;
  if (sealed === undefined) return { status: 'refused', name, reason: 'it cannot be read' };
  const opened = await openCli(sealed, { name, repositoryId }, secrets);
  if (opened.status === 'refused') return { ...opened, name };
  return { status: 'found', name, unpack: (folder) => writeCli(folder, opened.stream) };
}

/** The name for an entry that this job stores. `unusable`: the entry that could not be used. */
export async function nameToStore(
  { secrets, repositoryId }: CliCacheOptions,
  facts: CliFacts,
  unusable: string | undefined,
): Promise<string | undefined> {
  const [first] = secrets;
  return first && nextName(await namePrefix(facts, first, repositoryId), unusable);
}

export type StoreCliResult =
  | { readonly status: 'stored'; readonly bytes: number }
  /** Somebody else did, or the service refused. */
  | { readonly status: 'not-stored' }
  /** The files are not those of `hash` any more. */
  | { readonly status: 'changed' };

/** Stores the CLI in `folder` if `hash` is still that of its files (`hashCli`). */
export async function storeCli(
  { store, secrets, repositoryId }: CliCacheOptions,
  { name, folder, hash }: { readonly name: string; readonly folder: string; readonly hash: string },
): Promise<StoreCliResult> {
  // Packing takes seconds, and often another job of the run was first.
  if ((await store.findNewest([name])) !== undefined) return { status: 'not-stored' };
  const stream = hashed(readCli(folder));
  const sealed = await sealCli(stream.pieces, { name, repositoryId }, secrets);
  if (stream.hash() !== hash) return { status: 'changed' };
  const isStored = await store.write(name, sealed);
  return isStored ? { status: 'stored', bytes: sealed.length } : { status: 'not-stored' };
}
