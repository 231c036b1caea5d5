/**
 * Stores checkpoints in the Actions cache with the `@actions/cache` client (6.3.0). The client hides nearly every
 * failure: for any error a save returns -1 and a look-up `undefined`, so only its output contains the reason.
 * `cache-client.ts` must have prepared the process.
 */
import { realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { captureOutput } from '../system/captured-output.js';
import { type CacheAvailability, cacheAvailability } from './cache-availability.js';
import { type CacheTools, type cachedCliName, cachedName } from './cache-client.js';
import { maxKeysPerRequest } from './checkpoint-key.js';
import type { CheckpointStore, StoreFailure } from './checkpoint-store.js';
import { maxSealedBytes, readStoredFile } from './new-file.js';

export interface CacheStoreOptions {
  /** The directory passed to `prepareCacheClient`. */
  readonly directory: string;
  /** From `prepareCacheClient`. */
  readonly tools: CacheTools;
  /** The name under which the client packs the entries. Default: that of a checkpoint. */
  readonly name?: typeof cachedName | typeof cachedCliName;
  /** The job's environment as the runner set it. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

type Client = typeof import('@actions/cache');

export function createCacheStore({
  directory,
  env,
  tools,
  name = cachedName,
}: CacheStoreOptions): CheckpointStore {
  const availability = { ...missingTools(tools), ...cacheAvailability(env) };
  const isShown = env.RUNNER_DEBUG === '1';
  const file = join(directory, name);
  const runSerially = createSerialExecutor();
  let lastFailure: StoreFailure | undefined;

  async function call<T>(request: (client: Client) => Promise<T>): Promise<ClientAnswer<T>> {
    const { value, output } = await captureOutput(() => callClient(request, tools), isShown);
    lastFailure = failureOf(value.error ?? errorFrom(output), output);
    return { result: value.result, output };
  }

  async function lookUp(prefixes: readonly string[]): Promise<string | undefined> {
    for (let start = 0; start < prefixes.length; start += maxKeysPerRequest) {
      const [first = '', ...others] = prefixes.slice(start, start + maxKeysPerRequest);
      const { result: found } = await call((client) =>
        client.restoreCache([name], first, others, { lookupOnly: true }),
      );
      if (found !== undefined || lastFailure !== undefined) return found;
    }
    return undefined;
  }

  async function read(key: string): Promise<Buffer | undefined> {
    const { result: matched, output } = await call((client) => client.restoreCache([name], key));
    const folder = unpackFolder(output);
    // A key in the output may contain anything, and the folder is removed below.
    if (folder === undefined || dirname(folder) !== join(await realpath(directory), 'temp')) return undefined;
    // The client matches keys by prefix, and may report a hit although it unpacked no file.
    const sealed = matched === key ? await readStoredFile(join(folder, name), maxSealedBytes) : undefined;
    await remove(folder);
    return sealed;
  }

  async function write(key: string, sealed: Buffer): Promise<boolean> {
    const { result: id } = await call(async (client) => {
      await remove(file);
      await writeFile(file, sealed, { flag: 'wx', mode: 0o600 });
      return client.saveCache([name], key);
    });
    const failure = lastFailure;
    await remove(file);
    // A look-up may have ended in between.
    lastFailure = failure;
    return id !== undefined && id >= 0;
  }

  return {
    title: 'the Actions cache',
    ...availability,
    findNewest: async (prefixes) => (availability.unreadableReason ? undefined : lookUp(prefixes)),
    read: async (key) => (availability.unreadableReason ? undefined : read(key)),
    write: async (key, sealed) => !availability.unwritableReason && runSerially(() => write(key, sealed)),
    lastError: () => lastFailure?.message,
    lastFailure: () => lastFailure,
  };
}

function missingTools({ missing }: CacheTools): CacheAvailability {
  if (missing.length === 0) return {};
  const names = missing.map((name) => `\`${name}\``).join(' and ');
  const reason = `The Actions cache is unavailable: ${names} not found on PATH. Add what is missing to the image of the job.`;
  return { unwritableReason: reason, unreadableReason: reason };
}

type SerialExecutor = <T>(work: () => Promise<T>) => Promise<T>;

/** Runs work one after the other, because all saves of a store use the same file. */
function createSerialExecutor(): SerialExecutor {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work, work);
    last = result.catch(() => undefined);
    return result;
  };
}

