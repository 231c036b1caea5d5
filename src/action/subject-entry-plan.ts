/** What the entry of this run belongs to, and at which commit the run is. */
import { normalize } from 'node:path';
import { sortKeys } from '../checkpoint/state-name.js';
import { openGitHubApi } from '../github/github-api.js';
import type { Subject } from '../security/subject.js';
import { textAt } from '../security/trust.js';
import type { ActionContext } from './action-context.js';
import type { SubjectEntryPlan } from './post-state.js';
import type { RunRequest } from './run-context.js';
import { subjectOfRun } from './run-subject.js';
import { originOfTree } from './tree-origin.js';

export async function planSubjectEntry({
  actionContext,
  workspace,
  workflowFile,
}: Pick<RunRequest, 'actionContext' | 'workspace' | 'workflowFile'>): Promise<SubjectEntryPlan> {
  const subject = subjectOfRun(actionContext);
  const [trust, commit] = await Promise.all([
    originOfTree(actionContext, workspace),
    headCommitOf(actionContext, subject, workspace.startCommit),
  ]);
  const { repositoryId } = actionContext.job;
  const scope = { repositoryId, workflowFile, subject: subject.name, trust, part: partOf(actionContext) };
  return { scope, commit };
}

/**
 * Legs of a matrix, and jobs in different directories, have conversations of their own. The job and the GitHub workflow
 * do not count: a comment continues what a push began.
 */
function partOf({ inputs: { matrix, workingDirectory } }: ActionContext): string {
  const directory = normalize(workingDirectory).replace(/\/$/, '');
  const isPlain = directory === '.' && matrix === undefined;
  return isPlain ? '' : JSON.stringify([directory, sortKeys(matrix ?? null)]);
}

/**
 * The head of the pull request, because its merge commit changes with every push to the base. On a branch or an issue,
 * the commit of the event.
 */
async function headCommitOf(
  actionContext: ActionContext,
  { pull }: Subject,
  startCommit: string,
): Promise<string> {
  const { job } = actionContext;
  const payload = job.payload();
  const named = textAt(payload, 'pull_request', 'head', 'sha') ?? textAt(payload, 'workflow_run', 'head_sha');
  if (named !== undefined && isCommit(named)) return named;
  if (pull === undefined) return job.sha;
  return (await readHead(actionContext, pull)) ?? startCommit;
}

/** The payload of a comment does not have it. */
async function readHead({ job, inputs }: ActionContext, pull: number): Promise<string | undefined> {
  const { repository, apiUrl } = job;
  try {
    const { rest, owner, repo } = await openGitHubApi({ repository, apiUrl, token: inputs.githubToken });
    const { data } = await rest.pulls.get({ owner, repo, pull_number: pull });
    return isCommit(data.head.sha) ? data.head.sha : undefined;
  } catch {
    return undefined;
  }
}

function isCommit(text: string): boolean {
  return /^[0-9a-f]{40,64}$/.test(text);
}
