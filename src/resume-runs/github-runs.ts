/** `RunSource` through GitHub's REST API. */
import type { GitHubApi } from '../github/github-api.js';
import { jobOf, runOf } from './github-run-bodies.js';
import { sourceErrorOf } from './github-run-errors.js';
import type { RunSource } from './run-source.js';

const perPage = 100;

export function createGitHubRuns(api: GitHubApi): RunSource {
  const place = { owner: api.owner, repo: api.repo };
  let left: number | undefined;
  const noteLeft = (headers: object | undefined) => {
    const text = headers && 'x-ratelimit-remaining' in headers ? headers['x-ratelimit-remaining'] : undefined;
    if (text !== undefined && /^\d+$/.test(String(text))) left = Number(text);
  };
  api.hook.after('request', ({ headers }) => noteLeft(headers));

  return {
    workflows: () =>
      reading('the workflows of the repository', async () => {
        const found = await api.paginate(api.rest.actions.listRepoWorkflows, { ...place, per_page: perPage });
        return found.map(({ id, name, path }) => ({ id, name, path }));
      }),
    runs: ({ conclusion, createdSince, workflowId }) =>
      reading('the runs of the repository', async () => {
        const created = `>=${new Date(createdSince).toISOString().slice(0, -5)}Z`;
        const query = { ...place, status: conclusion, created, per_page: perPage };
        const found =
          workflowId === undefined
            ? await api.paginate(api.rest.actions.listWorkflowRunsForRepo, query)
            : await api.paginate(api.rest.actions.listWorkflowRuns, { ...query, workflow_id: workflowId });
        return found.map(runOf);
      }),
    run: (id) =>
      reading(`run ${id}`, async () =>
        runOf((await api.rest.actions.getWorkflowRun({ ...place, run_id: id })).data),
      ),
    jobs: (runId, attempt) =>
      reading(`the jobs of run ${runId}`, async () => {
        const of = { ...place, run_id: runId, attempt_number: attempt, per_page: perPage };
        return (await api.paginate(api.rest.actions.listJobsForWorkflowRunAttempt, of)).map(jobOf);
      }),
    annotations: (jobId) =>
      reading(`the annotations of job ${jobId}`, async () => {
        // The id of a job is the id of its check run.
        const of = { ...place, check_run_id: jobId, per_page: perPage };
        const found = await api.paginate(api.rest.checks.listAnnotations, of);
        return found.map(({ annotation_level, title, message }) => ({
          level: annotation_level ?? '',
          title: title ?? '',
          message: message ?? '',
        }));
      }),
    async rerunFailedJobs(runId) {
      try {
        // A wait inside the client could be long enough for another re-run of the same run.
        const request = { waitsForLimits: false };
        await api.rest.actions.reRunWorkflowFailedJobs({ ...place, run_id: runId, request });
        return { kind: 'accepted' };
      } catch (error) {
        const found = sourceErrorOf(`a re-run of run ${runId}`, error, 'write');
        if (found.problem !== 'refused' && found.problem !== 'missing') throw found;
        if (/already (?:running|in progress)/i.test(found.message)) return { kind: 'running' };
        return { kind: 'refused', message: found.message };
      }
    },
    requestsLeft: () => left,
  };
}

async function reading<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw sourceErrorOf(what, error, 'read');
  }
}
