/** Errors that the tests inject into the cache and artifact services, per operation. */
import type { ArtifactOperation } from '../artifacts/artifact-calls.js';

export type CacheOperation = 'create' | 'upload' | 'finalize' | 'lookup' | 'download';

export type ServiceOperation = CacheOperation | ArtifactOperation;

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
  add(operation: ServiceOperation, fault: Fault): void;
  /** The fault for this request, if any. Faults of one operation apply in the order in which they were added. */
  take(operation: ServiceOperation): Fault | undefined;
  clear(operation?: ServiceOperation): void;
}

export function createFaults(): Faults {
  let planned: readonly { operation: ServiceOperation; fault: Fault; left: number }[] = [];
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
