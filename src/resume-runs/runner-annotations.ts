/**
 * The annotations that GitHub and the runner write about the end of a job. The API has no field for the cause, so the
 * texts decide. Pure.
 */

/**
 * `person`: somebody cancelled the run. `replaced`: the run was cancelled for a newer one of its concurrency group.
 * `matrix`: another job of the matrix failed (`fail-fast`). `time`: the job's time limit. `step-time`: that of one of its
 * steps. `lost`: its machine is gone.
 */
export type RunnerCause = 'person' | 'replaced' | 'matrix' | 'time' | 'step-time' | 'lost';

/**
 * As seen in public runs until October 2026. "The operation was canceled." is also there after each of them, and alone it
 * names no cause.
 */
const causes: readonly (readonly [RunnerCause, RegExp])[] = [
  // "The run was canceled by @octocat."
  ['person', /^The run was cancell?ed by /],
  // "Canceling since a higher priority waiting request for 'ci-main' exists"
  ['replaced', /^Cancell?ing since a higher priority waiting request for /],
  // 'The strategy configuration was canceled because "build.linux" failed'
  ['matrix', /^The strategy configuration was cancell?ed because /],
  // "The job has exceeded the maximum execution time of 6h0m0s", until 2025 "The job running on runner NAME has …"
  ['time', /^The job (?:running on runner .{1,200} )?has exceeded the maximum execution time of /],
  // "The action 'Run agents' has timed out after 30 minutes." (actions/runner, `StepsRunner.cs`)
  ['step-time', /^The (?:action|background step) '.{1,200}' has timed out after /],
  // "The runner has received a shutdown signal. This can happen when the runner service is stopped, or …"
  ['lost', /^The runner has received a shutdown signal\b/],
  // "The self-hosted runner: NAME lost communication with the server.", without the name since 2025
  ['lost', /^The (?:self-)?hosted runner(?:: .{1,200})? lost communication with the server\b/],
  // "The hosted runner encountered an error while running your job. (Error Type: Disconnect)."
  ['lost', /^The hosted runner encountered an error while running your job\b/],
  // "The job was not acquired by Runner of type hosted even after multiple attempts"
  ['lost', /^The job was not acquired by Runner of type /],
];

/** `undefined` if the message is none of these texts. */
export function runnerCauseOf(message: string): RunnerCause | undefined {
  const text = message.trim();
  return causes.find(([, pattern]) => pattern.test(text))?.[0];
}
