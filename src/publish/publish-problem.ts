/** Why something could not be published, and what to do: one sentence or two for a warning. Pure. */
import { isRateLimit, messageOf, statusOf } from '../github/request-error.js';

export interface PostAttempt {
  /** `The comment`, `The review`. */
  readonly what: string;
  /** The pull request or the issue. */
  readonly number: number;
  /** What the token needs, for example `pull-requests: write`. */
  readonly permission: string;
}

/** The token may not do it, as that of a pull request of a fork. */
export function isDenied(error: unknown): boolean {
  const status = statusOf(error);
  if (status === 401) return true;
  if (status === 403) return !isRateLimit(error) && !/locked|archived/i.test(messageOf(error));
  return graphqlTypes(error).some((type) => type === 'FORBIDDEN' || type === 'INSUFFICIENT_SCOPES');
}

export function publishProblem({ what, number, permission }: PostAttempt, error: unknown): string {
  return `${what} could not be posted on #${number}: ${reasonOf(error, permission)} The status of the run does not change.`;
}

function reasonOf(error: unknown, permission: string): string {
  const status = statusOf(error);
  const text = textOf(error).replace(/[.\s]*$/, '');
  if (isDenied(error))
    return `\`github-token\` may not do it (${text}). Give the job \`permissions:\` with \`${permission}\`.`;
  if (/locked/i.test(text)) return 'the conversation is locked. Unlock it.';
  if (/archived/i.test(text)) return 'the repository is archived.';
  if (isRateLimit(error)) return 'GitHub limits the requests of this token for now. Re-run the job later.';
  if (status === 404)
    return `GitHub does not find it, or \`github-token\` may not see it. It needs \`${permission}\`.`;
  if (status === 410) return 'issues are disabled in this repository.';
  if (status !== undefined && status < 500) return `GitHub refused it (status ${status}: ${text}).`;
  return `GitHub did not accept it (${status === undefined ? text : `status ${status}`}). Re-run the job.`;
}

/** GitHub's own words, otherwise those of the client. */
function textOf(error: unknown): string {
  return messageOf(error) || (error instanceof Error ? error.message : String(error));
}

function graphqlTypes(error: unknown): readonly unknown[] {
  const errors = typeof error === 'object' && error !== null && 'errors' in error ? error.errors : undefined;
  if (!Array.isArray(errors)) return [];
  return errors.map((one: unknown) =>
    typeof one === 'object' && one !== null && 'type' in one ? one.type : '',
  );
}
