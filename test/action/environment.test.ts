/** The environment variables of agents and gates, and those of the action that an agent can read. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Machine } from '../rig/machine.js';
import type { AgentAction } from '../rig/stand-in.js';
import { anthropicKey, createHarness, openaiKey } from './harness.js';

const flow = `
name: flow
steps:
  - name: one
    type: code
    agent: claude-haiku
    prompt: first
    gate: [bash: 'env > gate.env']
  - name: two
    type: code
    agent: codex
    prompt: second
    gate: [bash: 'false']
`;

const job = {
  PLAIN: 'plain',
  AWS_REGION: 'eu-west-1',
  ANTHROPIC_BASE_URL: 'http://127.0.0.1:9',
  OPENAI_BASE_URL: 'http://127.0.0.1:9',
  NPM_TOKEN: 'npm-token-of-the-job-0123',
  REGISTRY_TOKEN: 'registry-token-of-the-job',
  SOME_PASSWORD: 'password-of-the-job-0123',
  GITHUB_TOKEN: 'github-token-of-the-job-0123',
  GH_TOKEN: 'gh-token-of-the-job-0123456',
};

const read = (machine: Machine, name: string) => readFile(join(machine.workspace, name), 'utf8');
const namesIn = (text: string) => text.split('\n').map((line) => line.replace(/=.*/, ''));
const runnerVariables =
  /^(?:ACTIONS_|INPUT_|STATE_|GITHUB_(?:OUTPUT|ENV|PATH|STATE|STEP_SUMMARY|TOKEN)$|GH_TOKEN$)/;

/** Writes the environment of the agent's parent process to a file. Every process of the user can read it. */
const dumpParentEnvironment: AgentAction = {
  run: "tr '\\0' '\\n' < /proc/$(awk '{ print $4 }' /proc/$PPID/stat)/environ > parent.env",
};

describe('the environment', () => {
  it('of an agent contains the credentials of its own provider only, and that of a gate contains none', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow });
    let agents: Readonly<Record<string, string>>[] = [];
    let gate: readonly string[] = [];
    let parent = '';
    const { main } = await harness.runJob({
      env: job,
      inputs: { 'pass-env': 'NPM_TOKEN\nREGISTRY_*' },
      rules: [
        { provider: 'claude', do: [{ environment: 'claude.json' }, dumpParentEnvironment] },
        { do: [{ environment: 'codex.json' }] },
      ],
      async inspect(machine) {
        agents = [
          JSON.parse(await read(machine, 'claude.json')),
          JSON.parse(await read(machine, 'codex.json')),
        ];
        gate = namesIn(await read(machine, 'gate.env'));
        parent = await read(machine, 'parent.env');
      },
    });
    const [claude = {}, codex = {}] = agents;
    for (const names of [Object.keys(claude), Object.keys(codex), gate]) {
      expect(names.filter((name) => runnerVariables.test(name))).toEqual([]);
      expect(names).toEqual(
        expect.arrayContaining([
          'PLAIN',
          'AWS_REGION',
          'NPM_TOKEN',
          'REGISTRY_TOKEN',
          'GITHUB_SHA',
          'CI',
          'HOME',
        ]),
      );
      expect(names).not.toContain('SOME_PASSWORD');
    }
    expect(claude).toMatchObject({ ANTHROPIC_API_KEY: anthropicKey, ANTHROPIC_BASE_URL: expect.anything() });
    expect(Object.keys(claude).filter((name) => name.startsWith('OPENAI'))).toEqual([]);
    expect(codex).toMatchObject({ OPENAI_API_KEY: openaiKey, OPENAI_BASE_URL: expect.anything() });
    expect(Object.keys(codex).filter((name) => name.startsWith('ANTHROPIC'))).toEqual([]);
    expect(gate.filter((name) => /^(?:ANTHROPIC|OPENAI)_/.test(name))).toEqual([]);
    // The failed gate named none of them.
    expect(main.log).not.toContain('Withheld from gates');
    if (process.platform === 'linux' && process.execve !== undefined) {
      // Only root can read it at all.
      if (process.getuid?.() === 0) expect(namesIn(parent)).toContain('HOME');
      expect(parent).not.toMatch(/of-the-job|CANARY|INPUT_|ACTIONS_/);
    }
  });
});

describe('an agent that writes to command files of the runner', () => {
  it('fails the run and does not affect later steps', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow.replace('env > gate.env', 'exit 0') });
    const evil =
      'for f in "$RUNNER_TEMP"/_runner_file_commands/*; do echo EVIL=1 >> "$f"; done; ' +
      'echo EVIL=1 > "$RUNNER_TEMP/_runner_file_commands/set_env_mine"';
    const { main, post } = await harness.runJob({ rules: [{ do: [{ run: evil }] }] });
    expect(main.errors).toEqual([
      expect.stringMatching(
        /^Step `one` failed at attempt 1 \(guard\): The agent changed command files of the runner/,
      ),
    ]);
    expect(main.outputs).toMatchObject({ status: 'failed', 'failed-step': 'one' });
    expect([main.environment, main.outputs.EVIL, main.state.EVIL, main.path]).toEqual([
      {},
      undefined,
      undefined,
      [],
    ]);
    expect(main.summary).not.toContain('EVIL=1\n');
    expect(await harness.calls()).toHaveLength(1);
    expect(post?.errors).toEqual([]);
  });
});
