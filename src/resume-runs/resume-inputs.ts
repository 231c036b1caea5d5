/** The inputs of the action in `resume/`. Strict, as those of the main action: all errors are reported together. */
import { UserError, UserErrors } from '../failure.js';
import { type GetInput, openInputReader } from '../inputs/input-reader.js';
import { notAllowed, useOneOf } from '../inputs/quote.js';
import { readBoolean } from '../inputs/text-inputs.js';
import { readDuration } from '../workflow/duration.js';
import { rerunWindowMs } from './decide-rerun.js';
import { type RerunReason, rerunReasons } from './job-end.js';

export interface ResumeInputs {
  /** Lines of names, file names and paths. Empty: every workflow but the one that runs this action. */
  readonly workflows: readonly string[];
  readonly maxAgeMs: number;
  readonly maxAttempts: number;
  readonly reasons: readonly RerunReason[];
  readonly dryRun: boolean;
  readonly githubToken: string;
}

/** GitHub re-runs a run at most 50 times (changelog of 2026-04-10). */
const mostJobAttempts = 51;

/** Throws `UserErrors` with every error. */
export function readResumeInputs(get: GetInput): ResumeInputs {
  const { read, requireValid } = openInputReader(get);
  const inputs: ResumeInputs = {
    workflows: read('workflows', (text) => parts(text, /\n/), []),
    maxAgeMs: read('max-age', readMaxAge, 0),
    maxAttempts: read('max-attempts', readMaxAttempts, 0),
    reasons: read('reasons', readReasons, []),
    dryRun: read('dry-run', (text) => readBoolean('dry-run', text), false),
    githubToken: read('github-token', readToken, ''),
  };
  requireValid();
  return inputs;
}

/** In milliseconds. Days in addition to the durations of the language. */
function readMaxAge(text: string): number {
  const [, days = '0', rest = ''] = /^(?:(\d{1,3})d)?(.*)$/.exec(text === '' ? '3d' : text) ?? [];
  const ms = rest === '' ? 0 : readDuration(rest);
  const sum = ms === undefined ? 0 : Number(days) * 24 * 3_600_000 + ms;
  if (sum > 0 && sum <= rerunWindowMs) return sum;
  throw notAllowed('max-age', text, 'Give a duration of at most 30 days, such as `12h`, `3d` or `7d12h`.');
}

function readMaxAttempts(text: string): number {
  const count = /^\d{1,3}$/.test(text) ? Number(text) : text === '' ? 10 : 0;
  if (count >= 2 && count <= mostJobAttempts) return count;
  throw notAllowed(
    'max-attempts',
    text,
    `Give a number from 2 to ${mostJobAttempts}. GitHub re-runs a run at most 50 times.`,
  );
}

function readReasons(text: string): readonly RerunReason[] {
  const words = parts(text, /[\s,]/);
  const unknown = words.filter((word) => !rerunReasons.some((reason) => reason === word));
  if (unknown.length > 0)
    throw new UserErrors(unknown.map((word) => notAllowed('reasons', word, useOneOf(rerunReasons)).message));
  return words.length === 0 ? rerunReasons : rerunReasons.filter((reason) => words.includes(reason));
}

function readToken(text: string): string {
  if (text !== '') return text;
  throw new UserError('Input `github-token` is empty. Remove the input to use the token of the job.');
}

function parts(text: string, separator: RegExp): readonly string[] {
  return text
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
