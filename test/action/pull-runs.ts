/** Runs of one workflow on pull requests, each with its own run id, on a new machine. */
import { type GitHubServer, startGitHub } from '../rig/github/server.js';
import type { StepResult } from '../rig/machine.js';
import { pullRequestEvent } from '../rig/machine.js';
import type { AgentRule } from '../rig/stand-in.js';
import type { Harness, RunJobOptions } from './harness.js';

/** Credentials of the CLIs that the harness does not set. */
export const otherCredentials = {
  GEMINI_API_KEY: 'AIza-CANARY-0123456789abcdefghij',
  CURSOR_API_KEY: 'key_CANARY-0123456789abcdefghij',
};

/** A workflow with one step that continues its own session. */
export function reviewAgain(agent: string, prompt = 'Review.', more = ''): string {
  return `name: flow
steps:
  - name: review
    type: validate
    agent: ${agent}
    session: from: review of previous run
    prompt: ${JSON.stringify(prompt)}
${more}`;
}

/** The verdict of the reviewer. */
export function verdict(comments: string, pass = true): readonly AgentRule[] {
  const content = JSON.stringify({ pass, comments });
  return [{ do: [{ write: '.gump/out/validate.json', content }] }];
}

export interface PullRuns {
  readonly github: GitHubServer;
  /** Somebody pushes a file to the pull request, and the workflow runs. */
  push(number: number, runId: string, options?: RunJobOptions): Promise<StepResult>;
  /** The workflow runs for the head of the pull request. */
  run(number: number, runId: string, options?: RunJobOptions): Promise<StepResult>;
}

export async function pullRuns(harness: Harness): Promise<PullRuns> {
  const github = await startGitHub({ git: harness.repository, shelf: harness.cache.shelf });
  const opened = new Set<number>();
  const runs: PullRuns = {
    github,
    async push(number, runId, options) {
      const files = { [`src/${runId}.ts`]: `// pushed before ${runId}\n` };
      if (opened.has(number)) await harness.repository.commit(files, { branch: `pull-${number}` });
      else await harness.repository.pullRequest(number, files);
      opened.add(number);
      return runs.run(number, runId, options);
    },
    async run(number, runId, options = {}) {
      const headRef = `pull-${number}`;
      const head = await harness.repository.git('rev-parse', `refs/heads/${headRef}`);
      return harness.runJob({
        runId,
        apiUrl: github.url,
        event: pullRequestEvent({ number, head, headRef }),
        checkout: { ref: `refs/heads/${headRef}` },
        env: otherCredentials,
        ...options,
      });
    },
  };
  return runs;
}
