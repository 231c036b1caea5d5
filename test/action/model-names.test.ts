/** Agent names that come from outside the workflow must not become options of a CLI. */
import { describe, expect, it } from 'vitest';
import { createHarness } from './harness.js';

const option = 'qwen---allowed-tools=run_shell_command';
const env = { OPENAI_API_KEY: 'sk-proj-CANARY-9876543210zyxwvutsrq' };

describe('a model that is no name', () => {
  it('from an earlier step starts no agent', async () => {
    const workflow = `name: flow
steps:
  - name: pick
    type: artifact
    agent: claude-haiku
    prompt: Choose the reviewer.
  - name: review
    type: validate
    agent: "{pick.output}"
    prompt: Review it.
`;
    const harness = await createHarness({ workflow, code: 'dist' });
    const { main } = await harness.runJob({
      env,
      rules: [{ prompt: 'Choose the reviewer.', do: [{ write: '.gump/out/artifact.txt', content: option }] }],
    });
    expect(main.exitCode).toBe(1);
    expect(main.log).toContain(`the model in agent "${option}" is not a model name.`);
    expect(main.outputs['failed-step']).toBe('review');
    expect((await harness.calls()).map(({ provider }) => provider)).toEqual(['claude']);
  });

  it('in the input `agent` is reported before anything starts', async () => {
    const workflow = 'name: flow\nsteps:\n  - name: a\n    type: code\n    agent: claude\n    prompt: go\n';
    const harness = await createHarness({ workflow, code: 'dist' });
    const { main } = await harness.runJob({ env, inputs: { agent: option } });
    expect(main.exitCode).toBe(1);
    expect(main.log).toContain(`the model in agent "${option}" is not a model name.`);
    expect(await harness.calls()).toEqual([]);
  });
});
