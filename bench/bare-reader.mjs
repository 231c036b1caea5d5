/** `bare-reader.mjs FILE`: reads the events that `cat FILE` prints with plain `readline`. Prints the time and their number. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const started = performance.now();
const child = spawn('cat', [process.argv[2]], { stdio: ['ignore', 'pipe', 'inherit'] });
let events = 0;
for await (const line of createInterface({ input: child.stdout })) {
  if (JSON.parse(line).type !== undefined) events += 1;
}
console.log(JSON.stringify({ ms: performance.now() - started, events }));
