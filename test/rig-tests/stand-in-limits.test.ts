/** A usage limit with a reset time, in the words of each CLI. */
import { describe, expect, it } from 'vitest';
import { runCli, useMachine } from './run-cli.js';

const rig = useMachine();

const clis: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['claude', ['-p', '--output-format', 'stream-json', '--verbose', '--dangerously-skip-permissions']],
  ['codex', ['exec', '--json', '--dangerously-bypass-approvals-and-sandbox', '-']],
  ['gemini', ['-o', 'stream-json', '--yolo', '--skip-trust']],
  ['qwen', ['-o', 'stream-json', '--yolo']],
  ['opencode', ['run', '--format', 'json']],
  ['cursor-agent', ['-p', '--output-format', 'stream-json', '--force', '--trust']],
];

describe.each(clis)('%s', (name, args) => {
  const resetsAt = Date.now() + 3 * 3_600_000;

  it('ends with the time of the reset after what it has done', async () => {
    await rig.standIn.script([{ do: [{ say: 'Half of it is done.' }, { usageLimit: { resetsAt } }] }]);
    const { stdout, code } = await runCli(rig.machine, name, args, 'work');
    expect(stdout).toContain('Half of');
    expect(stdout).toMatch(/resetsAt|(try again|retry) (at|in) \d|will reset (after|at) \d|retry-after/);
    if (name !== 'cursor-agent') expect(code).not.toBe(0);
  });
});
