/** Measures the time from the start of the process to a line of its log. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createMachine } from '../test/rig/machine.js';
import { repositoryRoot } from './build.js';
import { type Comparison, compare } from './measure.js';

const rounds = 15;

export interface StartUpResult {
  /** Time to the first line of the log. */
  readonly firstLine: Comparison;
  /** Time to the first line of `main`, which runs in a second process without the job's secrets in its environment. */
  readonly main: Comparison;
}

/** `reference`: the bundle to compare with. */
export async function measureStartUp(reference: string): Promise<StartUpResult> {
  const machine = await createMachine();
  const { home, temp, workspace } = machine;
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: home,
    RUNNER_TEMP: temp,
    GITHUB_WORKSPACE: workspace,
    INPUT_WORKFLOW: 'absent',
  };
  const action = `${repositoryRoot}dist/index.js`;
  try {
    return await compare(rounds, () => timeToLine(reference, 1, workspace, env), {
      firstLine: () => timeToLine(action, 1, workspace, env),
      main: () => timeToLine(action, 2, workspace, env),
    });
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
