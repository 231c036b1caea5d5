/** Runs tasks one after the other, in the order of the calls. */
/** Returns a function that starts its task after all earlier tasks have ended, even if they failed. */
export function createSerialQueue(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => undefined);
    return result;
  };
}
