/** Errors that the tests inject into the cache service, per operation. */

export type CacheOperation = 'create' | 'upload' | 'finalize' | 'lookup' | 'download';

export interface Fault {
  /** Answers with this HTTP status. */
  readonly status?: number;
  /** The message in the answer; only with `status`. */
  readonly message?: string;
  /** Seconds in the header `Retry-After`; only with `status`. */
  readonly retryAfter?: number;
  /** Breaks the connection instead of answering. */
  readonly reset?: boolean;
  /** Waits first. Without another fault, the request is then served. */
  readonly delayMs?: number;
  /** `after`: the request takes effect, and only its answer is lost. */
  readonly moment?: 'before' | 'after';
  /** The number of affected requests; if absent, all until it is cleared. */
  readonly times?: number;
}

export interface Faults {
  add(operation: CacheOperation, fault: Fault): void;
  /** The fault for this request, if any. Faults of one operation apply in the order in which they were added. */
  take(operation: CacheOperation): Fault | undefined;
  clear(operation?: CacheOperation): void;
}

export function createFaults(): Faults {
  let planned: readonly { operation: CacheOperation; fault: Fault; left: number }[] = [];
  return {
    add(operation, fault) {
      planned = [...planned, { operation, fault, left: fault.times ?? Number.POSITIVE_INFINITY }];
    },
    take(operation) {
      const hit = planned.find((plan) => plan.operation === operation && plan.left > 0);
      if (hit) hit.left -= 1;
      return hit?.fault;
    },
    clear(operation) {
      planned = planned.filter((plan) => operation !== undefined && plan.operation !== operation);
    },
  };
}
