/** What gates, `context` commands, setups and left processes did that they may not do: the attempt fails finally. */
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../src/failure.js';
import { createEngineHarness, type EngineHarnessOptions } from '../fakes/engine-harness.js';
import { agentStep, bashGate, groupStep, planOf, retryAtAttempt } from '../fakes/plan.js';

const violation: Failure = { kind: 'guard', message: 'A gate changed command files.', isFinal: true };
const retry = retryAtAttempt(2, {});

async function runSteps(
  options: Partial<EngineHarnessOptions>,
  steps: Parameters<typeof planOf>[0] = [
    agentStep('a', { gates: [bashGate('one'), bashGate('two')], retry: [retry] }),
    agentStep('b'),
  ],
) {
  const harness = createEngineHarness({ runAgent: () => ({}), ...options });
  const state = await harness.run(planOf(steps));
  return { harness, state, attempts: state.steps.get('a')?.attempts ?? [] };
}

describe('a gate that changes what no gate may change', () => {
  it('fails the attempt although the gates passed, and nothing more runs', async () => {
    const { harness, state, attempts } = await runSteps({ gateFailure: () => violation });
    expect(attempts).toHaveLength(1);
    expect(attempts[0]).toMatchObject({ status: 'failed', failure: violation });
    expect(state.runEnded).toMatchObject({ status: 'failed', failedStep: 'a' });
    expect(harness.calls).toHaveLength(1);
  });

  it('fails a group too, without another round', async () => {
    const group = groupStep('a', [agentStep('x')], { gates: [bashGate('one')], retry: [retry] });
    const { harness, attempts } = await runSteps({ gateFailure: () => violation }, [group]);
    expect(attempts).toHaveLength(1);
    expect(attempts[0]?.failure).toEqual(violation);
    expect(harness.calls).toHaveLength(1);
  });
});

describe('a `context` command that changes what it may not change', () => {
  it('fails the attempt before its agent starts', async () => {
    const step = agentStep('a', { context: [{ type: 'bash', command: 'x' }], retry: [retry] });
    const { harness, attempts } = await runSteps({ contextFailure: () => violation }, [step, agentStep('b')]);
    expect(attempts).toHaveLength(1);
    expect(attempts[0]?.failure).toEqual(violation);
    expect(harness.calls).toEqual([]);
  });
});

describe('a setup of a worktree that changes what it may not change', () => {
  it('fails the step, and no other branch starts', async () => {
    const group = groupStep(
      'a',
      ['x', 'y', 'z'].map((name) => agentStep(name)),
      { parallel: true },
    );
    const canOpenBranch = (branch: string) => (branch.includes('x') ? violation : true);
    const harness = createEngineHarness({ runAgent: () => ({}), canOpenBranch });
    const state = await harness.run(planOf([group, agentStep('b')]), { maxParallel: 1 });
    expect(state.steps.get('a')?.failure).toEqual(violation);
    expect(state.runEnded?.status).toBe('failed');
    expect(harness.calls).toEqual([]);
  });
});

describe('files that change while nothing runs', () => {
  const message =
    /^files changed while no agent and no command of this run was at work: `late\.txt`\. .* re-run the job\.$/;
  /** A file appears after the worktree was recorded, as often as the agent runs. */
  const late = (): Partial<EngineHarnessOptions> => {
    const files: { current?: Map<string, string> } = {};
    let count = 0;
    return {
      runAgent(_turn, own) {
        files.current = own;
        own.set('work.txt', 'work');
        return {};
      },
      ports: {
        sessions: {
          async export() {
            files.current?.set('late.txt', String(++count));
            return undefined;
          },
          copyRunning: async () => undefined,
          readUsage: async () => undefined,
          isStored: async () => true,
        },
      },
    };
  };

  it('fail the attempt before its gates run, finally', async () => {
    let gates = 0;
    const passesGate = () => ++gates > 0;
    const { attempts, harness, state } = await runSteps({ ...late(), passesGate });
    expect(attempts).toHaveLength(1);
    expect(attempts[0]?.failure).toEqual({
      kind: 'guard',
      message: expect.stringMatching(message),
      isFinal: true,
    });
    expect([gates, harness.calls.length, state.runEnded?.failedStep]).toEqual([0, 1, 'a']);
    // Only what the agent wrote is recorded.
    expect(attempts[0]?.files).toEqual(['work.txt']);
  });

  it('fail the next step before its agent starts', async () => {
    const { harness, state } = await runSteps(late(), [agentStep('a'), agentStep('b')]);
    expect(state.steps.get('a')?.status).toBe('passed');
    expect(state.steps.get('b')?.failure?.message).toMatch(message);
    expect(harness.calls).toHaveLength(1);
  });

  it('are no failure if a gate or a `context` command may have written them', async () => {
    const files: Map<string, string>[] = [];
    const { state } = await runSteps(
      {
        runAgent(_turn, own) {
          files.push(own);
          return {};
        },
        passesGate() {
          files[0]?.set('gate.txt', String(Math.random()));
          return true;
        },
        contextOutput() {
          files[0]?.set('context.txt', String(Math.random()));
          return 'x';
        },
      },
      [
        groupStep('a', [agentStep('x', { gates: [bashGate('one')] })], { gates: [bashGate('two')] }),
        agentStep('b', { context: [{ type: 'bash', command: 'x' }], gates: [bashGate('one')] }),
        agentStep('c', {
          agent: 'pass',
          context: [{ type: 'bash', command: 'x' }],
          gates: [bashGate('one')],
        }),
        agentStep('d'),
      ],
    );
    expect(state.runEnded?.status).toBe('passed');
  });
});
