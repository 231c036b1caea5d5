/** The action in `resume/` as a runner starts it, against GitHub's API on loopback. */
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import {
  cancelled,
  failedJob,
  failure,
  hour,
  markAnnotation,
  outOfTime,
  personCancelled,
  shutdown,
  storedRun,
} from '../resume-runs/sample-runs.js';
import type { GitHubFault } from '../rig/github/faults.js';
import { type GitHubServer, startGitHub } from '../rig/github/server.js';
import type { StoredAnnotation, StoredRun } from '../rig/github/state.js';
import { createMachine, type StageResult } from '../rig/machine.js';
import { makeRepository } from '../rig/repository.js';
import { createHarness } from './harness.js';
import { runSourceStage } from './source-stage.js';

const actionDirectory = fileURLToPath(new URL('../../resume', import.meta.url));

let github: GitHubServer;
beforeEach(async () => {
  const git = await makeRepository({ 'README.md': 'sample\n' });
  cleanUpAfterTest(() => git.remove());
  github = await startGitHub({ git });
});

afterEach(() => {
  vi.restoreAllMocks();
});

type Inputs = Readonly<Record<string, string>>;

/** One job of a scheduled workflow: no checkout, no secret. */
async function resume(inputs: Inputs = {}, code: 'src' | 'dist' = 'src'): Promise<StageResult> {
  const machine = await createMachine({
    actionDirectory,
    isCompiledOnce: true,
    ...(code === 'src' ? { runStage: runSourceStage } : {}),
  });
  cleanUpAfterTest(() => machine.wipe());
  const { main, post } = await machine.runStep({
    inputs,
    event: { name: 'schedule' },
    workflowRef: 'octo/sample/.github/workflows/resume.yml@refs/heads/main',
    apiUrl: github.url,
  });
  expect(post).toBeUndefined();
  return main;
}

const ago = (hours: number) => Date.now() - hours * hour;
const due = (hours = 1, name = 'agents') => failedJob([markAnnotation({ at: ago(hours) })], { name });
const waiting = (hours: number, name = 'agents') =>
  failedJob([markAnnotation({ at: Date.now() + hours * hour })], { name });
const ownFailure = (name = 'test') => failedJob([failure('Process completed with exit code 1.')], { name });

function add(...runs: readonly StoredRun[]): readonly StoredRun[] {
  github.state.runs.push(...runs);
  return runs;
}

/** The errors of a job as GitHub shows them. */
function annotationsOf({ commands }: StageResult): readonly StoredAnnotation[] {
  return commands
    .filter(({ name }) => name === 'error')
    .map(({ text, properties }) => ({ level: 'failure', title: properties?.title ?? '', message: text }));
}

/**
 * Until `vi.restoreAllMocks`, the action runs at another time. Only with `code: 'src'`, and not with requests to GitHub:
 * the client of this process remembers when it sent the last one.
 */
function moveClockBack(ms: number): void {
  const now = Date.now.bind(Date);
  vi.spyOn(Date, 'now').mockImplementation(() => now() - ms);
}

const rerunRequests = () => github.requests().filter(({ method }) => method === 'POST');
const attemptsOf = (runs: readonly StoredRun[]) => runs.map(({ attempt }) => attempt);

/** Thirty runs, four of them due. */
function addThirtyRuns() {
  const stuckJob = (hours: number) => [failedJob([markAnnotation({ at: ago(hours) })])];
  const dueRuns = add(
    storedRun([[due()]]),
    storedRun([[failedJob([markAnnotation({ at: ago(1), reason: 'time' })])]]),
    storedRun([[failedJob([failure(shutdown), failure(cancelled)])]], { conclusion: 'cancelled' }),
    storedRun([[due(2, 'leg 1'), due(1, 'leg 2'), failedJob([], { name: 'all', started: 0.9, ended: 0.8 })]]),
  );
  const others = add(
    storedRun([stuckJob(9), stuckJob(6), stuckJob(1)]),
    storedRun([[due()]], { created: 73 }),
    storedRun([[due()]], { name: 'other', path: '.github/workflows/other.yml' }),
    storedRun([[waiting(2)]]),
    storedRun([[due(1, 'leg 1'), waiting(1.5, 'leg 2')]]),
    storedRun([[due()]], { status: 'in_progress', conclusion: null }),
    storedRun([[due()]], { status: 'queued', conclusion: null }),
    storedRun([[due()], []], { status: 'in_progress', conclusion: null }),
    storedRun([[due()]], { attempt: 10 }),
    storedRun([[due(), ownFailure()]]),
    storedRun(
      [[failedJob([markAnnotation({ at: ago(1), reason: 'cancelled' }), failure(personCancelled)])]],
      {
        conclusion: 'cancelled',
      },
    ),
    storedRun([[failedJob([failure(shutdown), failure(personCancelled)])]], { conclusion: 'cancelled' }),
    storedRun([[failedJob([failure(cancelled)], { conclusion: 'cancelled' })]], { conclusion: 'cancelled' }),
    storedRun([[due()]], { event: 'pull_request', headRepository: 'stranger/sample' }),
    ...Array.from({ length: 8 }, () => storedRun([[ownFailure()]])),
    ...Array.from({ length: 4 }, () => storedRun([[]], { conclusion: 'success' })),
  );
  return { dueRuns, others };
}

