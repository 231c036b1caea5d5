/** Asks GitHub about another run of the repository. */
import { openGitHubApi } from '../github/github-api.js';
import type { ActionContext } from './action-context.js';

/** `undefined` if GitHub does not say, for example because the job lacks the permission `actions: read`. */
export async function hasRunEnded(
  { job, inputs }: ActionContext,
  runId: string,
): Promise<boolean | undefined> {
  const { repository, apiUrl } = job;
  try {
    const { rest, owner, repo } = await openGitHubApi({ repository, apiUrl, token: inputs.githubToken });
    const { data } = await rest.actions.getWorkflowRun({ owner, repo, run_id: Number(runId) });
    return data.status === 'completed';
  } catch {
    return undefined;
  }
}
