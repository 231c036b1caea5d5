import { expect, it } from 'vitest';
import { runShell } from '../../src/gates/run-shell.js';
import type { ProcessSpec } from '../../src/system/process.js';

it('gives a command less time to end after the run was cancelled', async () => {
  const specs: ProcessSpec[] = [];
  const run = async (spec: ProcessSpec) => {
    specs.push(spec);
    return { reason: 'exited', code: 0, stderrTail: '', durationMs: 1 } as const;
  };
  const job = new AbortController();
  const setting = { directory: '/', env: {}, processes: { run }, signal: job.signal, timeoutMs: 1000 };
  await runShell('true', setting);
  const grace = specs[0]?.graceMs;
  if (typeof grace !== 'function') throw new Error('The grace period is not a function.');
  const before = grace();
  job.abort();
  expect([before, grace()]).toEqual([5000, 1000]);
});
