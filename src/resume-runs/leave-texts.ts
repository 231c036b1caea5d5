/** Why runs are re-run, wait or are left alone, as sentences of the summary and the log. Pure. */
import type { Leave, LeaveReason, RerunRules } from './decide-rerun.js';
import type { RerunReason } from './job-end.js';

export const reasonTexts: Readonly<Record<RerunReason, string>> = {
  limit: 'usage limit',
  time: 'time limit',
  lost: 'lost machine',
};

const texts: Readonly<Record<LeaveReason, (job: string, rules: RerunRules) => string>> = {
  'in-progress': () => 'it is in progress',
  fork: () => 'it is of a pull request from a fork',
  'max-attempts': (_, { maxAttempts }) =>
    `it has had ${maxAttempts} job attempts, the limit of \`max-attempts\``,
  person: (job) => `somebody cancelled it (job \`${job}\`)`,
  replaced: (job) => `it was cancelled for a newer run of its concurrency group (job \`${job}\`)`,
  cancelled: (job) => `job \`${job}\` was cancelled, and GitHub does not say why`,
  own: (job) => `job \`${job}\` failed for a reason of its own`,
  'own-next-to': (job) =>
    `job \`${job}\` failed for a reason of its own, and GitHub would re-run it too. Fix it, or re-run the other jobs yourself`,
  reason: (job) => `the input \`reasons\` does not contain the reason of job \`${job}\``,
  'after-max-age': () => 'it will be older than `max-age` then. Raise `max-age`, or re-run it yourself',
  'after-30-days': () => 'it is older than 30 days, or will be then, and GitHub re-runs no such run',
  'no-progress': () => 'its last two job attempts made no progress. Read their logs, then re-run it yourself',
};

/** Without a full stop at the end. */
export function leaveText({ why, job = '' }: Leave, rules: RerunRules): string {
  return texts[why](job, rules);
}
