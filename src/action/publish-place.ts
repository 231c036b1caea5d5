/** Where a job publishes, and how it opens GitHub's API for that. */
import { type GitHubApi, openGitHubApi } from '../github/github-api.js';
import { defined } from '../optional-keys.js';
import { placeKey } from '../publish/publication-marker.js';
import type { ActionContext } from './action-context.js';
import { apiOptions } from './event-checks.js';

/** The key of what this job publishes: for a review, that of its step. */
export function keyOfJob({ job, inputs }: ActionContext, step?: string): string {
  const { workflowRef, jobId } = job;
  const { workflow, matrix } = inputs;
  return placeKey({ workflowRef, workflow, jobId, ...defined({ matrix, step }) });
}

export function openPublishApi(actionContext: ActionContext): Promise<GitHubApi> {
  return openGitHubApi(apiOptions(actionContext));
}

/** `https://github.com/octo/sample`. */
export function repositoryUrl({ job }: ActionContext): string {
  return `${job.serverUrl}/${job.repository}`;
}

/** The page of the workflow run, the same in every job attempt. */
export function runUrl(actionContext: ActionContext): string {
  return `${repositoryUrl(actionContext)}/actions/runs/${actionContext.job.runId}`;
}

/** The page of this job attempt's run. */
export function attemptUrl(actionContext: ActionContext): string {
  return `${runUrl(actionContext)}/attempts/${actionContext.job.jobAttempt}`;
}
