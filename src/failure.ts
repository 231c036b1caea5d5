/**
 * What can go wrong, as values. A `Failure` is an expected bad outcome of an attempt and is stored in
 * the journal; a `UserError` is something only the user can mend, told once, before anything runs.
 */

/** Every failed attempt has exactly one of these (contract 5.8). */
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
  /** One or a few sentences for people; never holds a secret that the CLI did not print itself. */
  readonly message: string;
  /** Milliseconds the service asked to wait, where it said so. */
  readonly retryAfterMs?: number;
  /** Another attempt must not be made in this job, whatever the kind allows. */
  readonly isFinal?: boolean;
}

/** What is wrong, where, and what to do: shown to the user as it stands; the action ends with exit code 1. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** What a user has to mend, a sentence each; throws again what is no user's fault. */
export function problemsOf(error: unknown): readonly string[] {
  if (error instanceof UserErrors) return error.problems;
  if (error instanceof UserError) return [error.message];
  throw error;
}

/** Several faults that were found in one pass and are told together. */
export class UserErrors extends UserError {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
  }
}
