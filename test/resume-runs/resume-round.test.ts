/** What one round reads, decides and re-runs. */
import { describe, expect, it } from 'vitest';
import { readResumeInputs } from '../../src/resume-runs/resume-inputs.js';
import { mostReruns, resumeRuns } from '../../src/resume-runs/resume-round.js';
import { roundWarnings, runTexts } from '../../src/resume-runs/round-text.js';
import { SourceError, type SourceProblem } from '../../src/resume-runs/run-source.js';
import { systemClock } from '../../src/system/clock.js';
import { createFakeClock } from '../fakes/clock.js';
import { createFakeRuns, type FakeRuns } from '../fakes/run-source.js';
import type { StoredRun } from '../rig/github/state.js';
import {
  failedJob,
  failure,
  hour,
  markAnnotation,
  outOfTime,
  progressOf,
  shutdown,
  storedRun,
} from './sample-runs.js';

const ago = (hours: number) => Date.now() - hours * hour;
const due = (hours = 0.5) => failedJob([markAnnotation({ at: ago(hours) })]);

/** The runner does not name the repository of the action. */
const unknown = Symbol('unknown');

function round(
  source: FakeRuns,
  inputs: Readonly<Record<string, string>> = {},
  actionRepository: string | typeof unknown = 'octo/gump-action',
) {
  return resumeRuns({
    source,
    clock: createFakeClock({ start: systemClock.now(), sleeping: 'jumps' }),
    inputs: readResumeInputs((name) => ({ 'github-token': 't', ...inputs })[name] ?? ''),
    ownPath: '.github/workflows/resume.yml',
    actionRepository: actionRepository === unknown ? undefined : actionRepository,
  });
}

async function texts(runs: readonly StoredRun[], inputs: Readonly<Record<string, string>> = {}) {
  const source = createFakeRuns(runs);
  const result = await round(source, inputs);
  const rules = readResumeInputs((name) => ({ 'github-token': 't', ...inputs })[name] ?? '');
  const found = new Map(
    result.runs.map((one) => [one.run.id, Object.values(runTexts(one, rules)).join(': ')]),
  );
  return runs.map(({ id }) => found.get(id) ?? 'not listed');
}

function failOn(source: FakeRuns, pattern: RegExp, problem: SourceProblem): void {
  source.before((call) => {
    if (pattern.test(call)) throw new SourceError(problem, `GitHub: ${problem}`);
  });
}

