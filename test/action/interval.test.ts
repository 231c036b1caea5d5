/** `checkpoint-interval`: the machine is lost while agents are at work, and the re-run continues from the last checkpoint. */
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import type { Machine, Stop } from '../rig/machine.js';
import type { AgentAction } from '../rig/stand-in.js';
import { attemptLines, promptBodies } from './attempt-lines.js';
import { createHarness, type Harness, readJournal } from './harness.js';

interface Signals {
  /** The actions of an agent: works, waits until a checkpoint holds this, does more, and hangs. */
  work(name: string, actions: readonly AgentAction[]): readonly AgentAction[];
  /** Loses the machine when all these agents have done more than the last checkpoint holds. */
  loseAfterCheckpoint(harness: Harness, names: readonly string[]): (machine: Machine) => Stop;
}

/** Agents and test signal each other with files outside the machine. */
async function createSignals(): Promise<Signals> {
  const folder = await mkdtemp(join(tmpdir(), 'gump-interval-'));
  cleanUpAfterTest(() => rm(folder, { recursive: true, force: true }));
  const haveAll = async (names: readonly string[]): Promise<boolean> => {
    const found = names.map((name) => access(join(folder, name)).then(isTrue, isFalse));
    return (await Promise.all(found)).every(Boolean);
  };
  return {
    work: (name, actions) => [
      ...actions,
      { run: `touch '${join(folder, `${name}-works`)}'` },
      { waitFor: join(folder, 'counted') },
      // So that there is something new to record.
      { run: 'true' },
      { waitFor: join(folder, 'go') },
      { write: `${name}-lost.txt`, content: 'after the checkpoint' },
      { run: `touch '${join(folder, `${name}-over`)}'` },
      { hang: true },
    ],
    loseAfterCheckpoint: (harness, names) => (machine) => {
      let before: number | undefined;
      let isReleased = false;
      const stored = () => harness.cache.entries().filter(({ state }) => state === 'stored').length;
      const until = async (): Promise<boolean> => {
        if (before === undefined) {
          if (!(await haveAll(names.map((name) => `${name}-works`)))) return false;
          before = await countRecorded(machine);
          await writeFile(join(folder, 'counted'), '');
          return false;
        }
        // Each agent was recorded once more since, and a checkpoint was stored after that.
        if (!isReleased && (await countRecorded(machine)) >= before + names.length) {
          isReleased = true;
          const count = stored();
          while (stored() <= count) await new Promise((resolve) => setTimeout(resolve, 10));
          await writeFile(join(folder, 'go'), '');
        }
        return isReleased && (await haveAll(names.map((name) => `${name}-over`)));
      };
      return { how: 'lose', when: { until } };
    },
  };
}

const isTrue = () => true;
const isFalse = () => false;

async function countRecorded(machine: Machine): Promise<number> {
  return (await readJournal(machine)).split('"agent-recorded"').length - 1;
}

const flow = (agent: string) => `name: flow
steps:
  - name: first
    type: code
    agent: ${agent}
    prompt: First.
  - name: long
    type: code
    agent: ${agent}
    session: from: first
    prompt: Long.
`;

/** Of CLIs for which the harness sets none. */
const furtherKeys = {
  GEMINI_API_KEY: 'AIzaB4k9Xw2Qz7Rt5Lm8Nv3Hc6Jd1Fs',
  CURSOR_API_KEY: 'key_4f9d1c7be02a86d35',
};

const seconds = { 'checkpoint-interval': '1s' };

const parallelFlow = `name: flow
steps:
  - name: both
    parallel: true
    steps:
      - {name: left, type: code, agent: claude-haiku, prompt: Left.}
      - {name: right, type: code, agent: codex, prompt: Right.}
`;

