/** Where sealed checkpoints lie between jobs: the Actions cache, or a directory. Entries are immutable. */
export interface CheckpointStore {
  /** Tells the user where the state is, e.g. `the Actions cache`. */
  readonly title: string;
  /** Why nothing can be written or read here, in one sentence; absent where it can. Known without a request. */
  readonly unwritable?: string;
  readonly unreadable?: string;
  /**
   * The newest entry under the first of `prefixes` that has one; each prefix ends with the delimiter `-`.
   * `undefined`: none, or the service did not answer (the two cannot be told apart with the Actions cache).
   */
  newest(prefixes: readonly string[]): Promise<string | undefined>;
  /** The sealed file stored under exactly this key; `undefined` when it cannot be had. */
  read(key: string): Promise<Buffer | undefined>;
  /** Stores it. `false`: the service refused or failed. Never throws for what the service does. */
  write(key: string, sealed: Buffer): Promise<boolean>;
}
