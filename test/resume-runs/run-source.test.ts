/** Both implementations of `RunSource`: through GitHub's REST API, and the fake of the other tests. */
import { describe, expect, it } from 'vitest';
import { sourceErrorOf } from '../../src/resume-runs/github-run-errors.js';
import type { RunSource } from '../../src/resume-runs/run-source.js';
import { createFakeRuns } from '../fakes/run-source.js';
import { secondaryLimit } from '../rig/github/faults.js';
import type { StoredRun } from '../rig/github/state.js';
import { openGitHub } from './open-github.js';
import { failedJob, failure, hour, shutdown, storedRun } from './sample-runs.js';

type Open = (runs: readonly StoredRun[]) => Promise<RunSource>;

describe.each<[string, Open]>([
  ['GitHub', async (runs) => (await openGitHub(runs)).source],
  ['the fake', async (runs) => createFakeRuns(runs)],
])('workflow runs through %s', (_, open) => {
  it('are listed by conclusion, age and workflow', async () => {
    const runs = [
      storedRun([[]]),
      storedRun([[]], { conclusion: 'cancelled' }),
      storedRun([[]], { created: 50 }),
      storedRun([[]], { conclusion: null, status: 'in_progress' }),
      storedRun([[]], { path: '.github/workflows/other.yml', name: 'other' }),
    ];
    const source = await open(runs);
    const ids = async (query: Partial<Parameters<RunSource['runs']>[0]>) =>
      (await source.runs({ conclusion: 'failure', createdSince: 0, ...query })).map(({ id }) => id).sort();
    const [first, second, old, , other] = runs.map(({ id }) => id);
    expect(await ids({})).toEqual([first, old, other]);
    expect(await ids({ conclusion: 'cancelled' })).toEqual([second]);
    expect(await ids({ createdSince: Date.now() - 24 * hour })).toEqual([first, other]);
    const workflows = await source.workflows();
    expect(workflows.map(({ name, path }) => [name, path])).toEqual([
      ['agents', '.github/workflows/agents.yml'],
      ['other', '.github/workflows/other.yml'],
    ]);
    const workflowId = workflows[1]?.id ?? -1;
    expect(await ids({ workflowId })).toEqual([other]);
  });

  it('are all listed if there are more than a page has', async () => {
    const source = await open(Array.from({ length: 230 }, () => storedRun([[]])));
    expect(await source.runs({ conclusion: 'failure', createdSince: 0 })).toHaveLength(230);
  });

  it('have the facts that decide', async () => {
    const run = storedRun([[], []], { event: 'pull_request', headRepository: 'stranger/sample' });
    const source = await open([run]);
    const [listed] = await source.runs({ conclusion: 'failure', createdSince: 0 });
    expect(await source.run(run.id)).toEqual(listed);
    expect(listed).toMatchObject({
      id: run.id,
      name: 'agents',
      number: 1,
      path: '.github/workflows/agents.yml',
      status: 'completed',
      conclusion: 'failure',
      attempt: 2,
      createdAt: Date.parse(run.createdAt),
      event: 'pull_request',
      isOfFork: true,
    });
  });

  it('have the jobs of each attempt, and their annotations', async () => {
    const job = failedJob([failure(shutdown)], { name: 'lost', steps: ['Run octo/gump-action@v1'] });
    const source = await open([storedRun([[failedJob([])], [job]])]);
    const [listed] = await source.runs({ conclusion: 'failure', createdSince: 0 });
    const jobs = await source.jobs(listed?.id ?? 0, 2);
    expect(jobs).toEqual([
      {
        id: job.id,
        name: 'lost',
        conclusion: 'failure',
        startedAt: Date.parse(job.startedAt ?? ''),
        completedAt: Date.parse(job.completedAt ?? ''),
        steps: ['Run octo/gump-action@v1'],
      },
    ]);
    expect(await source.annotations(job.id)).toEqual([{ level: 'failure', title: '', message: shutdown }]);
  });

  it('are re-run once, and then are in progress', async () => {
    const run = storedRun([[failedJob([])]]);
    const source = await open([run]);
    expect(await source.rerunFailedJobs(run.id)).toEqual({ kind: 'accepted' });
    expect(await source.run(run.id)).toMatchObject({ attempt: 2, status: 'queued' });
    expect(await source.rerunFailedJobs(run.id)).toEqual({ kind: 'running' });
    expect(run.attempt).toBe(2);
  });

  it('are refused with the text of GitHub if no job can be re-run', async () => {
    const run = storedRun([[failedJob([], { conclusion: 'success' })]]);
    const source = await open([run]);
    expect(await source.rerunFailedJobs(run.id)).toEqual({
      kind: 'refused',
      message: expect.stringContaining('This workflow run cannot be retried'),
    });
  });

  it('that do not exist are missing', async () => {
    const source = await open([]);
    await expect(source.run(7)).rejects.toMatchObject({ problem: 'missing' });
    await expect(source.jobs(7, 1)).rejects.toMatchObject({ problem: 'missing' });
    await expect(source.annotations(7)).rejects.toMatchObject({ problem: 'missing' });
  });
});

