/** Who may start the run, and on which files: the checks of `docs/security.md`, with the facts of this job. */

import { problemsOf } from '../failure.js';
import type { GitHubApiOptions } from '../github/github-api.js';
import {
  type AllowedCommit,
  commitsOfEvent,
  commitsOfPullRequests,
  forkNotes,
  pullRequestNumbers,
} from '../security/allowed-commits.js';
import { requireWritePermission } from '../security/permission.js';
import { findPullRequests, findTrees } from '../security/pull-requests.js';
import { type EventFacts, needsCheck, requiredActors, requiredForkActors } from '../security/trust.js';
import { listPaths } from '../workspace/list-paths.js';
import type { Workspace } from '../workspace/workspace.js';
import type { ActionContext } from './action-context.js';

/** The event of this job. */
export function eventOf({ job }: Pick<ActionContext, 'job'>): EventFacts {
  return { ...job, payload: job.payload() };
}

/** Requires write permission of the actors if anybody can trigger the event. */
export function requireAllowedActors(actionContext: ActionContext): Promise<void> {
  return requirePermissionOf(requiredActors(eventOf(actionContext)), actionContext);
}

/** Requires write permission of the actor of a fork's pull request. Only for a job that has a credential. */
export function requireAllowedForkActor(actionContext: ActionContext): Promise<void> {
  return requirePermissionOf(requiredForkActors(eventOf(actionContext)), actionContext);
}

async function requirePermissionOf(
  actors: ReturnType<typeof requiredActors>,
  actionContext: ActionContext,
): Promise<void> {
  const { allowedBots } = actionContext.inputs;
  await requireWritePermission(actors, { ...apiOptions(actionContext), allowedBots });
}

/** Why agents may not run on the files of this checkout. Empty if they may. */
export async function findCheckoutProblems(
  actionContext: ActionContext,
  workspace: Workspace,
): Promise<readonly string[]> {
  const { job, inputs } = actionContext;
  const event = eventOf(actionContext);
  if (!needsCheck(event) || inputs.allowUntrustedCheckout) return [];
  const own = commitsOfEvent(event, job.sha);
  // Most checkouts are at the event's own commit and need no request.
  if ((await compareFiles(own, workspace)) === 'same') return [];
  return findProblemsWithGitHub(actionContext, event, workspace, own).catch(problemsOf);
}

async function findProblemsWithGitHub(
  actionContext: ActionContext,
  event: EventFacts,
  workspace: Workspace,
  own: readonly AllowedCommit[],
): Promise<readonly string[]> {
  const options = apiOptions(actionContext);
  const query = { numbers: pullRequestNumbers(event), commit: workspace.startCommit };
  const pulls = await findPullRequests(query, options);
  const ofPulls = commitsOfPullRequests(pulls, event.repository);
  const allowed = [...own, ...ofPulls];
  const missing = await compareFiles(allowed, workspace);
  if (missing === 'same') return [];
  const trees = await findTrees(missing, options);
  if (
    (await compareFiles(
      [...trees.values()].map((commit) => ({ commit })),
      workspace,
    )) === 'same'
  )
    return [];
  const notes = forkNotes(pulls, event.repository);
  return [await explain(event, workspace, allowed, ofPulls.length === 0 ? notes : [...notes, movedNote])];
}

const movedNote =
  'If the pull request or its base got a push since the checkout, re-run the job to check it out again.';

/** `same`: the start tree is that of one of these commits or trees. Otherwise those that the checkout lacks. */
async function compareFiles(
  allowed: readonly Pick<AllowedCommit, 'commit'>[],
  workspace: Workspace,
): Promise<'same' | readonly string[]> {
  const missing: string[] = [];
  for (const { commit } of allowed) {
    const differing = await workspace.startDifferences(commit);
    if (differing?.length === 0) return 'same';
    if (differing === undefined) missing.push(commit);
  }
  return missing;
}

async function explain(
  { eventName }: EventFacts,
  workspace: Workspace,
  allowed: readonly AllowedCommit[],
  notes: readonly string[],
): Promise<string> {
  const { startCommit } = workspace;
  const head = allowed.find(({ commit }) => commit === startCommit);
  if (head !== undefined) {
    const files = (await workspace.startDifferences(startCommit)) ?? [];
    return (
      `The files of the checkout are not those of ${startCommit} (${head.name}): ${listPaths(files)}. ` +
      `On \`${eventName}\`, agents run only on the files of an allowed commit. ` +
      'Remove the step that changes these files, write them outside of the checkout, or let git ignore them.'
    );
  }
  const commits = allowed.map(({ commit, name }) => `${commit} (${name})`).join(', ');
  return [
    `The checkout is at ${startCommit}, not at a commit that agents may run on for \`${eventName}\`: ${commits}.`,
    ...notes,
    'Remove `ref:` from the checkout step, or set it to one of these commits.',
  ].join(' ');
}

/** The repository of this job at GitHub. */
export function apiOptions({ job, inputs }: Pick<ActionContext, 'job' | 'inputs'>): GitHubApiOptions {
  return { repository: job.repository, token: inputs.githubToken, apiUrl: job.apiUrl };
}
