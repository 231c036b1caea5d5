/** The permissions of agents, and how the action restores what a read-only step changed. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { git } from '../rig/git.js';
import type { Machine } from '../rig/machine.js';
import { createHarness } from './harness.js';

const step = (name: string, more: string, agent = 'claude-haiku'): string => `  - name: ${name}
    type: code
    agent: ${agent}
    prompt: do ${name}
${more}`;

const modeOf = (argv: readonly string[]) => argv[argv.indexOf('--permission-mode') + 1];

describe('permissions', () => {
  const workflow = `name: flow\nsteps:\n${step('plain', '')}${step('full', '    permissions: full\n')}${step('reads', '    worktree: read-only\n')}`;

  it.each([
    ['auto', ['acceptEdits', 'bypassPermissions', 'dontAsk']],
    ['read-only', ['dontAsk', 'bypassPermissions', 'dontAsk']],
    ['full', ['bypassPermissions', 'bypassPermissions', 'bypassPermissions']],
  ])('`%s` applies to steps without their own permissions', async (permissions, modes) => {
    const harness = await createHarness({ workflow });
    const { main } = await harness.runJob({ inputs: { permissions } });
    expect(main.exitCode, main.log).toBe(0);
    expect((await harness.calls()).map(({ argv }) => modeOf(argv))).toEqual(modes);
  });

  it('are shown in the plan', async () => {
    const harness = await createHarness({ workflow });
    const { main } = await harness.runJob({ inputs: { permissions: 'workspace', 'dry-run': 'true' } });
    expect(main.summary).toContain('  permissions: workspace, unless a step sets its own\n');
    expect(main.summary).toMatch(/full · code.*\n.*session: .*\n.*permissions: full\n/);
  });
});

describe('a read-only step', () => {
  const files = { '.gitignore': 'cache/\n', 'kept.txt': 'kept\n', 'src/a.txt': 'a\n', 'src/b.txt': 'b\n' };
  // The Cursor CLI can change files and run commands with every permission.
  const reads = (more: string) => `name: flow\nsteps:\n${step('look', more, 'cursor')}`;

  const env = { CURSOR_API_KEY: 'key_CANARY-0123456789abcdef' };

  const spoil = [
    { write: 'src/a.txt', content: 'spoilt' },
    { delete: 'src/b.txt' },
    { commit: 'mine' },
    { write: 'new/one.txt' },
    { run: 'echo hidden.txt >> .gitignore && echo x > hidden.txt && chmod +x kept.txt && git add -A' },
    { write: 'cache/made.txt', content: 'made' },
    { write: '.gump/out/answer.txt' },
  ];

  async function look({ workspace }: Machine) {
    return {
      status: await git(workspace, 'status', '--porcelain', '--ignored'),
      log: await git(workspace, 'log', '--format=%s'),
      a: await readFile(join(workspace, 'src/a.txt'), 'utf8'),
      hidden: existsSync(join(workspace, 'hidden.txt')),
      made: await readFile(join(workspace, 'cache/made.txt'), 'utf8'),
    };
  }

  it.each([
    ['by its permissions', '    permissions: read-only\n', {}],
    ['by its worktree, also with full permissions', '    worktree: read-only\n    permissions: full\n', {}],
    ['by its guard', '    guard: {no_write: true}\n', { permissions: 'full' }],
    ['by the input', '', { permissions: 'read-only' }],
  ])('%s fails, and its changes and commits are undone', async (_reason, more, inputs) => {
    const harness = await createHarness({ workflow: reads(more), files });
    const before = await git(harness.repository.path, 'log', '--format=%s', 'main');
    let after: Awaited<ReturnType<typeof look>> | undefined;
    const { main } = await harness.runJob({
      inputs,
      env,
      rules: [{ do: spoil }],
      async inspect(machine) {
        after = await look(machine);
      },
    });
    expect(main.exitCode).toBe(1);
    const [attempt] = main.report?.steps[0]?.attempts ?? [];
    expect(attempt).toMatchObject({ status: 'failed', failure: { kind: 'guard' } });
    const message = attempt?.failure?.message ?? '';
    for (const file of ['.gitignore', 'kept.txt', 'new/one.txt', 'src/a.txt', 'src/b.txt'])
      expect(message).toContain(file);
    expect(after).toEqual({ status: '!! cache/', log: before, a: 'a\n', hidden: false, made: 'made' });
  });

  it('names the changed files in the next prompt, and passes if that attempt changes nothing', async () => {
    const harness = await createHarness({
      code: 'dist',
      workflow: reads('    permissions: read-only\n    retry: [{exit: 2}]\n'),
      files,
    });
    const { main } = await harness.runJob({
      env,
      rules: [{ call: 1, do: [{ write: 'new.txt' }] }, { do: [{ run: 'test ! -e new.txt' }] }],
    });
    expect(main.exitCode, main.log).toBe(0);
    expect((await harness.calls())[1]?.prompt).toMatch(/`no_write`: .*`new\.txt`/);
  });
});