describe('errors of GitHub', () => {
  const error = (status: number, message: string, headers: object = {}) =>
    Object.assign(new Error(message), { status, response: { headers, data: { message } } });
  const notAccessible = 'Resource not accessible by integration';
  const spent = { 'x-ratelimit-remaining': '0' };

  it.each([
    [error(401, 'Bad credentials'), 'permission', 'permission'],
    [error(403, notAccessible), 'permission', 'permission'],
    [error(403, 'Must have admin rights to Repository.'), 'permission', 'permission'],
    [error(403, 'This workflow run cannot be retried'), 'permission', 'refused'],
    [error(403, 'API rate limit exceeded for installation.', spent), 'limited', 'limited'],
    [error(403, 'You have exceeded a secondary rate limit.'), 'limited', 'limited'],
    [error(429, 'Too many requests'), 'limited', 'limited'],
    [error(404, 'Not Found'), 'missing', 'missing'],
    [error(410, 'Gone'), 'missing', 'missing'],
    [error(409, 'Conflict'), 'refused', 'refused'],
    [error(422, 'Validation Failed'), 'refused', 'refused'],
    [error(502, 'Bad Gateway'), 'no-answer', 'no-answer'],
    [new Error('socket hang up'), 'no-answer', 'no-answer'],
  ])('%s is %s for a read, and %s for a re-run', (found, forRead, forWrite) => {
    expect(sourceErrorOf('run 7', found, 'read').problem).toBe(forRead);
    expect(sourceErrorOf('run 7', found, 'write').problem).toBe(forWrite);
    expect(sourceErrorOf('run 7', found, 'read').message).toContain(found.message);
  });

  it('name the time after which GitHub accepts requests again', () => {
    const limited = error(429, 'Too many requests', { 'retry-after': '90' });
    expect(sourceErrorOf('run 7', limited, 'read').retryAfterMs).toBe(90_000);
    expect(sourceErrorOf('run 7', error(429, 'Too many requests'), 'read').retryAfterMs).toBeUndefined();
  });

  it.each([
    [{ status: 403 }, 'permission'],
    [secondaryLimit('/rerun-failed-jobs'), 'limited'],
    [{ reset: true }, 'no-answer'],
  ])('a re-run is requested once: %j', async (fault, problem) => {
    const { server, source } = await openGitHub([]);
    server.inject({ path: '/rerun-failed-jobs', ...fault });
    await expect(source.rerunFailedJobs(7)).rejects.toMatchObject({ name: 'SourceError', problem });
    expect(server.requests()).toHaveLength(1);
  });

  it('reads how many requests the rate limit still allows', async () => {
    const { server, source } = await openGitHub([]);
    expect(source.requestsLeft()).toBeUndefined();
    server.state.requestsLeft = 17;
    await source.workflows();
    expect(source.requestsLeft()).toBe(16);
  });
});
