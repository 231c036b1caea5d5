/** For any workflow and any lost machines: the run ends, nothing is paid for twice, and the order is kept. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JournalEvent } from '../../src/journal/event.js';
import { applyEvent, emptyState, type RunState } from '../../src/journal/run-state.js';
import { defined } from '../../src/optional-keys.js';
import { expandPlan, type PlacedStep } from '../../src/plan/placed-step.js';
import type { Plan } from '../../src/plan/plan.js';
import type { Pause, Step } from '../../src/workflow/workflow.js';
import {
  createEngineHarness,
  type EngineHarness,
  type FakeAgent,
  MachineLost,
} from '../fakes/engine-harness.js';
import { holds } from '../fakes/holds.js';
import {
  agentStep,
  bashGate,
  callOf,
  callStep,
  exitAfter,
  gateStep,
  groupStep,
  parallelSplit,
  planOf,
  retryAtAttempt,
  reviewCall,
  splitStep,
  validateGate,
} from '../fakes/plan.js';
import { rerun } from '../fakes/rerun.js';

/** A step without a name. Names follow from the position, so that all differ. */
type StepFactory = (name: string) => Step;

interface FailureSpec {
  /** How often the agent, the gates or the validator fail before they succeed. */
  readonly agentFailures: number;
  readonly gateFailures: number;
  readonly reviewFailures: number;
  readonly exit: number;
  readonly hitl?: Pause | undefined;
  readonly isFresh: boolean;
  readonly isReset: boolean;
}

const count = (max: number) => fc.nat({ max });

const failureSpec: fc.Arbitrary<FailureSpec> = fc.record({
  agentFailures: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, count(2)),
  gateFailures: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, count(2)),
  reviewFailures: fc.oneof({ weight: 4, arbitrary: fc.constant(-1) }, count(2)),
  exit: fc.integer({ min: 1, max: 3 }),
  hitl: fc.oneof(
    { weight: 6, arbitrary: fc.constant(undefined) },
    fc.constantFrom<Pause>('before-gate', 'after-gate'),
  ),
  isFresh: fc.boolean(),
  isReset: fc.boolean(),
});

/** The gates and retries of each kind of step. */
function failureFields(
  name: string,
  { gateFailures, reviewFailures, exit, hitl, isFresh, isReset }: FailureSpec,
) {
  const judge = reviewCall({}, { prompt: `judge ${name} fails ${reviewFailures} end` });
  const overrides = {
    ...(isFresh ? { session: 'new' as const } : {}),
    ...(isReset ? { worktree: 'reset' as const } : {}),
  };
  return {
    gates: [
      ...(gateFailures > 0 ? [bashGate(`${name} fails ${gateFailures} end`)] : []),
      ...(reviewFailures >= 0 ? [validateGate('review', judge)] : []),
    ],
    retry: [...(exit > 1 ? [retryAtAttempt(2, overrides)] : []), exitAfter(exit)],
    ...defined({ hitl }),
  };
}

const agent = fc.tuple(failureSpec, fc.boolean(), count(3)).map(
  ([one, isShared, kind]): StepFactory =>
    (name) => {
      const marks = `${name} {task.name} fails ${one.agentFailures} end${isShared ? ' shared' : ''}`;
      const get = callOf('arch', [agentStep('look', { type: 'artifact', prompt: `look ${marks}` })]);
      return agentStep(name, {
        ...failureFields(name, one),
        prompt: `do ${marks}`,
        ...(kind === 1 ? { type: 'artifact' } : {}),
        ...(kind === 2 ? { get } : {}),
      });
    },
);

const gates = count(2).map(
  (fails): StepFactory =>
    (name) =>
      gateStep(name, [bashGate(`${name} fails ${fails} end`)]),
);

const buildSteps = (shapes: readonly StepFactory[], name: string) =>
  shapes.map((shape, index) => shape(`${name}-${index}`));

const { step } = fc.letrec<{ step: StepFactory }>((tie) => {
  const inner = fc.array(tie('step'), { minLength: 1, maxLength: 3 });
  const group = fc.tuple(inner, failureSpec, fc.boolean()).map(
    ([shapes, one, parallel]): StepFactory =>
      (name) =>
        groupStep(name, buildSteps(shapes, name), { ...failureFields(name, one), parallel }),
  );
  const call = fc.tuple(inner, failureSpec).map(
    ([shapes, one]): StepFactory =>
      (name) =>
        callStep(name, callOf('sub', buildSteps(shapes, name)), failureFields(name, one)),
  );
  const split = fc.tuple(inner, failureSpec, count(3), fc.boolean()).map(
    ([shapes, one, tasks, parallel]): StepFactory =>
      (name) =>
        (parallel ? parallelSplit : splitStep)(name, buildSteps(shapes, name), {
          ...failureFields(name, one),
          prompt: `plan ${name} fails ${one.agentFailures} end ${tasks}`,
        }),
  );
  return {
    step: fc.oneof({ maxDepth: 2, depthIdentifier: 'step' }, agent, agent, gates, group, call, split),
  };
});

const workflow = fc
  .array(step, { minLength: 1, maxLength: 3 })
  .map((shapes): readonly Step[] => buildSteps(shapes, 's'));

/** How often something failed, over all jobs. */
function createFailureCounter(): (what: string) => boolean {
  const counts = new Map<string, number>();
  return (what) => {
    const done = counts.get(what) ?? 0;
    counts.set(what, done + 1);
    return done < Number(/ fails (-?\d+) end/.exec(what)?.[1] ?? 0);
  };
}

