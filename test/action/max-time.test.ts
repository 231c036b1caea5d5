/** The input `max-time` through `dist/`: a job that stops itself, and a re-run that continues. */
import { expect, it } from 'vitest';
import { createHarness } from './harness.js';

const workflow = `name: flow
steps:
  - {name: impl, type: code, agent: claude-haiku, prompt: Build it.}
  - {name: docs, type: code, agent: codex, prompt: Write it down.}
`;

it('stops the running agent and stores the state, and a re-run resumes the session', async () => {
  const harness = await createHarness({ code: 'dist', workflow });
  const { main } = await harness.runJob({
    inputs: { 'max-time': '5s' },
    rules: [{ prompt: 'Build it.', do: [{ write: 'begun.txt', say: 'I begin.' }, { hang: true }] }],
  });
  expect(main.exitCode).toBe(1);
  expect(main.outputs).toMatchObject({ status: 'waiting', 'failed-step': 'impl', persisted: 'true' });
  expect(main.report?.failure).toMatchObject({ kind: 'timeout' });
  expect(main.report?.steps[0]?.attempts[0]).toMatchObject({ number: 1, status: 'cancelled' });
  expect(main.errors.join()).toMatch(
    /`impl` was stopped \(timeout\): .*max-time.*resumes the session of step `impl`/,
  );
  expect(main.masked).toContain('was stopped (timeout)');
  const { main: rerun } = await harness.runJob({ jobAttempt: 2, inputs: { 'max-time': '5m' } });
  expect(rerun.outputs.status).toBe('passed');
  expect(rerun.report?.steps[0]?.attempts).toMatchObject([
    { number: 1, jobAttempt: 1 },
    { number: 1, jobAttempt: 2, session: { effective: 'resumed', reason: 'continued' } },
  ]);
  // The summary shows what resuming the session cost.
  expect(rerun.summary).toMatch(/resuming cost \d+ input tokens/);
  const calls = await harness.calls();
  expect(calls.map(({ provider, session }) => `${provider} ${session.mode}`)).toEqual([
    'claude start',
    'claude resume',
    'codex start',
  ]);
});
