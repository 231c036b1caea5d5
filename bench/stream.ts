/** Compares the action's process runner and reader with plain `readline` on a long stream of events. */
import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Comparison, compare, median } from './measure.js';

const execute = promisify(execFile);
const child = fileURLToPath(new URL('stream-child.mjs', import.meta.url));

const rounds = 5;
const eventBytes = 1024;
const eventCount = Math.round((115 * 1024 * 1024) / eventBytes);

export interface StreamResult {
  readonly time: Comparison;
  /** The maximum of all rounds. */
  readonly megabytes: number;
  readonly bareMegabytes: number;
}

/** `source`: the folder of the compiled sources. */
export async function measureStream(source: string): Promise<StreamResult> {
  const folder = await mkdtemp(join(tmpdir(), 'gump-bench-'));
  const file = join(folder, 'events.ndjson');
  const memory = { bare: [] as number[], action: [] as number[] };
  try {
    await pipeline(Readable.from(events()), createWriteStream(file));
    const { time } = await compare(rounds, () => readStream('-', file, memory.bare), {
      time: () => readStream(source, file, memory.action),
    });
    return { time, megabytes: Math.max(...memory.action), bareMegabytes: median(memory.bare) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readStream(source: string, file: string, memory: number[]): Promise<number> {
  const { stdout } = await execute(process.execPath, [child, source, file], {
    env: { PATH: '/usr/bin:/bin' },
  });
  const { ms, events, megabytes } = JSON.parse(stdout) as Record<'ms' | 'events' | 'megabytes', number>;
  if (events !== eventCount) throw new Error(`Read only ${events} of ${eventCount} events.`);
  memory.push(megabytes);
  return ms;
}

/** The most frequent events of Claude Code: parts of an answer, answers, tool results; all padded to the same length. */
function* events(): Generator<string> {
  for (let number = 0; number < eventCount; number += 1) {
    const event = kinds[number % kinds.length]?.(number, '') ?? {};
    const missing = eventBytes - 1 - JSON.stringify(event).length;
    yield `${JSON.stringify(kinds[number % kinds.length]?.(number, 'x'.repeat(missing)))}\n`;
  }
}

const session_id = 'b3f1c6a2-0000-4000-8000-000000000000';

const kinds: readonly ((number: number, text: string) => object)[] = [
  (_, text) => ({
    type: 'stream_event',
    session_id,
    event: { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
  }),
  (number, text) => ({
    type: 'assistant',
    session_id,
    message: {
      id: `msg_${number}`,
      role: 'assistant',
      content: [{ type: 'text', text }],
      usage: { input_tokens: 100, output_tokens: 1 },
    },
  }),
  (number, content) => ({
    type: 'user',
    session_id,
    message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: `toolu_${number}`, content }] },
  }),
];
