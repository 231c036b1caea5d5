/** A command of `context` that fails, above all a git command in a checkout without the history. */
import { describe, expect, it } from 'vitest';
import { createHarness, type HarnessOptions, type RunJobOptions } from './harness.js';

const workflowWith = (entry: string) => `name: flow
steps:
  - name: review
    type: code
    agent: claude-haiku
    context: [${entry}]
    prompt: Review it.
`;

async function runWith(
  entry: string,
  options: RunJobOptions = {},
  code: NonNullable<HarnessOptions['code']> = 'src',
) {
  const harness = await createHarness({ code, workflow: workflowWith(entry) });
  const { main } = await harness.runJob({ changes: { 'later.txt': 'second commit' }, ...options });
  return { main, calls: await harness.calls() };
}

const hint = 'Set `fetch-depth: 0` for `actions/checkout`.';

describe('a git range in `context`', () => {
  it('that the shallow checkout lacks fails the step before its agent starts, and names `fetch-depth`', async () => {
    const { main, calls } = await runWith('{bash: git log HEAD~1..HEAD}', {}, 'dist');
    expect(main.outputs, main.log).toMatchObject({ status: 'failed', 'failed-step': 'review' });
    expect(main.errors).toEqual([
      expect.stringMatching(
        /`context`: the command `git log HEAD~1\.\.HEAD` ended with exit code 128: fatal: .*'HEAD~1\.\.HEAD'/,
      ),
    ]);
    expect(main.errors[0]).toContain(hint);
    expect(calls).toEqual([]);
  });

  it('is in the prompt if the checkout has the history', async () => {
    const { main, calls } = await runWith('{bash: "git log --format=%s HEAD~1..HEAD"}', {
      checkout: { depth: 0 },
    });
    expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
    expect(calls[0]?.prompt).toContain('Output of `git log --format=%s HEAD~1..HEAD`:');
  });

  it('gets no such hint if the checkout has the history, or if no commit is missing', async () => {
    const complete = await runWith('{bash: git log nothing..HEAD}', { checkout: { depth: 0 } });
    const other = await runWith('{bash: "git log --no-such-option"}');
    for (const { main } of [complete, other]) {
      expect(main.outputs.status).toBe('failed');
      expect(main.errors.join()).not.toContain(hint);
    }
  });

  it('that is optional is left out, with what the command printed', async () => {
    const { main, calls } = await runWith('{bash: git log HEAD~1..HEAD, optional: true}');
    expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
    expect(main.warnings).toEqual([expect.stringContaining('ended with exit code 128: fatal:')]);
    expect(calls[0]?.prompt).not.toContain('git log');
  });
});
