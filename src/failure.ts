/**
 * Errors as values. A `Failure` is an expected bad outcome of an attempt and is stored in the journal. A
 * `UserError` is a problem that only the user can fix; it is reported once, before anything runs.
 */

/** Every failed attempt has exactly one of these. docs/troubleshooting.md explains them to users. */
export const failureKinds = [
  'gate',
  'validate',
  'output',
  'guard',
  'budget',
  'auth',
  'rate-limit',
  'overloaded',
  'context',
  'session-lost',
  'timeout',
  'cancelled',
  'protocol',
  'crash',
] as const;

export type FailureKind = (typeof failureKinds)[number];

export interface Failure {
  readonly kind: FailureKind;
  /** One or a few sentences for people. Contains no secret, unless the CLI printed it itself. */
  readonly message: string;
  /** Milliseconds to wait, if the service names a time. */
  readonly retryAfterMs?: number;
  /** When the service accepts requests again, in milliseconds since 1970. Absent unless the service names that time. */
  readonly acceptsAgainAt?: number;
  /**
   * The attempt was interrupted because its wait is too long for this job. A re-run after this time continues it, in
   * milliseconds since 1970.
   */
  readonly resumeAt?: number;
  /** No further attempt may follow in this job, even if the kind would allow one. */
  readonly isFinal?: boolean;
  /** What prompts say instead of `message`, if that is about money or about what people can do. */
  readonly forAgent?: string;
  /** A re-run uses the same commit and fails for the same reason. */
  readonly isSameInRerun?: boolean;
}

/** What prompts say about an attempt that a limit on the cost stopped. */
export const stoppedText = 'it was stopped before it had finished';

/** The reason of a failure for an agent. A budget is no matter of agents; older journals only have its message. */
export function textForAgent({ kind, message, forAgent }: Failure): string {
  return forAgent ?? (kind === 'budget' ? stoppedText : message);
}

/** The failure of something that another failure caused, with what failed in front of the reason. */
export function withCause(what: string, failure: Failure): Failure {
  const forAgent = failure.forAgent === undefined ? {} : { forAgent: `${what}: ${failure.forAgent}` };
  return { ...failure, message: `${what}: ${failure.message}`, ...forAgent };
}

/** Where, what happened, and what to do: shown to the user without changes. The action then ends with exit code 1. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** Stops what runs outside of an attempt with the failure that an attempt would have. */
export class FailureError extends UserError {
  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

/** The problems that the user must fix, one message each. Throws every other error again. */
export function problemsOf(error: unknown): readonly string[] {
  if (error instanceof UserErrors) return error.problems;
  if (error instanceof UserError) return [error.message];
  throw error;
}

/** Several problems that were found in one pass and are reported together. */
export class UserErrors extends UserError {
  /** `reported`: problems that the log has already, each at its place in a file. */
  constructor(
    readonly problems: readonly string[],
    readonly reported: readonly string[] = [],
  ) {
    super([...reported, ...problems].join('\n'));
  }
}
