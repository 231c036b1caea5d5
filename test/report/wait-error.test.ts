/** The error of a run that waits, as GitHub stores it: cut after 4,096 characters. */
import { expect, it } from 'vitest';
import { reportWait } from '../../src/action/report-wait.js';
import type { RunResult } from '../../src/action/run-result.js';
import { createLog } from '../../src/report/log.js';
import { readResumeMark } from '../../src/report/resume-mark.js';
import { createRedactor } from '../../src/security/redact.js';
import { createEngineHarness } from '../fakes/engine-harness.js';
import { agentStep, planOf } from '../fakes/plan.js';

const hours = 3_600_000;

it('keeps what a re-run does, and the mark, however long the words of the service are', async () => {
  const message = `limit ${'x'.repeat(9000)}`;
  const harness = createEngineHarness({
    runAgent: () => ({ failure: { kind: 'rate-limit', message, acceptsAgainAt: 3 * hours } }),
  });
  const state = await harness.run(planOf([agentStep('impl')]));
  let output = '';
  const log = createLog({
    write: (text) => {
      output += text;
    },
    redact: createRedactor([]),
    isDebug: false,
    helpFor: () => 'https://example.com/help',
  });
  const facts = { state, failedStep: 'impl', persisted: true, isInCache: true, now: 0 };
  reportWait(log, facts as unknown as RunResult);
  const text = output.slice(output.indexOf('::', 2) + 2).replaceAll('%0A', '\n');
  const kept = text.slice(0, 4096);
  expect(kept).toContain('limit xxx');
  expect(kept).toContain('"Re-run failed jobs" after 1970-01-01 03:00 UTC');
  expect(readResumeMark(kept)).toMatchObject({ reason: 'limit', at: 3 * hours });
});
