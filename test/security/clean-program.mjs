// The program of clean-process.test.ts: cleans itself if asked to, then tells what it sees of itself.
import { readFileSync } from 'node:fs';
import { adoptEnvironment, cleanProcess } from '../../src/security/clean-process.ts';

const adopted = adoptEnvironment();
const debug = [];
if (process.argv.includes('--without-execve')) process.execve = undefined;
if (process.argv.includes('--clean')) {
  cleanProcess({ directory: process.env.RUNNER_TEMP, debug: (message) => debug.push(message) });
}
if (process.argv.includes('--wait')) {
  const alive = setInterval(() => undefined, 1000);
  process.on('SIGINT', () => {
    clearInterval(alive);
    process.stdout.write('interrupted\n');
    process.exitCode = 7;
  });
}
const told = {
  adopted,
  secret: process.env.API_KEY,
  handOver: process.env.GUMP_ACTION_ENVIRONMENT_FILE ?? null,
  environ: readFileSync('/proc/self/environ', 'utf8'),
  pid: process.pid,
  arguments: process.argv.slice(2),
  debug,
};
process.stdout.write(`${JSON.stringify(told)}\n`);
