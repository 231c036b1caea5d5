/** Runs tasks one after the other, in the order they were handed in. */

/** Returns a function that starts its task when all earlier ones have ended, whether or not they failed. */
export function createSerialQueue(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => undefined);
    return result;
  };
}