describe('thirty runs, of which four are due', () => {
  const inputs = { workflows: 'agents.yml' };

  it('are re-run exactly where it is right', async () => {
    const { dueRuns, others } = addThirtyRuns();
    expect(github.state.runs).toHaveLength(30);
    const before = attemptsOf(others);
    const { exitCode, outputs, summary, log, warnings } = await resume(inputs, 'dist');
    expect(exitCode, log).toBe(0);
    expect(attemptsOf(dueRuns)).toEqual([2, 2, 2, 2]);
    expect(attemptsOf(others)).toEqual(before);
    expect(rerunRequests()).toHaveLength(4);
    const resumed: readonly number[] = JSON.parse(outputs.resumed ?? '');
    expect([...resumed].sort()).toEqual(dueRuns.map(({ id }) => id));
    expect(outputs.next).toBe(summary.match(/a run is due at (\S+)\./)?.[1]);
    expect(Date.parse(outputs.next ?? '') - Date.now()).toBeGreaterThan(hour);
    expect(Date.parse(outputs.next ?? '') - Date.now()).toBeLessThan(1.6 * hour);
    expect(warnings).toEqual([]);
    expect(summary).toContain('### gump-action/resume: 4 re-run, 2 waiting');
    for (const text of [
      'its last two job attempts made no progress',
      'it has had 10 job attempts',
      'failed for a reason of its own, and GitHub would re-run it too',
      'failed for a reason of its own (8)',
      'cancelled by somebody (2)',
      'cancelled, and GitHub does not say why (1)',
      'of a pull request from a fork (1)',
    ])
      expect(summary).toContain(text);
  });

  it('are re-run once if the action runs twice at the same time', async () => {
    const { dueRuns, others } = addThirtyRuns();
    const before = attemptsOf(others);
    const results = await Promise.all([resume(inputs, 'dist'), resume(inputs, 'dist')]);
    expect(attemptsOf(dueRuns)).toEqual([2, 2, 2, 2]);
    expect(attemptsOf(others)).toEqual(before);
    const resumed = results.flatMap(({ outputs }) => JSON.parse(outputs.resumed ?? ''));
    expect(resumed.sort()).toEqual(dueRuns.map(({ id }) => id));
    expect(rerunRequests().filter(({ status }) => status === 201)).toHaveLength(4);
    for (const { exitCode, log } of results) expect(exitCode, log).toBe(0);
  });

  it('are not re-run again by the next round', async () => {
    addThirtyRuns();
    await resume(inputs);
    const { outputs } = await resume(inputs);
    expect(outputs.resumed).toBe('[]');
    expect(rerunRequests()).toHaveLength(4);
  });

  it('are only listed in a dry run', async () => {
    const { dueRuns } = addThirtyRuns();
    const { outputs, summary } = await resume({ ...inputs, 'dry-run': 'true' });
    expect(attemptsOf(dueRuns)).toEqual([1, 1, 1, 1]);
    expect(rerunRequests()).toEqual([]);
    expect(outputs.resumed).toBe('[]');
    expect(summary).toContain('### gump-action/resume: 4 due (dry run), 2 waiting');
    expect(summary.match(/\| would be re-run \|/g)).toHaveLength(4);
  });
});

it('a run that waits for a usage limit is re-run at its time, and resumes its session', async () => {
  const harness = await createHarness({
    workflow: 'name: flow\nsteps:\n  - {name: a, type: code, agent: claude-haiku, prompt: Build.}\n',
  });
  // CLIs may name a time in whole minutes.
  moveClockBack(3 * hour + 120_000);
  const resetsAt = Date.now() + 3 * hour;
  const { main: first } = await harness.runJob({
    rules: [{ do: [{ write: 'begun.txt', say: 'I begin.' }, { usageLimit: { resetsAt } }] }],
  });
  vi.restoreAllMocks();
  expect(first.outputs, first.log).toMatchObject({ status: 'waiting' });
  const [run] = add(storedRun([[failedJob(annotationsOf(first))]]));
  const { log } = await resume({}, 'dist');
  expect(log).toContain(`re-run (usage limit, due since ${first.outputs['resume-at']})`);
  expect(run?.attempt).toBe(2);
  const { main: second } = await harness.runJob({ jobAttempt: 2 });
  expect(second.outputs, second.log).toMatchObject({ status: 'passed', resumed: 'true' });
  expect((await harness.calls()).at(-1)?.prompt).toContain('You were interrupted');
});

