/** Workflow runs, the jobs of their attempts, annotations, and the re-run of failed jobs. */
import { type Answer, denied, notFound, ok, problem } from './reply.js';
import type { Route } from './router.js';
import type { GitHubState, StoredJob, StoredRun } from './state.js';

const repo = '/repos/:owner/:repo';
const dayMs = 24 * 3_600_000;

export function runRoutes(state: GitHubState): readonly Route[] {
  const find = (id: string | undefined) => state.runs.find((run) => String(run.id) === id);
  const lacks = (permission: string) => state.missingPermissions.has(permission);
  const listed = (query: URLSearchParams, path?: string): Answer => {
    const found = state.runs.filter((run) => isAskedFor(run, query) && (path ?? run.path) === run.path);
    found.sort((one, other) => other.createdAt.localeCompare(one.createdAt));
    return ok({ workflow_runs: found.map((run) => runBody(state, run)) });
  };
  return [
    {
      method: 'GET',
      path: `${repo}/actions/workflows`,
      listKey: 'workflows',
      handle: () => ok({ workflows: workflowsOf(state) }),
    },
    {
      method: 'GET',
      path: `${repo}/actions/workflows/:workflow/runs`,
      listKey: 'workflow_runs',
      handle: ({ params, query }) =>
        listed(query, workflowsOf(state).find(({ id }) => String(id) === params.workflow)?.path ?? ''),
    },
    {
      method: 'GET',
      path: `${repo}/actions/runs`,
      listKey: 'workflow_runs',
      handle: ({ query }) => listed(query),
    },
    {
      method: 'GET',
      path: `${repo}/actions/runs/:run`,
      handle: ({ params }) => {
        const run = find(params.run);
        return run === undefined ? notFound : ok(runBody(state, run));
      },
    },
    {
      method: 'GET',
      path: `${repo}/actions/runs/:run/attempts/:attempt/jobs`,
      listKey: 'jobs',
      handle: ({ params }) => {
        const jobs = find(params.run)?.jobs[Number(params.attempt) - 1];
        return jobs === undefined ? notFound : ok({ jobs: jobs.map(jobBody) });
      },
    },
    {
      method: 'GET',
      path: `${repo}/check-runs/:job/annotations`,
      isList: true,
      handle: ({ params }) => {
        if (lacks('checks: read')) return denied;
        const jobs = state.runs.flatMap((run) => run.jobs.flat());
        const job = jobs.find(({ id }) => String(id) === params.job);
        return job === undefined ? notFound : ok(job.annotations.map(annotationBody));
      },
    },
    {
      method: 'POST',
      path: `${repo}/actions/runs/:run/rerun-failed-jobs`,
      handle: ({ params }) => {
        if (lacks('actions: write')) return denied;
        const run = find(params.run);
        return run === undefined ? notFound : rerunFailedJobs(state, run);
      },
    },
  ];
}

/** The texts of GitHub for each refusal, as public logs have them (2026). */
function rerunFailedJobs(state: GitHubState, run: StoredRun): Answer {
  if (run.status !== 'completed') return problem(403, 'This workflow is already running');
  if (Date.now() - Date.parse(run.createdAt) > 30 * dayMs)
    return problem(403, 'Unable to retry this workflow run because it was created over a month ago');
  const jobs = run.jobs[run.attempt - 1] ?? [];
  const isRerun = ({ conclusion }: StoredJob) => conclusion !== 'success';
  if (!jobs.some(isRerun) || run.attempt > 50) return problem(403, 'This workflow run cannot be retried');
  run.attempt += 1;
  run.status = 'queued';
  run.conclusion = null;
  run.updatedAt = state.now();
  const next = jobs.map((job) =>
    isRerun(job) ? { ...job, id: state.nextId(), conclusion: null, annotations: [] } : job,
  );
  run.jobs = [...run.jobs, next];
  return ok({}, 201);
}

function isAskedFor(run: StoredRun, query: URLSearchParams): boolean {
  const wanted = query.get('status');
  if (wanted !== null && wanted !== run.status && wanted !== run.conclusion) return false;
  const since = /^>=(.*)$/.exec(query.get('created') ?? '')?.[1];
  return since === undefined || Date.parse(run.createdAt) >= Date.parse(since);
}

/** Each workflow file that has a run, with a number that stays the same. */
function workflowsOf(state: GitHubState) {
  const names = new Map(state.runs.map(({ path, name }) => [path, name]));
  return [...names].map(([path, name]) => ({ id: workflowId(path), name, path, state: 'active' }));
}

function workflowId(path: string): number {
  return [...path].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 1_000_003, 7);
}

function runBody(state: GitHubState, run: StoredRun) {
  const index = state.runs.filter(({ path }) => path === run.path).indexOf(run);
  return {
    id: run.id,
    name: run.name,
    run_number: index + 1,
    workflow_id: workflowId(run.path),
    path: run.path,
    status: run.status,
    conclusion: run.conclusion,
    run_attempt: run.attempt,
    created_at: run.createdAt,
    updated_at: run.updatedAt,
    run_started_at: run.updatedAt,
    event: run.event,
    head_branch: run.headBranch,
    head_sha: run.headSha,
    repository: { full_name: state.repository },
    head_repository: { full_name: run.headRepository },
    html_url: `https://github.com/${state.repository}/actions/runs/${run.id}`,
  };
}

function jobBody({ id, name, conclusion, startedAt, completedAt, steps = [] }: StoredJob) {
  return {
    id,
    name,
    status: conclusion === null ? 'in_progress' : 'completed',
    conclusion,
    started_at: startedAt ?? '2026-11-20T10:00:00Z',
    completed_at: completedAt ?? '2026-11-20T10:30:00Z',
    steps: steps.map((step, index) => ({ name: step, number: index + 1, status: 'completed' })),
  };
}

function annotationBody({ title, message, level }: StoredJob['annotations'][number]) {
  return {
    path: '.github',
    start_line: 1,
    end_line: 1,
    annotation_level: level,
    title: title === '' ? null : title,
    message,
    raw_details: null,
  };
}
