/**
 * Runs the work with at most `maxConcurrent` items at once. The results are in the order of the items. After one
 * item was rejected no other one starts; the promise rejects when the started ones have ended.
 */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  maxConcurrent: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const errors: unknown[] = [];
  const waiting = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of waiting) {
      if (errors.length > 0) return;
      try {
        results[index] = await work(item);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(maxConcurrent, items.length)) }, worker));
  if (errors.length > 0) throw errors[0];
  return results;
}