describe('a round', () => {
  it('re-runs what is due', async () => {
    const found = await texts([storedRun([[due()]]), storedRun([[failedJob([failure(shutdown)])]])]);
    expect(found).toEqual([
      expect.stringMatching(/^re-run: usage limit, due since /),
      expect.stringMatching(/^re-run: lost machine, due since /),
    ]);
  });

  it('leaves out the workflow that runs it, unless it is named', async () => {
    const own = () => storedRun([[due()]], { name: 'resume', path: '.github/workflows/resume.yml' });
    expect(await texts([own()])).toEqual(['not listed']);
    expect(await texts([own()], { workflows: 'resume.yml' })).toEqual([expect.stringMatching(/^re-run: /)]);
  });

  it('reads only named workflows, and takes all of their jobs for jobs with agents', async () => {
    const job = () => failedJob([failure(shutdown)], { steps: ['Run tests'] });
    const runs = () => [
      storedRun([[job()]]),
      storedRun([[due()]], { name: 'other', path: '.github/workflows/other.yml' }),
    ];
    expect(await texts(runs())).toEqual([
      expect.stringContaining('failed for a reason of its own'),
      expect.stringMatching(/^re-run: /),
    ]);
    expect(await texts(runs(), { workflows: 'agents' })).toEqual([
      expect.stringMatching(/^re-run: /),
      'not listed',
    ]);
  });

  it('knows a job with agents by the name that the runner gives to the step', async () => {
    const lostJob = (step: string) => storedRun([[failedJob([failure(shutdown)], { steps: [step] })]]);
    const kinds = async (actionRepository: string | typeof unknown) => {
      const runs = ['Run octo/gump-action@v1', 'Run OTHER/Gump-Action@4f2a', 'gump-action'].map(lostJob);
      const result = await round(createFakeRuns(runs), {}, actionRepository);
      return result.runs.map(({ decision }) => decision?.kind);
    };
    expect(await kinds('octo/gump-action')).toEqual(['due', 'leave', 'leave']);
    expect(await kinds(unknown)).toEqual(['due', 'due', 'leave']);
  });

  it('stops after two job attempts in a row without progress, and reads no more than it needs', async () => {
    const marked = (letter: string, hours: number) => [
      failedJob([markAnnotation({ at: ago(hours), progress: progressOf(letter) })]),
    ];
    const stuck = storedRun([marked('a', 9), marked('b', 8), marked('b', 6), marked('b', 1)], { created: 9 });
    const moving = storedRun([marked('a', 9), marked('b', 6), marked('b', 1)], { created: 10 });
    const source = createFakeRuns([stuck, moving]);
    const { runs } = await round(source);
    expect(runs.map(({ decision, outcome }) => outcome ?? decision)).toEqual([
      { kind: 'leave', why: 'no-progress' },
      { kind: 'rerun' },
    ]);
    expect(source.calls.filter((call) => call.startsWith(`jobs ${stuck.id}`))).toEqual(
      [4, 3, 2].map((attempt) => `jobs ${stuck.id}/${attempt}`),
    );
  });

  it('knows nothing about a job attempt that GitHub removed', async () => {
    const marked = () => [failedJob([markAnnotation({ at: ago(1) })])];
    const run = storedRun([marked(), marked(), marked()]);
    const source = createFakeRuns([run]);
    failOn(source, /^jobs .*\/1$/, 'missing');
    expect((await round(source)).runs[0]?.outcome).toEqual({ kind: 'rerun' });
  });

  it('asks nothing more about a run that the list already decides', async () => {
    const source = createFakeRuns([
      storedRun([[due()]], { attempt: 10 }),
      storedRun([[due()]], { event: 'pull_request', headRepository: 'stranger/sample' }),
    ]);
    await round(source);
    expect(source.calls).toEqual(['runs failure', 'runs cancelled']);
  });

  it('reads at most five jobs of a run in which all failed for reasons of their own', async () => {
    const source = createFakeRuns([storedRun([Array.from({ length: 40 }, () => failedJob([]))])]);
    await round(source);
    expect(source.calls.filter((call) => call.startsWith('annotations'))).toHaveLength(5);
  });

  it('reads jobs in the order of their start', async () => {
    const late = failedJob([], { started: 1, ended: 0.9, name: 'all-passed' });
    const run = storedRun([[late, failedJob([markAnnotation({ at: ago(1) })])]]);
    expect(await texts([run])).toEqual([expect.stringMatching(/^re-run: /)]);
  });

  it('re-runs nothing in a dry run', async () => {
    const source = createFakeRuns([storedRun([[due()]])]);
    expect((await round(source, { 'dry-run': 'true' })).runs[0]?.outcome).toEqual({ kind: 'dry-run' });
    expect(source.calls.filter((call) => call.startsWith('rerun'))).toEqual([]);
  });

  it('re-runs those first that have been due for the longest time, and not more than a limit', async () => {
    const runs = Array.from({ length: mostReruns + 2 }, (_, index) => storedRun([[due(0.1 + index / 100)]]));
    const source = createFakeRuns(runs);
    const result = await round(source);
    const asked = source.calls.filter((call) => call.startsWith('rerun'));
    expect(asked).toEqual(
      runs
        .toReversed()
        .slice(0, mostReruns)
        .map(({ id }) => `rerun ${id}`),
    );
    expect(result.runs.filter(({ outcome }) => outcome?.kind === 'postponed')).toHaveLength(2);
  });

  it('treats the time limit of GitHub as a time limit', async () => {
    const run = storedRun([[failedJob([failure(outOfTime)], { conclusion: 'cancelled' })]], {
      conclusion: 'cancelled',
    });
    expect(await texts([run])).toEqual([expect.stringMatching(/^re-run: time limit, /)]);
  });
});

