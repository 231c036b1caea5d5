import { describe, expect, it } from 'vitest';
import { readResumeInputs } from '../../src/resume-runs/resume-inputs.js';
import type { RoundResult, RoundRun } from '../../src/resume-runs/resume-round.js';
import { roundSummary } from '../../src/resume-runs/round-summary.js';
import { nextTime, rerunIds } from '../../src/resume-runs/round-text.js';
import type { WorkflowRun } from '../../src/resume-runs/run-source.js';

const at = Date.parse('2026-11-28T18:00:00Z');
const rules = readResumeInputs((name) => (name === 'github-token' ? 't' : ''));

function runNamed(name: string, id: number, rest: Omit<RoundRun, 'run'>): RoundRun {
  const run: WorkflowRun = {
    id,
    name,
    number: id,
    workflowId: 1,
    path: '.github/workflows/agents.yml',
    status: 'completed',
    conclusion: 'failure',
    attempt: 2,
    createdAt: at,
    updatedAt: at,
    event: 'push',
    isOfFork: false,
  };
  return { run, ...rest };
}

const due = { kind: 'due', reason: 'limit', at } as const;
const summaryOf = (runs: readonly RoundRun[], more: Partial<RoundResult> = {}) =>
  roundSummary({
    result: { runs, unread: 0, ...more },
    rules,
    isDryRun: false,
    repositoryUrl: 'https://github.com/octo/sample',
  });

describe('the summary of a round', () => {
  it('says that there is nothing to re-run', () => {
    expect(summaryOf([])).toBe('### gump-action/resume: nothing to re-run\n');
  });

  it('has what was re-run, what waits, and what a person must look at, in this order', () => {
    const runs = [
      runNamed('a', 1, { decision: { kind: 'leave', why: 'no-progress' } }),
      runNamed('b', 2, { decision: { kind: 'wait', reason: 'time', at: at + 1000 } }),
      runNamed('c', 3, { decision: due, outcome: { kind: 'rerun' } }),
      runNamed('d', 4, { decision: { kind: 'leave', why: 'own', job: 'test' } }),
    ];
    expect(summaryOf(runs)).toBe(`### gump-action/resume: 1 re-run, 1 waiting

**Next:** a run is due at 2026-11-28T18:00:01Z.

| Run | Job attempt | Result | Why |
| --- | --- | --- | --- |
| [c #&#8203;3](https://github.com/octo/sample/actions/runs/3) | 2 | re-run | usage limit, due since 2026-11-28T18:00:00Z |
| [b #&#8203;2](https://github.com/octo/sample/actions/runs/2) | 2 | waits until 2026-11-28T18:00:01Z | time limit |
| [a #&#8203;1](https://github.com/octo/sample/actions/runs/1) | 2 | left alone | its last two job attempts made no progress. Read their logs, then re-run it yourself |

Left alone: failed for a reason of its own (1).
`);
    expect(rerunIds({ runs, unread: 0 })).toEqual([3]);
    expect(nextTime({ runs, unread: 0 })).toBe('2026-11-28T18:00:01Z');
  });

  it('shows names and texts of others as text', () => {
    const summary = summaryOf([
      runNamed('](https://evil) <b> | @octocat', 1, {
        decision: { kind: 'leave', why: 'own-next-to', job: 'x` <img> | [y](z)' },
      }),
      runNamed('b', 2, { decision: due, outcome: { kind: 'refused', message: '<i> no | @octocat' } }),
    ]);
    for (const raw of ['<b>', '<img>', '<i>', '@octocat']) expect(summary).not.toContain(raw);
    expect(summary).not.toMatch(/(?<!\\)\]\((?!https:\/\/github\.com\/octo)/);
    for (const row of summary.split('\n').filter((line) => line.startsWith('| [')))
      expect(row.match(/(?<!\\)\|/g)).toHaveLength(5);
  });

  it('stays below the limit of GitHub, with many runs', () => {
    const runs = Array.from({ length: 3000 }, (_, id) =>
      runNamed('a'.repeat(100), id, { decision: { kind: 'wait', reason: 'limit', at } }),
    );
    const summary = summaryOf(runs);
    expect(summary.length).toBeLessThan(1_000_000);
    expect(summary).toContain('2500 more runs.');
  });

  it('says why the round ended early', () => {
    const limited = { stoppedBy: 'limited', message: 'GitHub: too many' } as const;
    const text = summaryOf([runNamed('a', 1, { decision: due, outcome: { kind: 'postponed' } })], {
      unread: 7,
      stop: limited,
    });
    expect(text).toContain('were not read: 7; due runs that were not re-run: 1.');
    expect(summaryOf([], { stop: { stoppedBy: 'permission', message: 'GitHub: no' } })).toContain(
      'Add these lines',
    );
  });
});
