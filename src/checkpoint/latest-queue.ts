/** Processes one item at a time. Of the items that wait, only the newest is kept. */

export interface LatestQueue<T> {
  /** Resolves when the item, or a newer one that replaced it, has been processed. */
  push(item: T): Promise<void>;
  /** Whether no item is running or waiting. */
  isIdle(): boolean;
  /** Resolves when no item is running or waiting. */
  idle(): Promise<void>;
}

interface Waiting<T> {
  readonly item: T;
  readonly done: Promise<void>;
  finish(): void;
}

/** `work` must not reject. */
export function createLatestQueue<T>(work: (item: T) => Promise<void>): LatestQueue<T> {
  let waiting: Waiting<T> | undefined;
  let running: Promise<void> | undefined;

  async function drain(): Promise<void> {
    for (let next = waiting; next !== undefined; next = waiting) {
      waiting = undefined;
      await work(next.item);
      next.finish();
    }
    running = undefined;
  }

  return {
    push: (item) => {
      waiting = waiting === undefined ? newWaiting(item) : { ...waiting, item };
      const { done } = waiting;
      running ??= drain();
      return done;
    },
    isIdle: () => running === undefined,
    idle: async () => running,
  };
}

function newWaiting<T>(item: T): Waiting<T> {
  let finish = (): void => {};
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return { item, done, finish };
}
