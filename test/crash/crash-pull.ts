/** The pull request of a scene: a GitHub on loopback, the runs about it, and what they published. */

import type { CacheService } from '../rig/cache-service.js';
import { type GitHubServer, startGitHub } from '../rig/github/server.js';
import type { StoredPull } from '../rig/github/state.js';
import { type CheckoutOptions, type JobOptions, pullRequestEvent } from '../rig/machine.js';
import type { Repository } from '../rig/repository.js';
import type { AgentCall } from '../rig/stand-in.js';

/** The run that is killed. Those before and after it are whole. */
export const [earlierRun, killedRun, laterRun] = ['1000', '1001', '1002'];

export interface CrashPull {
  readonly job: Pick<JobOptions, 'event' | 'apiUrl'>;
  readonly checkout: CheckoutOptions;
  /** What must be there once: commits of the action and comments. */
  published(): Promise<readonly string[]>;
  close(): void;
}

export async function openPull(repository: Repository, { shelf }: CacheService): Promise<CrashPull> {
  const github = await startGitHub({ git: repository, shelf });
  const { head, headRef } = await repository.pullRequest(7, { 'topic.txt': 'topic\n' });
  github.state.pulls.push(storedPull(headRef));
  addRuns(github, head);
  return {
    // A re-run is for the commit of the first job.
    job: { apiUrl: github.url, event: pullRequestEvent({ number: 7, head, headRef }) },
    checkout: { commit: head },
    async published() {
      const commits = await repository.git('log', '--format=%s', `${head}..${headRef}`);
      return [
        ...linesOf(commits).map((subject) => `commit: ${subject}`),
        ...github.state.comments.map(({ author }) => `comment by ${author.login}`),
      ];
    },
    close: github.close,
  };
}

function storedPull(headRef: string): StoredPull {
  return {
    number: 7,
    title: 'Change',
    body: '',
    author: { login: 'ada', type: 'User' },
    state: 'open',
    base: 'main',
    headRef,
    headRepository: 'octo/sample',
  };
}

/** As GitHub has them when they have ended. */
function addRuns({ state }: GitHubServer, headSha: string): void {
  for (const id of [earlierRun, killedRun, laterRun]) {
    state.runs.push({
      id: Number(id),
      name: 'Agents',
      path: '.github/workflows/agents.yml',
      status: 'completed',
      conclusion: 'failure',
      attempt: 1,
      createdAt: state.now(),
      updatedAt: state.now(),
      event: 'pull_request',
      headBranch: 'pull-7',
      headSha,
      headRepository: 'octo/sample',
      jobs: [],
    });
  }
}

/**
 * The calls of the killed run and of the later run, if the earlier run had one agent. `hasEntry`: the killed run had a
 * job whose `post` ended, so the later run must continue that one.
 */
export function brokenConversation(calls: readonly AgentCall[], hasEntry: boolean): readonly string[] {
  const [first, ...further] = calls;
  const wrong = further
    .filter(({ session }) => session.mode !== 'resume' || session.id !== first?.session.id)
    .map(({ session }) => `an agent got ${session.mode} ${session.id} instead of ${first?.session.id}`);
  const last = further.at(-1);
  const isKnown = last?.prompt.includes(`run ${killedRun}`) === true;
  return [...wrong, ...(isKnown || !hasEntry ? [] : [`the later run does not continue run ${killedRun}`])];
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}
