/** What a failed request to GitHub says. Pure. */

/** The HTTP status of a failed request. `undefined` if there was no answer. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('status' in error)) return undefined;
  // The client reports a failed connection as status 500, with the real reason as its cause.
  if ('cause' in error && error.cause !== undefined) return undefined;
  return typeof error.status === 'number' ? error.status : undefined;
}

/** Whether the token may send no more requests for some time. GitHub answers 403 or 429 then. */
export function isRateLimit(error: unknown): boolean {
  const status = statusOf(error);
  if (status === 429) return true;
  const headers = headersOf(error);
  return (
    status === 403 &&
    (headers['x-ratelimit-remaining'] === '0' ||
      headers['retry-after'] !== undefined ||
      /rate limit/i.test(messageOf(error) || (error instanceof Error ? error.message : '')))
  );
}

/** GitHub's own words, with those about single fields. Empty if it sent none. */
export function messageOf(error: unknown): string {
  const data = dataOf(error);
  const errors = Array.isArray(data?.errors) ? data.errors : [];
  const more = errors.map((one) => (typeof one === 'string' ? one : (one?.message ?? '')));
  return [data?.message ?? '', ...more].filter((text) => text !== '').join(' ');
}

/** Of the answer, with lower-case names. Empty if there was none. */
export function headersOf(error: unknown): Readonly<Record<string, string | undefined>> {
  return responseOf(error)?.headers ?? {};
}

interface ErrorResponse {
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly data?: unknown;
}

function responseOf(error: unknown): ErrorResponse | undefined {
  if (typeof error !== 'object' || error === null || !('response' in error)) return undefined;
  return error.response as ErrorResponse | undefined;
}

interface ErrorData {
  readonly message?: string;
  readonly errors?: readonly (string | { readonly message?: string } | null)[];
}

function dataOf(error: unknown): ErrorData | undefined {
  const data = responseOf(error)?.data;
  return typeof data === 'object' && data !== null ? (data as ErrorData) : undefined;
}
