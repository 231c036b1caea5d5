/** Whether the files of a run are those of a commit of this repository. */
import { describe, expect, it } from 'vitest';
import { originOfTree } from '../../src/action/tree-origin.js';
import { startGitHub } from '../rig/github/server.js';
import { createHarness } from './harness.js';

const repository = 'octo/sample';
const head = 'a'.repeat(40);

interface Case {
  readonly eventName: string;
  readonly payload?: unknown;
  readonly actor?: string;
  readonly sha?: string;
  readonly startCommit?: string;
  readonly allowUntrustedCheckout?: boolean;
  readonly apiUrl?: string;
  /** The event's commit is an ancestor of the start commit in the checkout. */
  readonly isDescendant?: boolean;
  /** The commits whose files are those of the checkout. */
  readonly sameFiles?: readonly string[];
}

function originIn({
  eventName,
  payload = {},
  actor = 'octocat',
  sha = head,
  startCommit = sha,
  ...rest
}: Case) {
  const { allowUntrustedCheckout = false, apiUrl = 'http://127.0.0.1:9', sameFiles = [] } = rest;
  const job = { eventName, payload: () => payload, actor, triggeringActor: actor, repository, sha, apiUrl };
  const actionContext = { job, inputs: { allowUntrustedCheckout, githubToken: 'x'.repeat(20) } };
  const startDifferences = async (commit: string) => (sameFiles.includes(commit) ? [] : ['a.ts']);
  const compare = async (base: string) => ({ mergeBase: rest.isDescendant ? base : 'other', files: [] });
  return originOfTree(actionContext as never, { startCommit, startDifferences, compare });
}

const pullOf = (full_name: string) => ({
  pull_request: { number: 7, head: { sha: head, repo: { full_name } } },
});

describe('the files of a run', () => {
  it('are those of this repository for a push and for its own pull requests', async () => {
    expect(await originIn({ eventName: 'push' })).toBe('repository');
    expect(
      await originIn({
        eventName: 'pull_request',
        payload: pullOf(repository),
        sha: 'b'.repeat(40),
        startCommit: head,
      }),
    ).toBe('repository');
  });

  it('are those of a fork for the pull request of one, and for Dependabot', async () => {
    expect(await originIn({ eventName: 'pull_request', payload: pullOf('eve/sample') })).toBe('fork');
    expect(await originIn({ eventName: 'push', actor: 'dependabot[bot]' })).toBe('fork');
  });

  it('are checked for a comment, and compared again if any checkout is allowed', async () => {
    expect(await originIn({ eventName: 'issue_comment' })).toBe('repository');
    const any = { eventName: 'issue_comment', allowUntrustedCheckout: true };
    expect(await originIn(any)).toBe('fork');
    expect(await originIn({ ...any, sameFiles: [head] })).toBe('repository');
  });

  it('of another commit are those of a fork unless GitHub says that it is of this repository', async () => {
    const { repository: git } = await createHarness({ workflow: 'name: flow\nsteps: []\n' });
    const github = await startGitHub({ git });
    const older = git.sha;
    const sha = await git.commit({ 'b.ts': '2\n' }, { branch: 'main' });
    const topic = await git.commit({ 'c.ts': '3\n' }, { branch: 'topic' });
    const { head: forkHead, merge: forkMerge } = await git.pullRequest(7, { 'a.ts': '1\n' });
    const checkout = { eventName: 'workflow_dispatch', sha, apiUrl: github.url };
    const originAt = (startCommit: string, more = {}) => originIn({ ...checkout, startCommit, ...more });
    expect(await originAt(older)).toBe('repository');
    expect(await originAt(topic)).toBe('repository');
    // A fork's pull request, whose branch is not here: also if it is closed, so that GitHub does not name it.
    await git.git('update-ref', '-d', 'refs/heads/pull-7');
    for (const commit of [forkHead, forkMerge]) expect(await originAt(commit)).toBe('fork');
    const author = { login: 'eve', type: 'User' as const };
    const pull = { number: 7, title: '', body: '', state: 'open' as const, base: 'main', head: forkHead };
    github.state.pulls.push({ ...pull, headRef: 'x', author, headRepository: 'eve/sample' });
    expect(await originAt(forkHead)).toBe('fork');
    // A commit that GitHub does not know: of another repository, or made by a step of the job.
    const unknown = 'd'.repeat(40);
    expect(await originAt(unknown)).toBe('fork');
    expect(await originAt(unknown, { isDescendant: true })).toBe('repository');
    expect(await originAt(forkHead, { isDescendant: true })).toBe('fork');
    github.inject({ path: '/branches-where-head', status: 403 });
    expect(await originAt(topic)).toBe('fork');
  });

  it('of any allowed checkout are those of this repository if its commit is, unchanged', async () => {
    const { repository: git } = await createHarness({ workflow: 'name: flow\nsteps: []\n' });
    const github = await startGitHub({ git });
    const startCommit = await git.commit({ 'c.ts': '3\n' }, { branch: 'topic' });
    const any = {
      ...{ eventName: 'issue_comment', allowUntrustedCheckout: true, startCommit },
      ...{ sha: git.sha, apiUrl: github.url, isDescendant: true },
    };
    expect(await originIn({ ...any, sameFiles: [startCommit] })).toBe('repository');
    expect(await originIn(any)).toBe('fork');
    const made = 'd'.repeat(40);
    expect(await originIn({ ...any, startCommit: made, sameFiles: [made] })).toBe('fork');
  });
});
