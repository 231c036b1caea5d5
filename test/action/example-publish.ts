/** The second job of some examples: it publishes the patch of the first one. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import type { Harness, RunJobOptions } from './harness.js';

/** Runs the first job, expects it to pass, and returns the text of its patch. */
export async function runAndReadPatch(harness: Harness, options: RunJobOptions): Promise<string> {
  let patch = '';
  let path = '';
  const { main } = await harness.runJob({
    ...options,
    async inspect({ temp }) {
      const { stdout } = await promisify(execFile)('find', [temp, '-name', '*.patch']);
      path = stdout.trim();
      patch = await readFile(path, 'utf8');
    },
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed', patch: path });
  return patch;
}

interface Publish {
  readonly harness: Harness;
  readonly script: string | undefined;
  readonly patch: string;
  readonly env: Readonly<Record<string, string>>;
  /** The branch that the job checks out. Default: `main`. */
  readonly branch?: string;
  /** How many pull requests `gh pr list` finds. */
  readonly openPullRequests?: number;
}

/** Runs the script as the runner does, in a new checkout. Returns the calls of `gh` that write. */
export async function runPublish(options: Publish): Promise<readonly string[]> {
  const { harness, script = '', branch = 'main' } = options;
  const folder = await mkdtemp(join(tmpdir(), 'gump-publish-'));
  cleanUpAfterTest(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'changes'));
  await writeFile(join(folder, 'changes', 'changes.patch'), options.patch);
  const calls = await installGh(folder, options.openPullRequests ?? 0);
  const run = promisify(execFile);
  const checkout = join(folder, 'checkout');
  await run('git', [
    'clone',
    '--quiet',
    '--depth=1',
    '--branch',
    branch,
    `file://${harness.repository.path}`,
    checkout,
  ]);
  // The options with which the runner starts the default shell.
  await run('bash', ['-e', '-c', script], {
    cwd: checkout,
    env: { ...options.env, HOME: folder, RUNNER_TEMP: folder, PATH: `${folder}:${process.env.PATH}` },
  });
  const lines = (await readFile(calls, 'utf8')).split('\n');
  return lines.filter((line) => line.startsWith('pr create'));
}

/** A `gh` that notes its calls in a file, and needs no account. */
async function installGh(folder: string, openPullRequests: number): Promise<string> {
  const calls = join(folder, 'gh-calls');
  await writeFile(calls, '');
  const program = join(folder, 'gh');
  const list = `[ "$2" = list ] && echo ${openPullRequests}`;
  await writeFile(program, `#!/bin/sh\necho "$@" >> '${calls}'\n${list}\nexit 0\n`);
  await chmod(program, 0o755);
  return calls;
}
