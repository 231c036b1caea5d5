/** Reads that are made at most once. */

/** Keeps the first answer. After an error, the next call tries again. */
export function once<T>(read: () => Promise<T> | T): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= (async () => read())().catch((error: unknown) => {
      answer = undefined;
      throw error;
    });
    return answer;
  };
}

/** The same for each key. */
export function onceForEach<Key, T>(read: (key: Key) => Promise<T>): (key: Key) => Promise<T> {
  const reads = new Map<Key, () => Promise<T>>();
  return (key) => {
    const one = reads.get(key) ?? once(() => read(key));
    reads.set(key, one);
    return one();
  };
}