/**
 * The folder of one call, into which `tar` unpacked (`cache-client.ts`). Only the debug output of the client names it.
 * `undefined` if nothing was downloaded.
 */
function unpackFolder(output: string): string | undefined {
  const archive = /^::debug::Archive path: (.+?)\r?$/im.exec(output)?.[1];
  return archive === undefined ? undefined : dirname(archive.replaceAll('%25', '%'));
}

/** An error does not matter here: a later write fails if the file still exists, because it never overwrites. */
async function remove(file: string): Promise<void> {
  await rm(file, { force: true, recursive: true }).catch(() => undefined);
}

interface ClientAnswer<T> {
  readonly result: T | undefined;
  readonly output: string;
}

interface ClientResult<T> {
  readonly result?: T;
  readonly error?: string;
}

async function callClient<T>(
  request: (client: Client) => Promise<T>,
  tools: CacheTools,
): Promise<ClientResult<T>> {
  try {
    tools.renew();
    // Imported on first use, because it takes 40 ms to evaluate. Eager mode keeps it in ncc's single bundle.
    const client = await import(/* webpackMode: "eager" */ '@actions/cache');
    return { result: await request(client) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** What the client prints if the service may not be read, and if an entry cannot be unpacked (6.3.0). */
const finalMessages = /cache read denied|(?:tar|sh)\b.* failed with (?:error|exit code)/i;

/**
 * How the service refuses a key that exists. The client hides it like any other failure: `saveCache` returns -1, and
 * its warning is the same for 409, 429 and a broken connection. Its debug line has the answer of the call that begins
 * an upload: the status (github.com), or the text alone (version 1 of the protocol). A 409 of another call is not meant.
 */
const takenMessages = /^Failed to CreateCacheEntry: .*\(409\)|^cache (?:entry .*)?already exists/i;

function failureOf(message: string | undefined, output: string): StoreFailure | undefined {
  if (message === undefined) return undefined;
  if (takenMessages.test(message)) return { message, isTaken: true };
  if (finalMessages.test(message)) return { message, isAnswer: true };
  // The client passes on the header only in a warning, and does not wait.
  const seconds = /your rate limit will reset in (\d+) seconds/.exec(output)?.[1];
  return { message, ...(seconds === undefined ? {} : { retryAfterMs: Number(seconds) * 1000 }) };
}

/**
 * Why a call failed, based on the output of the client. Its warning is "another job may be creating this cache" for
 * every refusal (409, 429, network); the debug line before it has the real reason.
 */
function errorFrom(output: string): string | undefined {
  const lines = output.split('\n').map((line) => line.trim());
  const reason = lines.map((line) => /^::debug::Failed to reserve cache: (?:Error: )?(.+)$/.exec(line)?.[1]);
  const messages = lines.map(
    (line) =>
      /^(?:::(?:warning|error)::)(?:Failed to (?:save|restore): )?(.+)$/.exec(line)?.[1] ??
      // Version 1 of the protocol, in which a refused key is no warning.
      /^Failed to save: .* More details: (.+)$/.exec(line)?.[1],
  );
  const text =
    reason.find((match) => match !== undefined) ?? messages.findLast((match) => match !== undefined);
  const decoded = text?.replaceAll('%0D', '').replaceAll('%0A', ' ').replaceAll('%25', '%');
  // Remove advice of the client that is long and rarely applies.
  return decoded?.replace(/ If you are using self-hosted runners, .*$/, '');
}
