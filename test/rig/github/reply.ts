/** An answer of the GitHub server as a value. */

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is if it is text or bytes, else as JSON. Absent: no body. */
  readonly body?: unknown;
}

export function ok(body: unknown, status = 200): Answer {
  return { status, body };
}

export const noContent: Answer = { status: 204 };

/** An error as GitHub sends it. */
export function problem(status: number, message: string, more: object = {}): Answer {
  return { status, body: { message, documentation_url: 'https://docs.github.com/rest', ...more } };
}

export const notFound: Answer = problem(404, 'Not Found');

/** The answer of a job token without the permission. */
export const denied: Answer = problem(403, 'Resource not accessible by integration');
