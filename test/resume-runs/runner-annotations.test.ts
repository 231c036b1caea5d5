import { describe, expect, it } from 'vitest';
import { runnerCauseOf } from '../../src/resume-runs/runner-annotations.js';
import { cancelled, outOfTime, personCancelled, shutdown } from './sample-runs.js';

describe('annotations of GitHub and the runner', () => {
  it.each([
    [personCancelled, 'person'],
    ['The run was canceled by @dependabot[bot].', 'person'],
    ["Canceling since a higher priority waiting request for 'ci-main' exists", 'replaced'],
    ['Canceling since a higher priority waiting request for pages exists', 'replaced'],
    ['The strategy configuration was canceled because "build.arm64_arm_arm" failed', 'matrix'],
    [outOfTime, 'time'],
    [
      'The job running on runner GitHub Actions 2 has exceeded the maximum execution time of 360 minutes.',
      'time',
    ],
    ["The action 'Run agents' has timed out after 30 minutes.", 'step-time'],
    ["The background step 'agents' has timed out after 5 minutes.", 'step-time'],
    [shutdown, 'lost'],
    ['The hosted runner lost communication with the server. Anything in your workflow that …', 'lost'],
    ['The hosted runner: GitHub Actions 9 lost communication with the server. Anything …', 'lost'],
    ['The self-hosted runner lost communication with the server. Verify the machine is running …', 'lost'],
    ['The self-hosted runner: spot-7 lost communication with the server. Verify …', 'lost'],
    ['The hosted runner encountered an error while running your job. (Error Type: Disconnect).', 'lost'],
    ['The job was not acquired by Runner of type hosted even after multiple attempts', 'lost'],
  ])('%s → %s', (message, cause) => {
    expect(runnerCauseOf(message)).toBe(cause);
  });

  it.each([
    cancelled,
    'A task was canceled.',
    'Process completed with exit code 143.',
    'error: The runner has received a shutdown signal',
    'lost communication with the server',
  ])('%s names no cause', (message) => {
    expect(runnerCauseOf(message)).toBeUndefined();
  });
});
