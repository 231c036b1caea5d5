// The program of clean-process.test.ts: with `--clean` it cleans itself. Then it prints what it knows about itself.
import { readFileSync } from 'node:fs';
import { restartWithCleanEnvironment, restoreEnvironment } from '../../src/security/clean-process.ts';

const isRestored = restoreEnvironment();
const debug = [];
if (process.argv.includes('--without-execve')) process.execve = undefined;
if (process.argv.includes('--clean')) {
  restartWithCleanEnvironment({
    directory: process.env.RUNNER_TEMP,
    debug: (message) => debug.push(message),
  });
}
if (process.argv.includes('--wait')) {
  const alive = setInterval(() => undefined, 1000);
  process.on('SIGINT', () => {
    clearInterval(alive);
    process.stdout.write('interrupted\n');
    process.exitCode = 7;
  });
}
const output = {
  isRestored,
  secret: process.env.API_KEY,
  environmentFile: process.env.GUMP_ACTION_ENVIRONMENT_FILE ?? null,
  environ: readFileSync('/proc/self/environ', 'utf8'),
  pid: process.pid,
  arguments: process.argv.slice(2),
  debug,
};
process.stdout.write(`${JSON.stringify(output)}\n`);