describe('the inputs', () => {
  it('choose reasons', async () => {
    const lost = storedRun([[failedJob([failure(shutdown)])]]);
    const time = storedRun([[failedJob([failure(outOfTime)])]]);
    const limit = storedRun([[due()]]);
    add(lost, time, limit);
    await resume({ reasons: 'time' });
    expect(attemptsOf([lost, time, limit])).toEqual([1, 2, 1]);
  });

  it('set the number of job attempts and the age', async () => {
    const [many, old, fine] = add(
      storedRun([[due()]], { attempt: 3 }),
      storedRun([[due()]], { created: 13 }),
      storedRun([[due()]]),
    );
    const runs = [many, old, fine].filter((run) => run !== undefined);
    await resume({ 'max-attempts': '3', 'max-age': '12h' });
    expect(attemptsOf(runs)).toEqual([3, 1, 2]);
  });

  it('have all errors reported together, and nothing is asked', async () => {
    const { exitCode, errors, outputs, summary } = await resume({ 'max-age': 'x', reasons: 'never' });
    expect(exitCode).toBe(1);
    expect(errors).toEqual([
      expect.stringContaining('Input `max-age`: "x" is not allowed.'),
      expect.stringContaining(
        'Input `reasons`: "never" is not allowed. Use one of: `limit`, `time`, `lost`.',
      ),
    ]);
    expect(outputs).toMatchObject({ resumed: '[]', next: '' });
    expect(summary).toContain('gump-action/resume: nothing was re-run');
    expect(github.requests()).toEqual([]);
  });

  it('that name an unknown workflow are an error, and nothing is re-run', async () => {
    add(storedRun([[due()]]));
    const { exitCode, errors } = await resume({ workflows: 'agnets.yml' });
    expect(exitCode).toBe(1);
    expect(errors).toEqual([
      expect.stringContaining('has no workflow "agnets.yml". Did you mean `agents.yml`?'),
    ]);
    expect(rerunRequests()).toEqual([]);
  });
});

describe('a missing permission', () => {
  it.each(['checks: read', 'actions: write'])('%s is one error with the lines to add', async (permission) => {
    github.state.missingPermissions.add(permission);
    const runs = add(storedRun([[due()]]), storedRun([[due()]]));
    const { exitCode, errors, summary } = await resume();
    expect(exitCode).toBe(1);
    expect(errors).toEqual([expect.stringContaining('permissions:\n  actions: write\n  checks: read')]);
    expect(summary).toContain('actions: write');
    expect(attemptsOf(runs)).toEqual([1, 1]);
  });
});

describe('an error of GitHub', () => {
  const path = '/rerun-failed-jobs';
  it.each<[string, GitHubFault, number]>([
    ['a lost answer', { path, reset: true, moment: 'after', times: 1 }, 1],
    ['a lost request', { path, reset: true, times: 1 }, 2],
    ['502 after the re-run', { path, status: 502, moment: 'after', times: 1 }, 1],
    ['502 before the re-run', { path, status: 502, times: 1 }, 2],
    ['a short rate limit', { path, status: 429, headers: { 'retry-after': '1' }, times: 1 }, 2],
  ])('%s re-runs the run once', async (_, fault, requests) => {
    const [run] = add(storedRun([[due()]]));
    github.inject(fault);
    const { exitCode, outputs, log } = await resume();
    expect(exitCode, log).toBe(0);
    expect(run?.attempt).toBe(2);
    expect(outputs.resumed).toBe(`[${run?.id}]`);
    expect(rerunRequests()).toHaveLength(requests);
  });

  it.each([404, 409, 422])('%i for one run is a warning, and the others are re-run', async (status) => {
    const [refused, fine] = add(storedRun([[due(2)]]), storedRun([[due(1)]]));
    github.inject({ path: `/runs/${refused?.id}${path}`, status });
    const { exitCode, warnings, outputs, summary } = await resume();
    expect(exitCode).toBe(0);
    expect(warnings).toEqual([expect.stringContaining(`(run ${refused?.id}; see the summary)`)]);
    expect(summary).toContain('| refused by GitHub |');
    expect(outputs.resumed).toBe(`[${fine?.id}]`);
  });

  it('with one run does not stop the others', async () => {
    const [unreadable, fine] = add(storedRun([[due()]]), storedRun([[due()]]));
    github.inject({ path: `/runs/${unreadable?.id}/attempts`, status: 404 });
    const { exitCode, warnings, summary } = await resume();
    expect(exitCode).toBe(0);
    expect(warnings).toEqual([expect.stringContaining('could not be read (1 in the summary)')]);
    expect(summary).toContain('| not read | GitHub did not answer');
    expect(attemptsOf([unreadable, fine].filter((run) => run !== undefined))).toEqual([1, 2]);
  });

  it('that lists no runs is one error', async () => {
    github.inject({ path: '/actions/runs', status: 404 });
    const { exitCode, errors } = await resume();
    expect(exitCode).toBe(1);
    expect(errors).toEqual([expect.stringContaining('Nothing was re-run.')]);
  });

  it('is a rate limit: the round ends with a notice, and says what it did not read', async () => {
    add(...Array.from({ length: 10 }, () => storedRun([[due()]])));
    github.state.requestsLeft = 105;
    const { exitCode, warnings, outputs } = await resume();
    expect(exitCode).toBe(0);
    expect(warnings).toEqual([
      expect.stringMatching(/^The rate limit of GitHub ended this round .*not read: 8;/),
    ]);
    expect(JSON.parse(outputs.resumed ?? '')).toHaveLength(2);
  });
});
