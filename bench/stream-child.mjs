/**
 * `stream-child.mjs FOLDER FILE`: reads the events that `cat FILE` prints, with the process runner and the reader
 * of the action (compiled in FOLDER), or with plain `readline` if FOLDER is `-`. Prints time and memory.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const [folder, file] = process.argv.slice(2);

/** Both count the events, so that the benchmark notices lost ones. */
const readers = { bare: readBare, action: readWithAction };

async function readBare() {
  const child = spawn('cat', [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  let events = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (JSON.parse(line).type !== undefined) events += 1;
  }
  return events;
}

async function readWithAction() {
  const { processRunner } = await import(`${folder}/system/run-process.js`);
  const { claude } = await import(`${folder}/providers/claude.js`);
  const reader = claude.createReader({});
  let events = 0;
  await processRunner.run({
    file: 'cat',
    args: [file],
    directory: process.cwd(),
    env: { PATH: process.env.PATH },
    onLine: (line) => {
      reader.readLine(line);
      events += 1;
    },
  });
  return events;
}

const started = performance.now();
const events = await readers[folder === '-' ? 'bare' : 'action']();
const ms = performance.now() - started;
console.log(JSON.stringify({ ms, events, megabytes: process.resourceUsage().maxRSS / 1024 }));
