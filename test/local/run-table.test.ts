import { expect, it } from 'vitest';
import { runTable } from '../../src/local/run-table.js';
import type { Report } from '../../src/report/report.js';

const attempt = (more: object) => ({
  number: 1,
  jobAttempt: 1,
  agent: 'claude-haiku',
  status: 'passed',
  gates: [],
  ...more,
});

it('shows steps in 80 columns, a number that no CLI reported as absent, and the total', () => {
  const report = {
    steps: [
      {
        path: 'build/a-task-with-a-long-name-that-nobody-would-choose/implementation-of-it',
        status: 'failed',
        attempts: [
          attempt({ usage: { inputTokens: 900_000, outputTokens: 1200, costUsd: 1.5 }, durationMs: 60_000 }),
          attempt({
            usage: { inputTokens: 200_000, outputTokens: 30, costUsd: 0.5, costIsEstimate: true },
            gates: [
              { name: 'touched_0', status: 'passed' },
              { name: 'test', status: 'failed' },
            ],
          }),
        ],
      },
      { path: 'first', status: 'passed', takenOver: true, attempts: [attempt({ usage: {} })] },
      { path: 'last', status: 'not-run', agent: 'codex', attempts: [] },
    ],
    totals: { inputTokens: 1_100_000, outputTokens: 1230, costUsd: 2, costIsIncomplete: true },
  } as unknown as Report;
  const lines = runTable(report);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(lines[1]).toMatch(
    /^✗ build\/a-.*… {2}claude-haiku {2}2 +✗ test {2}1\.1M \/ 1230 {2}~\$2\.00 +1 min 0 s$/,
  );
  expect(lines[2]).toMatch(/^✓ first .*claude-haiku +1$/);
  expect(lines[3]).toMatch(/^ {2}last +codex$/);
  expect(lines[4]).toMatch(/^ {2}Total .* 1\.1M \/ 1230 {2}≥ \$2\.00$/);
});
