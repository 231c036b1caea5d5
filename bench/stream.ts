/** 115 MB of events of one agent through the whole action, against `readline` and `JSON.parse`. */
import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makeRepository, type Repository } from '../test/rig/repository.js';
import { agentScript } from './agent-script.js';
import { onMachine, runMain } from './bench-run.js';
import { compare, median } from './measure.js';
import type { Group, Measured } from './row.js';

const execute = promisify(execFile);
const reader = fileURLToPath(new URL('bare-reader.mjs', import.meta.url));

const rounds = 5;
const eventBytes = 1024;
const eventCount = Math.round((115 * 1024 * 1024) / eventBytes);

const workflow = `name: bench
steps:
  - {name: talk, type: code, agent: claude-haiku, prompt: Talk.}
`;

export const stream: Group = { name: 'stream', measure: measureStream };

async function measureStream(): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'gump-bench-'));
  const file = join(folder, 'events.ndjson');
  const repository = await makeRepository({ '.gump/workflows/bench.yaml': workflow, 'README.md': 'bench\n' });
  try {
    await pipeline(Readable.from(events()), createWriteStream(file));
    const agentMs: number[] = [];
    const { time } = await compare(rounds, () => readBare(file), {
      time: async () => {
        const run = await readWithAction(repository, file, false);
        agentMs.push(run.agentMs);
        return run.ms;
      },
    });
    const { megabytes } = await readWithAction(repository, file, true);
    return {
      rows: [
        {
          measure: '115 MB of events through the action ÷ readline and JSON.parse',
          value: time.ratio,
          target: 3,
        },
        { measure: 'the agent process alone ÷ the same', value: median(agentMs) / time.base },
        { measure: 'memory of the action', value: megabytes, target: 150, unit: 'MB' },
      ],
      details: `115 MB of events: readline and JSON.parse take ${time.base.toFixed(0)} ms, the action ${time.subject.toFixed(0)} ms.`,
    };
  } finally {
    await repository.remove();
    await rm(folder, { recursive: true, force: true });
  }
}

async function readBare(file: string): Promise<number> {
  const { stdout } = await execute(process.execPath, [reader, file], { env: { PATH: '/usr/bin:/bin' } });
  const { ms, events } = JSON.parse(stdout) as Record<'ms' | 'events', number>;
  if (events !== eventCount) throw new Error(`Read only ${events} of ${eventCount} events.`);
  return ms;
}

async function readWithAction(repository: Repository, file: string, watchMemory: boolean) {
  const agent = agentScript
    .replace('sleep 0.1\n', '')
    .replace('id=$2', `id=${session_id}`)
    .replace(/^(?=echo "\{.*"type\\":\\"result)/m, `cat '${file}'\n`);
  return onMachine({ repository, agent }, async (machine) => {
    const { ms, megabytes, journal } = await runMain(machine, { store: 'directory', watchMemory });
    const agentEnd = journal.split('\n').find((line) => line.includes('"type":"agent-ended"')) ?? '{}';
    const { durationMs = 0 } = JSON.parse(agentEnd) as { durationMs?: number };
    return { ms, megabytes, agentMs: durationMs };
  });
}

/** The most frequent events of Claude Code: parts of an answer, answers, tool results; all padded to the same length. */
export function* events(): Generator<string> {
  for (let number = 0; number < eventCount; number += 1) {
    const event = kinds[number % kinds.length]?.(number, '') ?? {};
    const missing = eventBytes - 1 - JSON.stringify(event).length;
    yield `${JSON.stringify(kinds[number % kinds.length]?.(number, 'x'.repeat(missing)))}\n`;
  }
}

export const session_id = 'b3f1c6a2-0000-4000-8000-000000000000';

const kinds: readonly ((number: number, text: string) => object)[] = [
  (_, text) => ({
    type: 'stream_event',
    event: { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
    session_id,
  }),
  (number, text) => ({
    type: 'assistant',
    message: {
      id: `msg_${number}`,
      role: 'assistant',
      content: [{ type: 'text', text }],
      usage: { input_tokens: 100, output_tokens: 1 },
    },
    session_id,
  }),
  (number, content) => ({
    type: 'user',
    message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: `toolu_${number}`, content }] },
    session_id,
  }),
];
