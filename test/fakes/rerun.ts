/** A later job that continues from the state of an earlier harness, without results that are dropped. */
import type { RunState } from '../../src/journal/run-state.js';
import { foldEvents } from '../../src/journal/run-state.js';
import type { Plan } from '../../src/plan/plan.js';
import { decideReuse, type ReuseDecision } from '../../src/plan/reuse.js';
import {
  createEngineHarness,
  type EngineHarness,
  type EngineHarnessOptions,
  type HarnessRunOptions,
} from './engine-harness.js';

export interface Rerun {
  readonly harness: EngineHarness;
  readonly state: RunState;
  readonly reuse: ReuseDecision;
}

export async function rerun(
  before: EngineHarness,
  plan: Plan,
  options: EngineHarnessOptions & { readonly onCreate?: (harness: EngineHarness) => void },
  runOptions: HarnessRunOptions = {},
): Promise<Rerun> {
  const jobAttempt = runOptions.jobAttempt ?? 2;
  const reuse = decideReuse({
    plan,
    state: foldEvents(before.events),
    job: 'j',
    jobAttempt,
    startDifferences: new Map(),
  });
  const { dropped, reason = '' } = reuse;
  const events = [...before.events];
  if (dropped.length > 0) events.push({ type: 'steps-dropped', steps: dropped, reason, at: 0 });
  const harness = createEngineHarness({ sessions: before, ...options, previous: { ...before, events } });
  options.onCreate?.(harness);
  return { harness, state: await harness.run(plan, { ...runOptions, jobAttempt }), reuse };
}

/** The first line of every prompt, in order. */
export function firstPromptLines(harness: EngineHarness): readonly string[] {
  return harness.calls.map((call) => call.prompt.split('\n')[0] ?? '');
}
