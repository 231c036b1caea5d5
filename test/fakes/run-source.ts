/** A `RunSource` over runs in memory. `test/resume-runs/run-source.test.ts` checks that it behaves like GitHub's API. */
import { type RunSource, SourceError, type WorkflowRun } from '../../src/resume-runs/run-source.js';
import type { StoredJob, StoredRun } from '../rig/github/state.js';

export interface FakeRuns extends RunSource {
  /** Names of methods with the id that they asked about, in order. */
  readonly calls: readonly string[];
  /** Called before each request. It may throw, or change the runs. */
  before(act: (call: string) => void): void;
  /** For `requestsLeft`. */
  left?: number;
}

export function createFakeRuns(runs: readonly StoredRun[], repository = 'octo/sample'): FakeRuns {
  const calls: string[] = [];
  let act: (call: string) => void = () => {};
  const note = (call: string) => {
    calls.push(call);
    act(call);
  };
  const find = (id: number) => {
    const run = runs.find((one) => one.id === id);
    if (run === undefined) throw new SourceError('missing', `run ${id}`);
    return run;
  };
  const paths = [...new Set(runs.map(({ path }) => path))];
  const view = (run: StoredRun): WorkflowRun => ({
    id: run.id,
    name: run.name,
    number: runs.filter(({ path }) => path === run.path).indexOf(run) + 1,
    workflowId: paths.indexOf(run.path),
    path: run.path,
    status: run.status,
    conclusion: run.conclusion ?? undefined,
    attempt: run.attempt,
    createdAt: Date.parse(run.createdAt),
    updatedAt: Date.parse(run.updatedAt),
    event: run.event,
    isOfFork: run.headRepository !== repository,
  });
  const fake: FakeRuns = {
    calls,
    before(next) {
      act = next;
    },
    async workflows() {
      note('workflows');
      return paths.map((path, id) => ({
        id,
        path,
        name: runs.find((run) => run.path === path)?.name ?? path,
      }));
    },
    async runs({ conclusion, createdSince, workflowId }) {
      note(`runs ${conclusion}`);
      const found = runs.filter((run) => run.conclusion === conclusion).map(view);
      return found.filter(
        (run) => run.createdAt >= createdSince && (workflowId ?? run.workflowId) === run.workflowId,
      );
    },
    async run(id) {
      note(`run ${id}`);
      return view(find(id));
    },
    async jobs(runId, attempt) {
      note(`jobs ${runId}/${attempt}`);
      const jobs = find(runId).jobs[attempt - 1];
      if (jobs === undefined) throw new SourceError('missing', `run ${runId}`);
      return jobs.map(viewJob);
    },
    async annotations(jobId) {
      note(`annotations ${jobId}`);
      const job = runs.flatMap((run) => run.jobs.flat()).find(({ id }) => id === jobId);
      if (job === undefined) throw new SourceError('missing', `job ${jobId}`);
      return job.annotations;
    },
    async rerunFailedJobs(runId) {
      note(`rerun ${runId}`);
      const run = find(runId);
      if (run.status !== 'completed') return { kind: 'running' };
      const jobs = run.jobs[run.attempt - 1] ?? [];
      if (jobs.every(({ conclusion }) => conclusion === 'success'))
        return { kind: 'refused', message: 'This workflow run cannot be retried' };
      run.attempt += 1;
      run.status = 'queued';
      run.conclusion = null;
      run.jobs = [...run.jobs, jobs];
      return { kind: 'accepted' };
    },
    requestsLeft: () => fake.left,
  };
  return fake;
}

function viewJob({ id, name, conclusion, startedAt = '', completedAt = '', steps = [] }: StoredJob) {
  return {
    id,
    name,
    conclusion: conclusion ?? undefined,
    startedAt: Date.parse(startedAt),
    completedAt: Date.parse(completedAt),
    steps,
  };
}