describe('a problem', () => {
  it('of one run does not stop the others', async () => {
    const [first, second] = [storedRun([[due()]], { created: 1 }), storedRun([[due()]], { created: 2 })];
    const source = createFakeRuns([first, second]);
    failOn(source, new RegExp(`^jobs ${first.id}/`), 'no-answer');
    const { runs, stop } = await round(source);
    expect(runs).toMatchObject([{ problem: 'GitHub: no-answer' }, { outcome: { kind: 'rerun' } }]);
    expect(stop).toBeUndefined();
  });

  it('of five runs in a row ends the round', async () => {
    const source = createFakeRuns(Array.from({ length: 9 }, () => storedRun([[due()]])));
    failOn(source, /^jobs/, 'no-answer');
    const result = await round(source);
    expect(result.runs).toHaveLength(5);
    expect(result).toMatchObject({ unread: 4, stop: { stoppedBy: 'errors' } });
    expect(roundWarnings(result)).toEqual([expect.stringContaining('were not read: 4.')]);
  });

  it('of one re-run does not stop the others', async () => {
    const [first, second] = [storedRun([[due(2)]], { created: 3 }), storedRun([[due(1)]], { created: 4 })];
    const source = createFakeRuns([first, second]);
    failOn(source, new RegExp(`^run ${first.id}$`), 'missing');
    const { runs } = await round(source);
    expect(runs.map(({ outcome }) => outcome?.kind)).toEqual(['unknown', 'rerun']);
  });

  it('with a permission stops everything', async () => {
    const source = createFakeRuns([storedRun([[due()]]), storedRun([[due()]])]);
    failOn(source, /^annotations/, 'permission');
    expect(await round(source)).toEqual({
      runs: [],
      unread: 2,
      stop: { stoppedBy: 'permission', message: 'GitHub: permission' },
    });
    expect(source.calls.filter((call) => call.startsWith('annotations'))).toHaveLength(1);
  });

  it('with the permission to re-run is found with the first re-run', async () => {
    const source = createFakeRuns([storedRun([[due()]]), storedRun([[due()]])]);
    failOn(source, /^rerun/, 'permission');
    const { stop, runs } = await round(source);
    expect(stop).toMatchObject({ stoppedBy: 'permission' });
    expect(runs.map(({ outcome }) => outcome?.kind)).toEqual(['postponed', 'postponed']);
    expect(source.calls.filter((call) => call.startsWith('rerun'))).toHaveLength(1);
  });

  it('with the list of runs stops everything', async () => {
    const source = createFakeRuns([]);
    failOn(source, /^runs/, 'limited');
    expect(await round(source)).toMatchObject({ runs: [], stop: { stoppedBy: 'limited' } });
    failOn(source, /^runs/, 'no-answer');
    await expect(round(source)).rejects.toMatchObject({ problem: 'no-answer' });
  });

  it('with the rate limit stops reading, and re-runs what is already known to be due', async () => {
    const source = createFakeRuns([
      storedRun([[due()]], { created: 1 }),
      storedRun([[due()]], { created: 2 }),
    ]);
    source.before((call) => {
      if (call.startsWith('annotations')) source.left = 99;
    });
    const { runs, unread, stop } = await round(source);
    expect(runs.map(({ outcome }) => outcome)).toEqual([{ kind: 'rerun' }]);
    expect(unread).toBe(1);
    expect(stop).toMatchObject({
      stoppedBy: 'limited',
      message: expect.stringContaining('99 more requests'),
    });
  });
});
