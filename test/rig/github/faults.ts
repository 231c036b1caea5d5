/** Errors that a test injects into the GitHub server. */
import type { Answer } from './reply.js';

export interface GitHubFault {
  /** Default: every method. */
  readonly method?: string;
  /** Part of the path, or a pattern for it. */
  readonly path: string | RegExp;
  /** Answers with this status, with a message as GitHub has for it. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Breaks the connection instead of answering. */
  readonly reset?: boolean;
  /** `after`: the request takes effect, and only its answer is lost. Default: `before`. */
  readonly moment?: 'before' | 'after';
  /** The number of affected requests. Default: all until it is cleared. */
  readonly times?: number;
  /** The number of matching requests that are served first. Default: 0. */
  readonly skip?: number;
}

export interface GitHubFaults {
  add(fault: GitHubFault): void;
  take(method: string, path: string): GitHubFault | undefined;
  clear(): void;
}

export function createGitHubFaults(): GitHubFaults {
  let planned: readonly { readonly fault: GitHubFault; left: number; skip: number }[] = [];
  return {
    add(fault) {
      planned = [...planned, { fault, left: fault.times ?? Number.POSITIVE_INFINITY, skip: fault.skip ?? 0 }];
    },
    take(method, path) {
      for (const plan of planned.filter(({ fault, left }) => left > 0 && matches(fault, method, path))) {
        if (plan.skip > 0) plan.skip -= 1;
        else {
          plan.left -= 1;
          return plan.fault;
        }
      }
      return undefined;
    },
    clear() {
      planned = [];
    },
  };
}

function matches(fault: GitHubFault, method: string, path: string): boolean {
  if (fault.method !== undefined && fault.method !== method) return false;
  return typeof fault.path === 'string' ? path.includes(fault.path) : fault.path.test(path);
}

const messages: Readonly<Record<number, string>> = {
  401: 'Bad credentials',
  403: 'Resource not accessible by integration',
  404: 'Not Found',
  409: 'Conflict',
  422: 'Validation Failed',
  429: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
  502: 'Bad Gateway',
};

export function answerOfFault({ status = 500, headers, body }: GitHubFault): Answer {
  const message = messages[status] ?? 'Server Error';
  return { status, ...(headers ? { headers } : {}), body: body ?? { message } };
}

/** A secondary rate limit as GitHub reports it: 403 with `Retry-After`. */
export function secondaryLimit(path: GitHubFault['path'], times = 1): GitHubFault {
  const message = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';
  return { path, times, status: 403, headers: { 'retry-after': '1' }, body: { message } };
}