describe('a machine that is lost in the middle of an attempt', () => {
  it.each([
    'claude-haiku',
    'codex',
    'gemini-flash',
    'qwen-coder',
    'opencode-anthropic/claude-haiku-4-5',
    'cursor',
  ])('%s: its files and its session are those of the last checkpoint', async (agent) => {
    const harness = await createHarness({ code: 'dist', workflow: flow(agent) });
    const { work, loseAfterCheckpoint } = await createSignals();
    const half: AgentAction = { write: 'half.txt', content: 'half' };
    const lost = await harness.runJob({
      env: furtherKeys,
      inputs: seconds,
      rules: [{ prompt: 'Long', do: work('long', [half]) }],
      stop: loseAfterCheckpoint(harness, ['long']),
    });
    expect(lost.main.signal, lost.main.log).toBe('SIGKILL');
    expect(lost.main.log).toContain('Storing a checkpoint while the agent of step `long` is at work');

    const { main } = await harness.runJob({
      jobAttempt: 2,
      env: furtherKeys,
      rules: [{ prompt: 'Long', do: [{ run: 'cat half.txt; ls >seen.txt' }] }],
      async inspect({ workspace }) {
        expect((await readFile(join(workspace, 'seen.txt'), 'utf8')).split('\n')).toEqual(
          expect.arrayContaining(['half.txt']),
        );
        expect(await readFile(join(workspace, 'seen.txt'), 'utf8')).not.toContain('long-lost.txt');
      },
    });
    expect(main.warnings).toEqual([]);
    expect(attemptLines(main.report)).toEqual([
      'first#1@1 new declared-new passed',
      'long#1@1 resumed from cancelled:cancelled',
      'long#1@2 resumed continued passed',
    ]);
    const last = (await harness.calls()).at(-1);
    expect(promptBodies(last?.earlier ?? [])).toEqual(['First.', 'Long.']);
    expect(promptBodies([last?.prompt ?? ''])).toEqual(['Long.']);
    expect(last?.prompt).toContain('You were interrupted');
  });

  it('parallel branches: each continues with its own files and session', async () => {
    const harness = await createHarness({ code: 'dist', workflow: parallelFlow });
    const { work, loseAfterCheckpoint } = await createSignals();
    await harness.runJob({
      inputs: seconds,
      rules: [
        { prompt: 'Left', do: work('left', [{ write: 'left.txt', content: 'l' }]) },
        { prompt: 'Right', do: work('right', [{ write: 'right.txt', content: 'r' }]) },
      ],
      stop: loseAfterCheckpoint(harness, ['left', 'right']),
    });
    const { main } = await harness.runJob({
      jobAttempt: 2,
      rules: [
        { prompt: 'Left', do: [{ run: 'ls >left-seen.txt' }] },
        { prompt: 'Right', do: [{ run: 'ls >right-seen.txt' }] },
      ],
      async inspect({ workspace }) {
        const read = (name: string) => readFile(join(workspace, name), 'utf8');
        expect(await read('left-seen.txt')).toBe('README.md\nleft-seen.txt\nleft.txt\n');
        expect(await read('right-seen.txt')).toBe('README.md\nright-seen.txt\nright.txt\n');
        expect(await read('left.txt')).toBe('l');
      },
    });
    expect(main.warnings).toEqual([]);
    expect(attemptLines(main.report).filter((line) => line.startsWith('both/'))).toEqual([
      'both/left#1@1 new declared-new cancelled:cancelled',
      'both/left#1@2 resumed continued passed',
      'both/right#1@1 new declared-new cancelled:cancelled',
      'both/right#1@2 resumed continued passed',
    ]);
  });

  it('settings files that a step changed are recorded, not those of the start that the agent sees', async () => {
    const files = { '.claude/settings.json': '{"start":1}', '.mcp.json': '{"mcpServers":{}}' };
    const harness = await createHarness({ code: 'dist', workflow: flow('claude-haiku'), files });
    const { work, loseAfterCheckpoint } = await createSignals();
    await harness.runJob({
      inputs: seconds,
      rules: [
        {
          prompt: 'First',
          do: [
            { write: '.claude/settings.json', content: '{"changed":1}' },
            { write: '.claude/commands/new.md', content: 'new' },
            { delete: '.mcp.json' },
          ],
        },
        {
          prompt: 'Long',
          do: work('long', [
            {
              run: 'grep -q start .claude/settings.json && ! [ -e .claude/commands ] && cat .mcp.json >saw.txt',
            },
          ]),
        },
      ],
      stop: loseAfterCheckpoint(harness, ['long']),
    });
    const { main } = await harness.runJob({
      jobAttempt: 2,
      async inspect({ workspace }) {
        const read = (name: string) => readFile(join(workspace, name), 'utf8');
        expect(await read('saw.txt')).toBe('{"mcpServers":{}}');
        expect(await read('.claude/settings.json')).toBe('{"changed":1}');
        expect(await read('.claude/commands/new.md')).toBe('new');
        await expect(read('.mcp.json')).rejects.toThrow('ENOENT');
      },
    });
    expect(main.outputs.status).toBe('passed');
    expect(attemptLines(main.report).at(-1)).toBe('long#1@2 resumed continued passed');
  });
});

it('`checkpoint-interval: 0`: nothing is stored while an agent is at work', async () => {
  const harness = await createHarness({ workflow: flow('claude-haiku') });
  const { main } = await harness.runJob({
    inputs: { 'checkpoint-interval': '0' },
    rules: [{ prompt: 'Long', do: [{ sleep: 1500 }] }],
  });
  expect(main.outputs.status).toBe('passed');
  expect(main.log).not.toContain('at work');
});

it('a job that is cancelled while agents are recorded stores its last state', async () => {
  const harness = await createHarness({ code: 'dist', workflow: flow('claude-haiku') });
  const { main } = await harness.runJob({
    inputs: { 'checkpoint-interval': '100ms' },
    rules: [
      {
        prompt: 'Long',
        do: [{ run: 'for i in 1 2 3 4 5 6 7 8 9; do echo $i >n$i.txt; sleep 0.1; done' }, { hang: true }],
      },
    ],
    stop: { how: 'cancel', when: { log: 'agent of step `long` is at work' } },
  });
  expect(main.outputs).toMatchObject({ status: 'waiting', persisted: 'true' });
  const again = await harness.runJob({ jobAttempt: 2 });
  expect(attemptLines(again.main.report).at(-1)).toBe('long#1@2 resumed continued passed');
});
