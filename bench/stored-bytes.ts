/** 40 steps with a session of 1 MB each: what all checkpoints store, against the final state. */
import { globSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { constants, type ZstdOptions, zstdCompress } from 'node:zlib';
import { startCacheService } from '../test/rig/cache-service.js';
import type { Machine } from '../test/rig/machine.js';
import { makeRepository } from '../test/rig/repository.js';
import { agentScript, sessionFolder } from './agent-script.js';
import { onMachine, runMain } from './bench-run.js';
import type { Group, Measured } from './row.js';

const stepNames = Array.from({ length: 40 }, (_, at) => `s${at + 1}`);
const sessionBytes = 1024 * 1024;
/** The folder with the session that each step writes, below the home. */
const sources = 'bench-sessions';

const workflow = `name: bench
steps:
${stepNames.map((name) => `  - {name: ${name}, type: code, agent: claude-haiku, prompt: Step ${name}.}`).join('\n')}
`;

/** The number of sessions so far names the next one. */
const copyingAgent = agentScript
  .replace('sleep 0.1\n', '')
  .replace(
    /^echo .* >"\$HOME\/.*\.jsonl"$/m,
    `cp "$HOME/${sources}/$(ls "$HOME/${sessionFolder}" | wc -l | tr -d ' ')" "$HOME/${sessionFolder}/$id.jsonl"`,
  );

export const storedBytes: Group = { name: 'storage', measure: measureStoredBytes };

async function measureStoredBytes(): Promise<Measured> {
  const repository = await makeRepository({ '.gump/workflows/bench.yaml': workflow, 'README.md': 'bench\n' });
  const cache = await startCacheService();
  try {
    const state = await onMachine({ repository, cache, agent: copyingAgent }, async (machine) => {
      await writeSessions(machine);
      await runMain(machine, { store: 'cache', inputs: { 'keep-sessions': 'true' } });
      return finalState(machine);
    });
    const entries = cache.entries().filter((entry) => entry.state === 'stored');
    const stored = entries.reduce((sum, entry) => sum + entry.body.length, 0);
    const requests = cache.requests().length;
    return {
      rows: [
        {
          measure: '40 steps, 1 MB session each: bytes stored ÷ final state',
          value: stored / state,
          target: 3,
        },
        { measure: 'the same: requests to the cache service per entry', value: requests / entries.length },
      ],
      details: `40 steps: ${megabytes(stored)} MB in ${entries.length} entries; the final state is ${megabytes(state)} MB.`,
    };
  } finally {
    await cache.close();
    await repository.remove();
  }
}

async function writeSessions({ home }: Machine): Promise<void> {
  await mkdir(join(home, sources), { recursive: true });
  for (const at of stepNames.keys()) await writeFile(join(home, sources, String(at)), session(at));
}

/** Text that zstd compresses to about two fifths, as it does conversations. */
function session(seed: number): string {
  let state = seed + 1;
  const next = (): string => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state.toString(36);
  };
  const line = (): string =>
    `${JSON.stringify({ type: 'user', message: { content: Array.from({ length: 100 }, next).join(' word ') } })}\n`;
  let text = '';
  while (text.length < sessionBytes) text += line();
  return text;
}

const compress = promisify<Buffer, ZstdOptions, Buffer>(zstdCompress);

/** What one checkpoint with everything takes: all sessions in one frame of the level that the action uses. */
async function finalState({ home }: Machine): Promise<number> {
  const files = globSync(join(home, sessionFolder, '*.jsonl'));
  if (files.length !== stepNames.length) throw new Error(`Only ${files.length} sessions were written.`);
  const contents = await Promise.all(files.map((file) => readFile(file)));
  const params = { [constants.ZSTD_c_compressionLevel]: 1 };
  return (await compress(Buffer.concat(contents), { params })).length;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
