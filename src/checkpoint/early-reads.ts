/**
 * Starts to read the newest checkpoint before anybody asks for it, so that the answers arrive while other work is done.
 * Nothing that was read has an effect until `restore.ts` asks the returned store for it, and decides as ever.
 */
import { failureOf } from './ask-store.js';
import { attemptPrefixes, parseKey } from './checkpoint-key.js';
import type { CheckpointStore, StoreFailure } from './checkpoint-store.js';
import type { RestoreRequest } from './restore.js';
import { openBinding } from './seal.js';

export type EarlyRequest = Pick<RestoreRequest, 'store' | 'secrets' | 'expected' | 'jobAttempt' | 'isShared'>;

interface EarlyAnswer<T> {
  readonly value: T | undefined;
  readonly failure?: StoreFailure;
}

/** The store with the answers. Each is given once; later the store itself is asked. */
export function readEarly(request: EarlyRequest): CheckpointStore {
  const { store, expected, jobAttempt } = request;
  const prefixes = attemptPrefixes(expected, jobAttempt);
  const reads = new Map<string, Promise<EarlyAnswer<Buffer>>>();
  let newest: Promise<EarlyAnswer<string>> | undefined = ask(store, () => store.findNewest(prefixes));
  let failure: StoreFailure | undefined;
  void readNewest(request, newest, (key) => {
    const answer = ask(store, () => store.read(key));
    reads.set(key, answer);
    return answer;
  });

  async function take<T>(answer: Promise<EarlyAnswer<T>>): Promise<T | undefined> {
    const { value, failure: own } = await answer;
    failure = own;
    return value;
  }

  function askAgain<T>(question: () => Promise<T>): Promise<T> {
    failure = undefined;
    return question();
  }

  return {
    ...store,
    // A store may change its place during the run.
    get title() {
      return store.title;
    },
    findNewest(asked) {
      const answer = newest;
      if (answer === undefined || asked.join() !== prefixes.join())
        return askAgain(() => store.findNewest(asked));
      newest = undefined;
      return take(answer);
    },
    read(key) {
      const answer = reads.get(key);
      reads.delete(key);
      return answer === undefined ? askAgain(() => store.read(key)) : take(answer);
    },
    write: (key, sealed) => askAgain(() => store.write(key, sealed)),
    lastError: () => failure?.message ?? store.lastError?.(),
    lastFailure: () => failure ?? failureOf(store),
  };
}

/** Reads the newest entry, and all entries that it builds on if one of the secrets authenticates their list. */
async function readNewest(
  { secrets, jobAttempt, isShared }: EarlyRequest,
  newest: Promise<EarlyAnswer<string>>,
  read: (key: string) => Promise<EarlyAnswer<Buffer>>,
): Promise<void> {
  const { value: key } = await newest;
  const found = key === undefined ? undefined : parseKey(key);
  // A job that does not share its state uses none of its own job attempt.
  if (key === undefined || found === undefined || (found.jobAttempt >= jobAttempt && !isShared)) return;
  const { value: sealed } = await read(key);
  const chain = sealed === undefined ? undefined : openBinding(sealed, secrets)?.chain;
  for (const ref of chain ?? []) void read(ref.key);
}

/** A store does not reject. If it does, it is asked again when the answer is needed. */
async function ask<T>(
  store: CheckpointStore,
  question: () => Promise<T | undefined>,
): Promise<EarlyAnswer<T>> {
  try {
    const value = await question();
    const failure = value === undefined ? failureOf(store) : undefined;
    return failure === undefined ? { value } : { value, failure };
  } catch (error) {
    return { value: undefined, failure: { message: error instanceof Error ? error.message : String(error) } };
  }
}