/** `isSlow`: agents work long enough to be recorded. */
function createAgent(mustFail: (what: string) => boolean, crashes: number[], isSlow: boolean): FakeAgent {
  let made = 0;
  return async (turn, files) => {
    const line = turn.prompt.split('\n')[0] ?? '';
    made += 1;
    // The timeout of the test runner cannot fire, because nothing here waits for anything outside.
    if (made > 5000) throw new Error('The run does not end.');
    for (let turns = line.length % 7; turns > 0; turns -= 1) await (isSlow ? nextTurn() : undefined);
    const left = crashes[0];
    if (left !== undefined) crashes[0] = left - 1;
    if (left === 0) {
      crashes.shift();
      return { crash: true };
    }
    const isFailing = mustFail(line);
    if (line.startsWith('judge'))
      return { output: JSON.stringify({ pass: !isFailing, comments: 'as it is' }) };
    if (isFailing) return { failure: { kind: 'crash', message: 'failed' } };
    if (line.startsWith('plan')) return { output: planText(Number(line.at(-1))) };
    if (turn.prompt.includes('artifact.txt')) return { output: 'text' };
    files.set(line.replaceAll(/\W/g, '-'), 'x');
    if (line.endsWith('shared')) files.set('shared', `${files.get('shared') ?? ''}${line};`);
    return {};
  };
}

const planText = (tasks: number) => JSON.stringify(['a', 'b', 'c'].slice(0, tasks).map((name) => ({ name })));

/** Every event is allowed at its position. */
function checkOrder(plan: Plan, events: readonly JournalEvent[]): void {
  let state = emptyState;
  for (const event of events) {
    if (event.type === 'attempt-started') checkAttempt(state, event);
    if (event.type === 'step-started') checkStart(plan, state, event.step);
    state = applyEvent(state, event);
  }
}

/** No passed step runs again, and no turn with a recorded answer is sent again. */
function checkAttempt(state: RunState, event: Extract<JournalEvent, { type: 'attempt-started' }>): void {
  const known = state.steps.get(event.step);
  if (known === undefined) throw new Error(`${event.step} was not begun`);
  if (known.status === 'passed') throw new Error(`${event.step} runs though it has passed`);
  const last = known.attempts.at(-1);
  if (last?.status !== 'running' || !last.hasAgentEnded || last.snapshot === undefined) return;
  if (last.failure === undefined && event.provider !== undefined && event.standsAgain !== true)
    throw new Error(`the agent of ${event.step} runs again`);
}

/** The steps before it in its branch have passed. */
function checkStart(plan: Plan, state: RunState, path: string): void {
  if (path.includes(':')) return;
  const steps = expandPlan(plan, state).filter((one) => !one.path.includes(':'));
  const place = steps.findIndex((one) => one.path === path);
  const own = steps[place];
  if (own === undefined) throw new Error(`${path} is not planned`);
  const before = steps.slice(0, place).filter((one) => isBefore(one, own));
  const missing = before.filter((one) => state.steps.get(one.path)?.status !== 'passed');
  if (missing.length > 0)
    throw new Error(`${path} was begun before ${missing.map((one) => one.path).join()}`);
}

function isBefore(one: PlacedStep, own: PlacedStep): boolean {
  return one.scope.branchPrefix === own.scope.branchPrefix && !own.path.startsWith(`${one.path}/`);
}

/** Runs jobs until one passes. Each continues from the last checkpoint of the job before, or from its whole journal. */
async function runToEnd(
  steps: readonly Step[],
  crashes: readonly number[],
  isTruncated: boolean,
  maxParallel: number,
  isRecordedAtWork: boolean,
): Promise<void> {
  const mustFail = createFailureCounter();
  const gateFails = createFailureCounter();
  const left = [...crashes];
  const options = {
    runAgent: createAgent(mustFail, left, isRecordedAtWork),
    passesGate: ({ name }: { readonly name: string }) => !gateFails(name),
  };
  let harness: EngineHarness = createEngineHarness(options);
  let approve: string | undefined;
  for (let jobAttempt = 1; jobAttempt < 300; jobAttempt += 1) {
    const plan = planOf(steps, approve === undefined ? {} : { approve });
    const atWork = isRecordedAtWork ? { checkpointIntervalMs: 1 } : {};
    const runOptions = { jobAttempt, maxParallel, ...atWork };
    const before = harness;
    let end: RunState['runEnded'];
    try {
      const next = await rerun(before, plan, { ...options, onCreate: (one) => (harness = one) }, runOptions);
      expect(next.reuse.dropped).toEqual([]);
      end = next.state.runEnded;
      checkOrder(plan, harness.events);
    } catch (error) {
      if (!(error instanceof MachineLost)) throw error;
      checkOrder(plan, harness.events);
      if (isTruncated)
        harness.events.length = Math.max(harness.storedJournalLengths.at(-1) ?? 0, before.events.length);
    }
    if (end?.status === 'passed') return;
    approve = end?.status === 'paused' ? end.failedStep : undefined;
  }
  throw new Error('The run does not end.');
}

it('ends with success when nothing fails any more', async () => {
  await holds(
    fc.asyncProperty(
      workflow,
      fc.array(fc.nat({ max: 12 }), { maxLength: 4 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 3 }),
      fc.boolean(),
      runToEnd,
    ),
    40,
  );
});
