/** The time from the start of the process to a line of its log. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createMachine } from '../test/rig/machine.js';
import { buildReference, measuredDist } from './build.js';
import { compare } from './measure.js';
import type { Group, Measured } from './row.js';

const rounds = 15;

export const startUp: Group = { name: 'start-up', measure: measureStartUp };

/** `main` runs in a second process, without the job's secrets in its environment, and prints the second line. */
async function measureStartUp(): Promise<Measured> {
  const reference = await buildReference();
  const machine = await createMachine();
  const { home, temp, workspace } = machine;
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: home,
    RUNNER_TEMP: temp,
    GITHUB_WORKSPACE: workspace,
    INPUT_WORKFLOW: 'absent',
  };
  const action = join(measuredDist, 'index.js');
  try {
    const { firstLine, main } = await compare(rounds, () => timeToLine(reference, 1, workspace, env), {
      firstLine: () => timeToLine(action, 1, workspace, env),
      main: () => timeToLine(action, 2, workspace, env),
    });
    return {
      rows: [
        {
          measure: 'start-up to the first line of the log ÷ bundle with only core and cache',
          value: firstLine.ratio,
          target: 1.2,
        },
        { measure: 'start-up to the first line of main ÷ the same bundle', value: main.ratio },
      ],
    };
  } finally {
    await machine.wipe();
  }
}

/** Milliseconds until the process has printed this number of lines. */
async function timeToLine(
  script: string,
  lines: number,
  directory: string,
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, [script], {
    cwd: directory,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const closed = once(child, 'close');
  let seen = 0;
  let ms: number | undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.filter((byte) => byte === 10).length;
    if (seen >= lines) ms ??= performance.now() - started;
  });
  await closed;
  if (ms === undefined) throw new Error(`${script} printed only ${seen} of ${lines} lines.`);
  return ms;
}
