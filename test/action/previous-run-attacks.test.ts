/** What others store under the names of a subject, and runs that must not store or read anything. */
import { describe, expect, it } from 'vitest';
import { pullRequestEvent } from '../rig/machine.js';
import { attemptLines } from './attempt-lines.js';
import { createHarness } from './harness.js';
import { type PullRuns, pullRuns, reviewAgain, verdict } from './pull-runs.js';

type PullRun = Awaited<ReturnType<PullRuns['run']>>;

const warningsOf = ({ main, post }: PullRun) => [...main.warnings, ...(post?.warnings ?? [])];
const lastLine = ({ main }: PullRun) => attemptLines(main.report).at(-1);
const inputs = { 'state-store': 'artifact' };

async function open(workflow = reviewAgain('claude')) {
  const harness = await createHarness({ workflow });
  return { harness, shelf: harness.cache.shelf, pulls: await pullRuns(harness) };
}

describe('runs of forks that upload artifacts under the names of a pull request', () => {
  it('neither take the session from a run of the repository nor cause a warning', async () => {
    const { shelf, pulls } = await open();
    await pulls.push(7, '1001', { inputs, rules: verdict('One.') });
    await pulls.push(7, '1002', { inputs, rules: verdict('Two.') });
    for (const [index, { name, body }] of [...shelf.artifacts].entries())
      for (let copy = 0; copy < 12; copy += 1)
        shelf.add({
          name,
          body: body ?? Buffer.alloc(0),
          runId: 6000 + 20 * index + copy,
          headRepositoryId: 666,
        });
    const third = await pulls.push(7, '1003', { inputs, rules: verdict('Three.') });
    expect(lastLine(third)).toBe('review#1@1 resumed previous passed');
    expect(warningsOf(third)).toEqual([]);
  });
});

describe('a re-run', () => {
  const both = `name: flow
steps:
  - name: plan
    type: code
    agent: claude
    prompt: Plan.
  - name: review
    type: validate
    agent: claude
    session: from: review of previous run
    prompt: Review.
`;
  const planned = { prompt: 'Plan.', do: [{ say: 'ok' }] };

  it.each(['cache', 'artifact'])(
    'finds the earlier run as its first job attempt did, in %s',
    async (store) => {
      const { pulls } = await open(both);
      const stored = { 'state-store': store };
      await pulls.push(7, '1001', { inputs: stored, rules: [planned, ...verdict('One.')] });
      await pulls.push(7, '1002', {
        inputs: stored,
        rules: [{ prompt: 'Plan.', do: [{ say: 'no' }, { exit: 1 }] } as never],
      });
      const rerun = await pulls.run(7, '1002', {
        inputs: stored,
        jobAttempt: 2,
        rules: [planned, ...verdict('Two.')],
      });
      expect(lastLine(rerun)).toBe('review#1@2 resumed previous passed');
      const next = await pulls.push(7, '1003', { inputs: stored, rules: [planned, ...verdict('Three.')] });
      expect(lastLine(next)).toBe('review#1@1 resumed previous passed');
      expect(next.main.log).toContain('from run 1002');
      expect(warningsOf(next)).toEqual([]);
    },
  );
});

describe('a job without secrets', () => {
  it('says what to set, once, and starts a new session', async () => {
    const { pulls } = await open();
    const short = { credentials: 'none' as const, env: { ANTHROPIC_API_KEY: 'short' } };
    const run = await pulls.push(7, '1001', { inputs, ...short, rules: verdict('One.') });
    expect(lastLine(run)).toBe('review#1@1 new previous-not-found passed');
    const ofSessions = warningsOf(run).filter((text) => text.includes('sessions of earlier runs'));
    expect(ofSessions).toEqual([expect.stringContaining('Set the input `state-key` to a secret')]);
    expect(ofSessions.join()).not.toContain('Re-run the job');
  });

  it('stores nothing for the pull request of a fork, and posts nothing', async () => {
    const { harness, shelf, pulls } = await open();
    const { head, headRef } = await harness.repository.pullRequest(7, { 'a.ts': '1\n' });
    const run = await harness.runJob({
      inputs,
      credentials: 'none',
      apiUrl: pulls.github.url,
      event: pullRequestEvent({ number: 7, head, headRef, fork: 'eve' }),
      checkout: { ref: `refs/heads/${headRef}` },
    });
    expect(run.main.outputs.status).toBe('skipped');
    expect(shelf.artifacts).toEqual([]);
    expect(pulls.github.requests().filter(({ method }) => method !== 'GET')).toEqual([]);
    expect(await harness.calls()).toEqual([]);
  });
});
