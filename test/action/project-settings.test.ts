/** `gump.toml`: where it is searched and what it sets. */
import { describe, expect, it } from 'vitest';
import { createHarness } from './harness.js';

const flow = `
name: flow
steps:
  - name: impl
    type: code
    prompt: write it
    gate: [test, lint]
    retry: [exit: 2]
`;

const settings = `
default_agent = "claude-haiku"

[validation]
timeout = "1s"
test_cmd = "seq 1000; sleep 30"
lint_cmd = "false"

[error_context]
max_error_chars = 100
`;

describe('gump.toml', () => {
  it('sets the agent, the gate commands, their time limit and the length of errors in prompts', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow, files: { 'gump.toml': settings } });
    const { main } = await harness.runJob({ inputs: { commands: 'lint: exit 0' } });
    expect(main.outputs).toMatchObject({ status: 'failed', 'failed-step': 'impl' });
    expect(main.log).toContain('gate test: failed');
    // The input takes precedence.
    expect(main.log).toContain('gate lint: passed');
    const calls = await harness.calls();
    expect(calls.map(({ provider }) => provider)).toEqual(['claude', 'claude']);
    expect(calls[1]?.prompt).toContain('characters left out');
    expect(calls[1]?.prompt.length).toBeLessThan(800);
  });

  it('is searched from the working directory upwards, and the nearest file applies', async () => {
    const files = {
      'gump.toml': 'default_agent = "claude-haiku"\n',
      'packages/gump.toml': 'default_agent = "codex"\n',
      'packages/a/.gump/workflows/flow.yaml': flow.slice(0, flow.indexOf('    gate')),
    };
    const harness = await createHarness({ workflow: flow, files });
    const inputs = { 'working-directory': 'packages/a' };
    await harness.runJob({ inputs });
    expect((await harness.calls()).map(({ provider }) => provider)).toEqual(['codex']);
  });

  it('fails the run if it has errors, which are reported together with those of the workflow', async () => {
    const broken = 'default_agent = "cluade"\nlog_level = "info"\n[validation]\ntimeout = 5\ntestcmd = "x"\n';
    const harness = await createHarness({
      workflow: flow.replace('type: code', 'type: cod'),
      files: { 'gump.toml': broken },
    });
    const { main } = await harness.runJob();
    expect(main.exitCode).toBe(1);
    expect(main.warnings).toEqual([expect.stringContaining('`validation.test_cmd`')]);
    expect(main.errors).toEqual([
      expect.stringMatching(/^gump\.toml:1: `default_agent` names no agent: unknown provider `cluade`/),
      expect.stringMatching(/^gump\.toml:4: `validation\.timeout` must be a duration/),
      expect.stringMatching(/flow\.yaml:5:11: .*\[bad-value\]/),
    ]);
    expect(await harness.calls()).toEqual([]);
  });
});
