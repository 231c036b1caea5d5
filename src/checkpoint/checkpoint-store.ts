/** Stores sealed checkpoints between jobs: in the Actions cache or in a directory. Entries are immutable. */
export interface CheckpointStore {
  /** The name of the store in messages, for example `the Actions cache`. */
  readonly title: string;
  /** Why the store cannot be written or read, in one sentence. Absent if it can. Known without a request. */
  readonly unwritableReason?: string;
  readonly unreadableReason?: string;
  /**
   * The key of the newest entry under the first of `prefixes` that has one. A prefix ends with the delimiter `-`,
   * except the one for any job attempt (`checkpoint-key.ts`). `undefined` if there is none or the service did not
   * answer; in the second case `lastError` returns the reason, if the service gave one.
   */
  findNewest(prefixes: readonly string[]): Promise<string | undefined>;
  /** The sealed file stored under exactly this key. `undefined` if it is unavailable. */
  read(key: string): Promise<Buffer | undefined>;
  /** Stores an entry and never overwrites one. `false` if the service refused or failed; does not throw for that. */
  write(key: string, sealed: Buffer): Promise<boolean>;
  /** The error of the last call, for messages only. `undefined` if it succeeded. */
  lastError?(): string | undefined;
  /** What the error of the last call means. If a store has no such function, every error is a missing answer. */
  lastFailure?(): StoreFailure | undefined;
}

export interface StoreFailure {
  readonly message: string;
  /** The store did answer: an entry is damaged, or may not be read. */
  readonly isAnswer?: true;
  /** A write was refused because an entry with this key exists, or because an upload to this key was begun. */
  readonly isTaken?: true;
  /** The wait that the store requests. Infinite if asking again does not help. */
  readonly retryAfterMs?: number;
}
