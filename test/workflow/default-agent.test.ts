/** The default agent of a project, for steps that name no agent. */
import { describe, expect, it } from 'vitest';
import { withDefaultAgent } from '../../src/workflow/default-agent.js';
import type { Step, Workflow } from '../../src/workflow/workflow.js';
import { parseWorkflow } from '../fakes/parse-workflow.js';
import { agentStep, exitAfter, gateStep, splitStep } from '../fakes/plan.js';

const flow = `
name: flow
steps:
  - name: plan
    type: split
    prompt: split the work
    each:
      - name: impl
        type: code
        prompt: build it
      - name: own
        type: code
        prompt: build it
        agent: codex
  - name: look
    type: validate
    get: {prompt: look}
  - name: quality
    gate: [lint]
`;

function workflowOf(steps: readonly Step[]): Workflow {
  return { name: 'flow', source: '', sessionMatch: 'agent', onPause: 'fail', budget: {}, steps };
}

const codes = (text: string, defaultAgent?: string) =>
  parseWorkflow(text, { file: 'flow.yaml', ...(defaultAgent ? { defaultAgent } : {}) }).diagnostics.map(
    ({ code }) => code,
  );

describe('a default agent', () => {
  it('is the agent of exactly the steps that name none', () => {
    const { workflow, diagnostics } = parseWorkflow(flow, {
      file: 'flow.yaml',
      defaultAgent: 'claude-haiku',
    });
    expect(diagnostics).toEqual([]);
    expect(workflow?.steps).toMatchObject([
      {
        planner: { agent: 'claude-haiku' },
        each: [
          { name: 'impl', agent: 'claude-haiku' },
          { name: 'own', agent: 'codex' },
        ],
      },
      { name: 'look', agent: 'claude-haiku' },
      { kind: 'gates' },
    ]);
    expect(workflow?.steps[2]).not.toHaveProperty('agent');
  });

  it('is required by each of these steps if it is not set', () => {
    expect(codes(flow)).toEqual(['missing-agent', 'missing-agent', 'missing-agent']);
  });

  it('also applies to called workflows, and keeps a shared workflow shared', () => {
    const review = { ...workflowOf([agentStep('review', { agent: '' })]), name: 'review' };
    const call = { path: 'review', workflow: review, inputs: {} };
    const common = {
      gates: [{ name: 'review', type: 'validate' as const, call }],
      retry: [{ when: { validate: call }, overrides: {} }, exitAfter(2)],
      guard: {},
    };
    const steps: readonly Step[] = [
      { ...agentStep('a', { agent: '', get: call }), ...common },
      { kind: 'call', name: 'b', call, ...common },
      { kind: 'group', name: 'c', parallel: true, steps: [agentStep('d', { agent: '' })], ...common },
      {
        ...splitStep('e', [gateStep('f', common.gates)], { agent: '' }),
        gates: common.gates,
        retry: common.retry,
      },
    ];
    const filled = withDefaultAgent(workflowOf(steps), 'codex');
    expect(JSON.stringify(filled)).not.toContain('"agent":""');
    const [first, second] = filled.steps;
    if (first?.kind !== 'agent' || second?.kind !== 'call')
      throw new Error('The kinds of the steps changed.');
    expect(first.get?.workflow).toBe(second.call.workflow);
    expect(first.gates[0]).toMatchObject({ call: { workflow: { steps: [{ agent: 'codex' }] } } });
  });

  it('does not hide a misspelled key', () => {
    expect(codes(flow.replace('agent: codex', 'agnet: codex'), 'claude')).toEqual(['unknown-key']);
  });
});
