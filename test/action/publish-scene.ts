/** A pull request at a GitHub on loopback, and jobs about it. */
import { type GitHubServer, startGitHub } from '../rig/github/server.js';
import type { StoredPull } from '../rig/github/state.js';
import { pullRequestEvent } from '../rig/machine.js';
import type { PullRequest } from '../rig/repository.js';
import type { AgentRule } from '../rig/stand-in.js';
import { createHarness, type Harness, type HarnessOptions, type RunJobOptions } from './harness.js';

export interface PublishScene {
  readonly harness: Harness;
  readonly github: GitHubServer;
  readonly pull: PullRequest;
  /** The pull request at GitHub. */
  readonly stored: StoredPull;
  /** Runs a job for the present head of the pull request, with these inputs. Each call is a run of its own. */
  run(inputs: Readonly<Record<string, string>>, options?: RunJobOptions): ReturnType<Harness['runJob']>;
  /** Commits to the branch of the pull request. */
  push(files: Readonly<Record<string, string>>): Promise<string>;
}

export interface PublishSceneOptions extends HarnessOptions {
  /** The files that the pull request changes. */
  readonly changes: Readonly<Record<string, string>>;
}

export async function publishScene({ changes, ...options }: PublishSceneOptions): Promise<PublishScene> {
  const harness = await createHarness(options);
  const github = await startGitHub({ git: harness.repository });
  const pull = await harness.repository.pullRequest(7, changes);
  const stored: StoredPull = {
    number: 7,
    title: 'Change',
    body: '',
    author: { login: 'ada', type: 'User' },
    state: 'open',
    base: 'main',
    headRef: pull.headRef,
    headRepository: 'octo/sample',
  };
  github.state.pulls.push(stored);
  let runs = 0;
  return {
    harness,
    github,
    pull,
    stored,
    async run(inputs, more = {}) {
      runs += 1;
      const head = await harness.repository.git('rev-parse', `refs/heads/${pull.headRef}`);
      return harness.runJob({
        runId: String(2000 + runs),
        apiUrl: github.url,
        event: pullRequestEvent({ number: 7, head, headRef: pull.headRef }),
        checkout: { ref: `refs/heads/${pull.headRef}` },
        ...more,
        inputs: { 'github-token': 'ghs_token', ...inputs },
      });
    },
    push: (files) => harness.repository.commit(files, { branch: pull.headRef, message: 'Push' }),
  };
}

/** An agent that writes this verdict. */
export function verdict(value: object): AgentRule {
  return { do: [{ write: '.gump/out/validate.json', content: JSON.stringify(value) }] };
}
