/** CLIs whose sessions are not one growing file: OpenCode stores them with its own commands, Cursor in a database. */
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Machine } from '../rig/machine.js';
import { createHarness } from './harness.js';

const flow = (agent: string) => `name: flow
steps:
  - name: tests
    type: code
    agent: ${agent}
    prompt: Write the tests.
  - name: impl
    type: code
    agent: ${agent}
    session: { from: tests }
    prompt: Write the code.
    gate:
      - bash: test -e done.txt
`;

/** Makes the gate pass. */
const finish = [{ prompt: 'Write the code.', do: [{ write: 'done.txt', content: 'x' }] }];

describe('OpenCode', () => {
  const workflow = flow('opencode-anthropic/claude-haiku-4-5');

  it('resumes the session on another machine, also from an earlier point, and post removes it', async () => {
    const harness = await createHarness({ workflow });
    await harness.runJob();
    const left: string[] = [];
    const second = await harness.runJob({
      jobAttempt: 2,
      workspace: 'elsewhere/repository',
      rules: finish,
      laterStatus: 'failure',
      async inspect({ home }) {
        const store = join(home, '.local/share/opencode/rig-sessions');
        left.push(...(existsSync(store) ? readdirSync(store) : ['no store']));
      },
    });
    expect(second.main.exitCode).toBe(0);
    expect(left).toEqual([]);
    await harness.runJob({ jobAttempt: 3, inputs: { 'from-step': 'impl' }, rules: finish });
    const calls = await harness.calls();
    expect(calls.map(({ earlier }) => earlier.map((text) => text.slice(0, 15)))).toEqual([
      [],
      ['Write the tests'],
      ['Write the tests', 'Write the code.'],
      // Only the first turn: the turns of `impl` in both job attempts are removed.
      ['Write the tests'],
    ]);
    expect(new Set(calls.map(({ session }) => session.id)).size).toBe(1);
    expect(calls[0]?.session).toEqual({ mode: 'start', id: expect.stringMatching(/^ses_[0-9a-f]{26}$/) });
  });

  it('gets only the API key of the service that the model names', async () => {
    const harness = await createHarness({ workflow });
    await harness.runJob({ env: { OPENCODE_CONFIG: '/tmp/none.json', GROQ_API_KEY: 'gsk-0123456789' } });
    const names = (await harness.calls())[0]?.environment ?? [];
    expect(names).toEqual(expect.arrayContaining(['ANTHROPIC_API_KEY', 'OPENCODE_CONFIG']));
    expect(names.filter((name) => ['OPENAI_API_KEY', 'GROQ_API_KEY'].includes(name))).toEqual([]);
  });

  it('requires the API key of that service before anything runs', async () => {
    const harness = await createHarness({ workflow: flow('opencode-groq/some-model') });
    const { main } = await harness.runJob();
    expect(main.exitCode).toBe(1);
    expect(main.errors.join()).toContain(
      'OpenCode (groq/some-model) has no credential. Set `env:` of the action step to `GROQ_API_KEY: ',
    );
    expect(await harness.calls()).toEqual([]);
  });

  it('uses the session id of the CLI if a session cannot be imported', async () => {
    const harness = await createHarness({ workflow });
    const prepare = async (machine: Machine) => {
      renameSync(join(machine.bin, 'opencode'), join(machine.bin, 'real-opencode'));
      const refuse = '#!/bin/sh\n[ "$1" = import ] && exit 1\nexec real-opencode "$@"\n';
      await machine.install('opencode', refuse);
    };
    await harness.runJob({ prepare, rules: finish });
    const [first, second] = await harness.calls();
    expect(first?.argv).not.toContain('--session');
    expect(second).toMatchObject({ session: { mode: 'resume', id: first?.session.id } });
  });
});

describe('Cursor, according to its documentation', () => {
  it('resumes the session on another machine', async () => {
    const harness = await createHarness({ workflow: flow('cursor') });
    const env = { CURSOR_API_KEY: 'key_0123456789abcdef0123456789' };
    await harness.runJob({ env });
    const second = await harness.runJob({
      jobAttempt: 2,
      workspace: 'elsewhere/repository',
      rules: finish,
      env,
    });
    expect(second.main.exitCode).toBe(0);
    const calls = await harness.calls();
    expect(calls.at(-1)?.earlier).toHaveLength(2);
    expect(new Set(calls.map(({ session }) => session.id)).size).toBe(1);
  });
});
