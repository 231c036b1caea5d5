/** A checkout with a change, and GitHub's API on loopback in front of the repository that it comes from. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { openGitHubApi } from '../../src/github/github-api.js';
import { changeId } from '../../src/publish/change-id.js';
import type { CommitTarget } from '../../src/publish/commit-target.js';
import { openGitData } from '../../src/publish/git-data.js';
import { openPullRequestTarget, type PullRequestTarget } from '../../src/publish/pull-request-target.js';
import type { ChangeToPush } from '../../src/publish/push-change.js';
import type { CommittableChange } from '../../src/workspace/change-commits.js';
import type { MainWorkspace } from '../../src/workspace/open.js';
import { openWorkspace } from '../../src/workspace/open.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import type { Files } from '../rig/files.js';
import { type GitHubServer, startGitHub } from '../rig/github/server.js';
import { makeRepository, type Repository } from '../rig/repository.js';
import { type Checkout, checkoutAt, temporaryDirectory } from '../workspace/checkout.js';

export interface PushScene {
  readonly repository: Repository;
  readonly github: GitHubServer;
  readonly target: CommitTarget;
  readonly pulls: PullRequestTarget;
  readonly checkout: Checkout;
  readonly workspace: MainWorkspace;
  /** Records what is in the worktree now as the result of the run. */
  record(options?: { readonly runId?: number }): Promise<RecordedChange>;
  /** The files of a commit at GitHub: mode and content by path. */
  filesOf(commit: string): Promise<Readonly<Record<string, string>>>;
}

export interface RecordedChange extends CommittableChange {
  readonly push: ChangeToPush;
}

/** `prepare`: changes the checkout before the run starts. */
export async function openPushScene(files: Files, branch = 'main'): Promise<PushScene> {
  const repository = await makeRepository(files);
  cleanUpAfterTest(() => repository.remove());
  const github = await startGitHub({ git: repository });
  const api = await openGitHubApi({ repository: 'octo/sample', token: 't', apiUrl: github.url });
  const checkout = checkoutAt(join(temporaryDirectory(), 'clone'));
  const url = `file://${repository.path}`;
  execFileSync('git', ['clone', '-q', '--depth=1', '--branch', branch, url, checkout.root], {
    env: { ...checkout.env },
    stdio: 'pipe',
  });
  const workspace = await openWorkspace({
    directory: checkout.root,
    privateDirectory: join(temporaryDirectory(), 'private'),
    env: checkout.env,
  });
  const clock = { sleep: async () => undefined };
  const target = openGitData(api, clock);
  return {
    repository,
    github,
    target,
    pulls: openPullRequestTarget(api, clock),
    checkout,
    workspace,
    async record({ runId = 1001 } = {}) {
      const change = await workspace.commits.changeOf(await workspace.record('step'));
      const identity = {
        runUrl: `https://github.com/octo/sample/actions/runs/${runId}`,
        change: changeId(change.files),
      };
      const message = `Change\n\nGump-Run: ${identity.runUrl}\nGump-Change: ${identity.change}\n`;
      const { commits, startCommit } = workspace;
      return { ...change, push: { target, commits, startCommit, files: change.files, message, identity } };
    },
    filesOf: (commit) => readFiles(repository, commit),
  };
}

async function readFiles(repository: Repository, commit: string): Promise<Readonly<Record<string, string>>> {
  const list = await repository.git('ls-tree', '-r', '-z', commit);
  const entries = list.split('\0').filter((record) => record !== '');
  return Object.fromEntries(
    await Promise.all(
      entries.map(async (record) => {
        const [head = '', path = ''] = record.split('\t');
        const [mode = '', , id = ''] = head.split(' ');
        return [path, `${mode} ${id}`] as const;
      }),
    ),
  );
}

/** The tree that `git add --all` makes of the worktree. */
export function addedTree(checkout: Checkout): string {
  checkout.git('add', '--all');
  return checkout.git('write-tree').trim();
}
