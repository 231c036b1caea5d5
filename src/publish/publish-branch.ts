/** Which branch the result of a run goes to. Pure. */
import { type EventFacts, textAt } from '../security/trust.js';

/** The pull request that the run is about. */
export interface PullFacts {
  readonly number: number;
  readonly isOpen: boolean;
  /** Branch of its head. */
  readonly headRef: string;
  /** `owner/name`. Absent: the repository was deleted. */
  readonly headRepository?: string;
  /** Branch that it is merged into. */
  readonly base: string;
}

export interface BranchFacts {
  readonly event: EventFacts;
  /** GITHUB_REF. */
  readonly ref: string;
  readonly pull?: PullFacts;
  /** The event is about a head of another repository, whatever the input `subject` says. */
  readonly isOfFork?: true;
}

export type BranchChoice = { readonly branch: string } | { readonly problem: string };

/** Where `apply: push` pushes: the head branch of the pull request, else the branch of the run. */
export function pushBranch(facts: BranchFacts): BranchChoice {
  const { pull, event } = facts;
  if (pull === undefined) return branchOfRun('push', facts);
  const name = `pull request #${pull.number}`;
  if (!isOfRepository(pull, event))
    return problem(
      `\`apply: push\`: ${name} comes from ${pull.headRepository ?? 'a deleted repository'}, and the action pushes only to branches of ${event.repository}. Set \`apply: workspace\` for pull requests of forks.`,
    );
  if (facts.isOfFork) return forkProblem('push', event);
  if (!pull.isOpen)
    return problem(
      `\`apply: push\`: ${name} is closed, so nothing is pushed to its branch. Start the workflow only for open pull requests, or set \`apply: pull-request\`.`,
    );
  return { branch: pull.headRef };
}

/** The base of the pull request that `apply: pull-request` opens. */
export function pullRequestBase(facts: BranchFacts): BranchChoice {
  const { pull, event } = facts;
  if (pull === undefined) return branchOfRun('pull-request', facts);
  if (facts.isOfFork) return forkProblem('pull-request', event);
  if (!pull.isOpen) return { branch: pull.base };
  if (isOfRepository(pull, event)) return { branch: pull.headRef };
  return problem(
    `\`apply: pull-request\`: pull request #${pull.number} comes from ${pull.headRepository ?? 'a deleted repository'}, so no pull request into its branch can be opened in ${event.repository}. Set \`apply: workspace\` for pull requests of forks.`,
  );
}

function forkProblem(apply: string, { repository }: EventFacts): BranchChoice {
  return problem(
    `\`apply: ${apply}\`: the event is about a head of another repository, so nothing of the run may go to a branch of ${repository}. Set \`apply: workspace\` for forks.`,
  );
}

function branchOfRun(apply: string, { event, ref, isOfFork }: BranchFacts): BranchChoice {
  if (isOfFork) return forkProblem(apply, event);
  if (event.eventName === 'workflow_run') return branchOfEarlierRun(apply, event);
  const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1];
  if (event.eventName === 'merge_group' || branch?.startsWith('gh-readonly-queue/'))
    return problem(
      `\`apply: ${apply}\`: the branch of a merge queue must not change. Set \`apply: workspace\` for \`merge_group\`.`,
    );
  if (branch !== undefined) return { branch };
  const what = ref.startsWith('refs/tags/') ? `the tag \`${ref.slice('refs/tags/'.length)}\`` : `\`${ref}\``;
  return problem(
    `\`apply: ${apply}\` needs a branch, and this run is for ${what}. Start the workflow on a branch, or set \`apply: workspace\`.`,
  );
}

function branchOfEarlierRun(apply: string, { payload, repository }: EventFacts): BranchChoice {
  const branch = textAt(payload, 'workflow_run', 'head_branch');
  const source = textAt(payload, 'workflow_run', 'head_repository', 'full_name');
  if (branch !== undefined && source?.toLowerCase() === repository.toLowerCase()) return { branch };
  return problem(
    `\`apply: ${apply}\`: the earlier workflow run is not for a branch of ${repository}. Set \`apply: workspace\` for runs of forks.`,
  );
}

function isOfRepository({ headRepository }: PullFacts, { repository }: EventFacts): boolean {
  return headRepository?.toLowerCase() === repository.toLowerCase();
}

function problem(text: string): BranchChoice {
  return { problem: text };
}

/**
 * The branch of the pull request that the action opens: `gump/<workflow>-<key>`. `key`: the number of the issue or pull
 * request, the input `subject`, or the run id. `number`: above 1 if people have closed earlier pull requests.
 */
export function ownBranch(workflow: string, key: string, number = 1): string {
  const suffix = number === 1 ? '' : `-${number}`;
  return `gump/${slug(workflow)}-${slug(key)}${suffix}`;
}

/** Characters that a branch name may have anywhere (git-check-ref-format(1)). */
function slug(text: string): string {
  const plain = text
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/\.{2,}/g, '.')
    .replace(/^[-.]+|[-.]+$/g, '')
    .replace(/\.lock$/, '');
  return plain.slice(0, 60).replace(/[-.]+$/, '') || 'run';
}
