/** Where sealed checkpoints lie between jobs: the Actions cache, or a directory. Entries are immutable. */
export interface CheckpointStore {
  /** Tells the user where the state is, e.g. `the Actions cache`. */
  readonly title: string;
  /** Why nothing can be written or read here, in one sentence; absent where it can. Known without a request. */
  readonly unwritableReason?: string;
  readonly unreadableReason?: string;
  /**
   * The newest entry under the first of `prefixes` that has one. A prefix ends with the delimiter `-`, but
   * for the one that asks for any job attempt (`key.ts`). `undefined`: none, or the service did not answer;
   * then `trouble` tells the two apart where the service said something.
   */
  findNewest(prefixes: readonly string[]): Promise<string | undefined>;
  /** The sealed file stored under exactly this key; `undefined` when it cannot be had. */
  read(key: string): Promise<Buffer | undefined>;
  /** Stores it; never over an entry that is there. `false`: the service refused or failed. Never throws for that. */
  write(key: string, sealed: Buffer): Promise<boolean>;
  /** What the service said when the last call went wrong, for messages only; `undefined` when nothing did. */
  lastError?(): string | undefined;
}
