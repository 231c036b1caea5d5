// The program of clean-process.test.ts: with `--clean` it cleans itself, and with `--loader` it starts itself with a copy
// of the dynamic loader. Then it prints what it knows about itself.
import { readFileSync } from 'node:fs';
import { restartWithCleanEnvironment, restoreEnvironment } from '../../src/security/clean-process.ts';
import { copyLoader } from '../../src/security/unreadable-launcher.ts';

const restored = restoreEnvironment();
const debug = [];
if (process.argv.includes('--without-execve')) process.execve = undefined;
if (process.argv.includes('--clean')) {
  restartWithCleanEnvironment({
    directory: process.env.RUNNER_TEMP,
    ...(process.argv.includes('--loader') ? { createLoader: copyLoader } : {}),
    ...(process.argv.includes('--broken-loader') ? { createLoader: failToCopy } : {}),
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
  isRestored: restored !== undefined,
  secret: (restored ?? process.env).API_KEY,
  own: process.env.API_KEY ?? null,
  execPath: process.execPath,
  argv0: process.argv[0],
  environmentFile: process.env.GUMP_ACTION_ENVIRONMENT_FILE ?? null,
  environ: readEnviron(),
  pid: process.pid,
  arguments: process.argv.slice(2),
  debug,
};
process.stdout.write(`${JSON.stringify(output)}\n`);

function failToCopy() {
  throw new Error('no loader');
}

function readEnviron() {
  try {
    return readFileSync('/proc/self/environ', 'utf8');
  } catch (error) {
    return error.code;
  }
}
