/** A job that is cancelled after its last step and before its result is published. */
import { expect, it } from 'vitest';
import { publishResult } from '../../src/action/publish.js';
import type { PreparedRun, RunRequest } from '../../src/action/run-context.js';
import type { JournalEvent } from '../../src/journal/event.js';
import { foldEvents, type RunState } from '../../src/journal/run-state.js';

it('has not passed, and publishes nothing', async () => {
  const stored: RunState[] = [];
  const passed = foldEvents([{ type: 'run-ended', status: 'passed', jobAttempt: 1, at: 0 }]);
  const request = {
    publishTarget: { apply: 'push', branch: 'main' },
    signal: AbortSignal.abort(),
    actionContext: { job: { jobAttempt: 1 } },
  } as unknown as RunRequest;
  const prepared = {
    live: { hasError: () => false },
    journal: { append: (event: object) => ({ ...event, at: 1 }) as JournalEvent },
    ports: { checkpoints: { store: async (state: RunState) => void stored.push(state) } },
  } as unknown as PreparedRun;
  const state = await publishResult(request, prepared, passed);
  expect(state.runEnded).toMatchObject({ status: 'cancelled', unpublished: 'push' });
  expect(state.published).toEqual([]);
  expect(stored).toEqual([state]);
});
