/** Why something could not be published, and what to do: one sentence or two for people. Pure. */

import { type Failure, FailureError, UserError } from '../failure.js';
import { isRateLimit, messageOf, statusOf } from '../github/request-error.js';
import type { UncommittableFile } from '../workspace/change-commits.js';
import { GitError } from '../workspace/git.js';
import { listPaths } from '../workspace/list-paths.js';
import { isRequestError } from './github-error.js';

export interface PublishAttempt {
  readonly apply: 'commit' | 'push' | 'pull-request';
  /** What was tried, as the end of `GitHub did not …`: ``push to `main` ``. */
  readonly what: string;
  /** The permissions that it needs, for example `contents: write`. */
  readonly permissions: readonly string[];
  readonly apiUrl: string;
  /** The changed files below `.github/workflows`. */
  readonly workflowFiles: readonly string[];
}

/** The failure of the run. */
export function publishFailure(error: unknown, attempt: PublishAttempt): Failure {
  if (error instanceof FailureError) return error.failure;
  if (error instanceof UserError) return { kind: 'output', message: error.message };
  if (error instanceof GitError)
    return {
      kind: 'output',
      message: `The change could not be read or committed: git ${error.command} said "${withoutStop(error.stderr.trim().split('\n')[0] ?? '')}". Fix the cause, and re-run the failed jobs.`,
    };
  if (!isRequestError(error))
    return {
      kind: 'crash',
      message: `Internal error in gump-action: ${error instanceof Error ? error.message : String(error)}.`,
    };
  const status = statusOf(error);
  const said = messageOf(error).trim();
  const { what, apiUrl } = attempt;
  if (status === undefined || status >= 500)
    return {
      kind: 'overloaded',
      message: `GitHub (${apiUrl}) did not ${what}: ${status === undefined ? 'no answer' : `status ${status}`}. Re-run the failed jobs.`,
    };
  if (isRateLimit(error))
    return {
      kind: 'rate-limit',
      message: `GitHub did not ${what} because of a rate limit. Re-run the failed jobs in an hour.`,
    };
  return {
    kind: status === 401 || status === 403 ? 'auth' : 'output',
    message: refusal(status, said, attempt),
  };
}

function refusal(status: number, said: string, attempt: PublishAttempt): string {
  const { what, permissions, workflowFiles } = attempt;
  const start = `GitHub did not ${what}`;
  if (isAboutWorkflows(status, said, workflowFiles)) return workflowRefusal(start, workflowFiles);
  if (status === 401)
    return `${start}: the token of the input \`github-token\` is invalid or has expired. Remove the input to use the token of the job, and re-run the failed jobs.`;
  if (/not permitted to create or approve pull requests/i.test(said))
    return `${start}: GitHub Actions may not open pull requests here. Switch on Settings, Actions, General, "Allow GitHub Actions to create and approve pull requests", and re-run the failed jobs.`;
  if (/not accessible by/i.test(said) || status === 404)
    return `${start} (status ${status}: ${said || 'no reason'}): a permission is missing. ${permissionAdvice(permissions)}`;
  if (isTooLarge(status, said))
    return `${start}: a file or the whole change is too large for GitHub's API. Set \`apply: workspace\`, and push the change with git in a later step.`;
  if (isProtected(said))
    return `${start}: its rules forbid it (${withoutStop(said)}). ${rulesAdvice(attempt)}`;
  return `${start} (status ${status}: ${withoutStop(said) || 'no reason'}). Fix the cause, and re-run the failed jobs.`;
}

function rulesAdvice({ apply }: PublishAttempt): string {
  return apply === 'pull-request'
    ? 'Allow the app of the token to bypass the rules for branches `gump/**`, and re-run the failed jobs.'
    : 'Set `apply: pull-request`, or allow the app of the token to bypass the rules.';
}

/** The lines for the job. */
export function permissionAdvice(permissions: readonly string[]): string {
  const lines = permissions.map((one) => `\`${one}\``).join(' and ');
  return `Give the job \`permissions:\` with ${lines}, or a token with them as \`github-token\`.`;
}

/** GitHub hides what a token may not do behind 403 and 404 as soon as a workflow file is in a tree. */
function isAboutWorkflows(status: number, said: string, files: readonly string[]): boolean {
  return files.length > 0 && (/workflow/i.test(said) || status === 403 || status === 404);
}

function workflowRefusal(start: string, files: readonly string[]): string {
  return `${start}: the change contains workflow files (${listPaths(files)}), and the token may not change those. The token of a job never may. Use the token of a GitHub App with the permission \`workflows: write\` as \`github-token\`, or add the gate \`untouched: .github/workflows/**\`.`;
}

function isTooLarge(status: number, said: string): boolean {
  return status === 413 || /too large|too_large/i.test(said);
}

function isProtected(said: string): boolean {
  return /protected branch|rule violations?|pull request|status checks?|reference update failed|signed|cannot (?:create|update) ref/i.test(
    said,
  );
}

function withoutStop(text: string): string {
  return text.replace(/\.$/, '');
}

/** The same before anything was tried. */
export function workflowFailure(files: readonly string[]): FailureError {
  return new FailureError({ kind: 'auth', message: workflowRefusal('Nothing was published', files) });
}

/** Both sides changed the same lines. */
export function clashFailure(branch: string, files: readonly string[], hasMovedTwice: boolean): FailureError {
  const when = hasMovedTwice ? 'moved twice while the action pushed' : 'has other changes';
  return new FailureError({
    kind: 'output',
    message: `Branch \`${branch}\` ${when}, and these files cannot be merged: ${listPaths(files)}. Nothing was pushed. Start the workflow again on the new head of the branch, or apply the output \`patch\` by hand.`,
  });
}

/** The branch moved again and again, and nothing is known to clash. */
export function movedFailure(branch: string): FailureError {
  return new FailureError({
    kind: 'output',
    message: `Branch \`${branch}\` moved twice while the action pushed. Nothing was pushed. Re-run the failed jobs.`,
  });
}

/** The branch of a pull request or of the run no longer exists. */
export function missingBranchFailure(branch: string): FailureError {
  return new FailureError({
    kind: 'output',
    message: `Branch \`${branch}\` does not exist at GitHub any more. Nothing was pushed. Restore the branch and re-run the failed jobs, or apply the output \`patch\` by hand.`,
  });
}

/** Files that a commit by the action would damage. One sentence for each reason. */
export function refusedFailure(apply: string, refused: readonly UncommittableFile[]): FailureError {
  const texts = (['filter', 'submodule', 'name'] as const).flatMap((reason) => {
    const files = refused.filter((one) => one.reason === reason);
    return files.length === 0
      ? []
      : [`${refusalText(reason, files)}: ${listPaths(files.map(({ path }) => path))}.`];
  });
  return new FailureError({
    kind: 'output',
    message: `\`apply: ${apply}\` cannot publish the change. ${texts.join(' ')} Nothing was published. Set \`apply: workspace\`, and commit with git in a later step.`,
  });
}

function refusalText(reason: UncommittableFile['reason'], files: readonly UncommittableFile[]): string {
  if (reason === 'submodule') return 'It contains changes of submodules';
  if (reason === 'name') return 'Names of files are not UTF-8';
  const filters = [...new Set(files.map(({ filter }) => filter))];
  const names = filters.map((name) => (name === 'lfs' ? 'Git LFS' : `the filter \`${name}\``));
  return `These files are stored by ${names.join(' and ')}`;
}
