/** Faults that the tests put into the cache service, per operation. */

export type CacheOperation = 'create' | 'upload' | 'finalize' | 'lookup' | 'download';

export interface Fault {
  /** Answer with this HTTP status instead. */
  readonly status?: number;
  /** With `status`: the message in the answer. */
  readonly message?: string;
  /** Break the connection instead of answering. */
  readonly reset?: boolean;
  /** Wait first. Alone: the request is served after it. */
  readonly delayMs?: number;
  /** `after`: the request takes effect and only its answer is lost. */
  readonly moment?: 'before' | 'after';
  /** How many requests it hits; until cleared when absent. */
  readonly times?: number;
}

export interface Faults {
  add(operation: CacheOperation, fault: Fault): void;
  /** The fault that hits this request, if any; faults of one operation come in the order they were added. */
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
