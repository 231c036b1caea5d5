/** The runner's command files: what agents, gates and other commands write to them affects no later step. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import type { Machine, StageResult } from '../rig/machine.js';
import type { AgentAction } from '../rig/stand-in.js';
import { createHarness } from './harness.js';

const evil =
  'for f in "$RUNNER_TEMP"/_runner_file_commands/*; do case "$f" in *_other) ;; *) echo EVIL=1 >> "$f" ;; esac; done';

/** An agent writes a script that somebody else runs. */
const writeScript: AgentAction = { write: 'check.sh', content: `${evil}\n` };

const step = (name: string, more: string) => `
  - {name: ${name}, type: code, agent: claude, prompt: ${name}${more}}`;

const flowOf = (...steps: readonly string[]) => `name: flow\nsteps:${steps.join('')}\n`;

function expectUntouched({ environment, path, outputs, state, summary }: StageResult): void {
  expect([environment, path, outputs.EVIL, state.EVIL]).toEqual([{}, [], undefined, undefined]);
  expect(summary).not.toContain('EVIL=1\n');
}

const commandFolder = ({ temp }: Machine) => join(temp, '_runner_file_commands');

describe('a command that writes to command files of the runner', () => {
  it('fails the run if it is a gate that passes, and nothing more runs', async () => {
    const gate = ', gate: [{bash: "sh check.sh"}, {bash: "touch second-gate"}]';
    const harness = await createHarness({
      code: 'dist',
      workflow: flowOf(step('one', gate), step('two', '')),
    });
    const { main, post } = await harness.runJob({ rules: [{ prompt: 'one', do: [writeScript] }] });
    expect(main.errors).toEqual([
      expect.stringMatching(
        /^Step `one` failed at attempt 1 \(guard\): A gate changed command files of the runner \(.*set_env_.*\)\. The change was undone\. The run stops\./,
      ),
    ]);
    expectUntouched(main);
    expect(main.outputs).toMatchObject({ status: 'failed', 'failed-step': 'one' });
    expect(main.log).not.toMatch(/gate touch second-gate: passed/);
    expect(await harness.calls()).toHaveLength(1);
    expect(post?.errors).toEqual([]);
  });

  it('fails the step if it is a `context` command', async () => {
    const context = ', context: [{bash: "sh check.sh"}]';
    const harness = await createHarness({ workflow: flowOf(step('one', ''), step('two', context)) });
    const { main } = await harness.runJob({ rules: [{ prompt: 'one', do: [writeScript] }] });
    expect(main.errors).toEqual([
      expect.stringMatching(/^Step `two` failed .*\(guard\): A command of `context` changed command files/),
    ]);
    expectUntouched(main);
    expect(await harness.calls()).toHaveLength(1);
  });

  it('fails the run if it is `worktree-setup`, in a parallel branch and after a restore', async () => {
    const workflow = `name: flow
steps:
  - {name: one, type: code, agent: claude, prompt: one}
  - name: both
    parallel: true
    steps:
      - {name: a, type: code, agent: claude, prompt: a}
      - {name: b, type: code, agent: claude, prompt: b}
`;
    const harness = await createHarness({ workflow });
    const inputs = { 'worktree-setup': 'sh check.sh' };
    const { main } = await harness.runJob({ inputs, rules: [{ prompt: 'one', do: [writeScript] }] });
    expect(main.errors).toEqual([
      expect.stringMatching(
        // Two commands run at once.
        /^Step `both` .*: (?:The command of `worktree-setup`|An agent or a command) changed command files/,
      ),
    ]);
    expectUntouched(main);
    const rerun = await harness.runJob({ jobAttempt: 2, inputs });
    expect(rerun.main.errors).toEqual([
      expect.stringMatching(/^The command of `worktree-setup` changed command files of the runner/),
    ]);
    expectUntouched(rerun.main);
    expect(await harness.calls()).toHaveLength(1);
  });
});

describe('the command files of other steps of the job', () => {
  it('stay as they are, and the run passes although they change', async () => {
    const harness = await createHarness({
      code: 'dist',
      workflow: flowOf(step('one', ', gate: [{bash: "true"}]')),
    });
    const other = (machine: Machine) => join(commandFolder(machine), 'set_output_other');
    let theirs = '';
    const { main } = await harness.runJob({
      rules: [
        {
          do: [
            { run: 'echo during=1 >> "$RUNNER_TEMP"/_runner_file_commands/set_output_other' },
            { run: 'echo new=1 > "$RUNNER_TEMP"/_runner_file_commands/set_env_other' },
          ],
        },
      ],
      async inspect(machine) {
        theirs = await readFile(other(machine), 'utf8');
        theirs += await readFile(join(commandFolder(machine), 'set_env_other'), 'utf8');
      },
    });
    expect(main.outputs.status).toBe('passed');
    expect(theirs).toBe('during=1\nnew=1\n');
  });
});

describe('what a process of an earlier step wrote to the new command files', () => {
  it('affects neither `main` nor `post`', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gump-early-'));
    cleanUpAfterTest(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'early.cjs');
    // Runs after the runner has created the files and before the action. Later processes do not get their names.
    await writeFile(
      file,
      `for (const name of ['ENV', 'PATH', 'OUTPUT', 'STATE', 'STEP_SUMMARY'])
        if (process.env['GITHUB_' + name]) require('fs').appendFileSync(process.env['GITHUB_' + name], 'EVIL=1\\n');`,
    );
    const harness = await createHarness({ code: 'dist', workflow: flowOf(step('one', '')) });
    const { main, post } = await harness.runJob({ env: { NODE_OPTIONS: `--require=${file}` } });
    expect(main.outputs.status).toBe('passed');
    expectUntouched(main);
    if (post === undefined) throw new Error('post did not run');
    expectUntouched(post);
  });
});
