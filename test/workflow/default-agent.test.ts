/** The agent that a project names for steps that name none. */
import { describe, expect, it } from 'vitest';
import { parseWorkflow } from '../../src/workflow/parse.js';

const flow = `
name: flow
steps:
  - name: plan
    type: split
    prompt: cut it
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

const codes = (text: string, defaultAgent?: string) =>
  parseWorkflow(text, { file: 'flow.yaml', ...(defaultAgent ? { defaultAgent } : {}) }).diagnostics.map(
    ({ code }) => code,
  );

describe('a default agent', () => {
  it('stands in where a step names none, and only there', () => {
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

  it('is missed by each of them without one', () => {
    expect(codes(flow)).toEqual(['missing-agent', 'missing-agent', 'missing-agent']);
  });

  it('does not hide a slip', () => {
    expect(codes(flow.replace('agent: codex', 'agnet: codex'), 'claude')).toEqual(['unknown-key']);
  });
});
