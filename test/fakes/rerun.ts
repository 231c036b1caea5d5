/** A later job that goes on from what an earlier world left, after what does not hold any more was dropped. */
import type { RunState } from '../../src/journal/state.js';
import { fold } from '../../src/journal/state.js';
import type { Plan } from '../../src/plan/plan.js';
import { decideTakeover, type Takeover } from '../../src/plan/takeover.js';
import { createWorld, type RunWorld, type World, type WorldOptions } from './world.js';

export interface Rerun {
  readonly world: World;
  readonly state: RunState;
  readonly takeover: Takeover;
}

export async function rerun(
  before: World,
  plan: Plan,
  options: WorldOptions & { readonly onWorld?: (world: World) => void },
  told: RunWorld = {},
): Promise<Rerun> {
  const jobAttempt = told.jobAttempt ?? 2;
  const takeover = decideTakeover({
    plan,
    state: fold(before.events),
    job: 'j',
    jobAttempt,
    startTree: 'tree',
  });
  const { dropped, reason = '' } = takeover;
  const events = [...before.events];
  if (dropped.length > 0) events.push({ type: 'steps-dropped', steps: dropped, reason, at: 0 });
  const world = createWorld({ sessions: before, ...options, after: { ...before, events } });
  options.onWorld?.(world);
  return { world, state: await world.run(plan, { ...told, jobAttempt }), takeover };
}

/** The first line of every prompt that was sent, in order. */
export function prompts(world: World): readonly string[] {
  return world.calls.map((call) => call.prompt.split('\n')[0] ?? '');
}
