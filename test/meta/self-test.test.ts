/** Runs the two jobs of ci.yml that use the action by `uses: ./`, with their scripts, on the test rig. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startCacheService } from '../rig/cache-service.js';
import { createMachine, type Machine, type StepResult } from '../rig/machine.js';
import { makeRepository, type Repository } from '../rig/repository.js';
import { listFiles, readText } from './project-files.js';

interface CiStep {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string>>;
}

interface CiJob {
  readonly env: Readonly<Record<string, string>>;
  readonly steps: readonly CiStep[];
}

const ci: { readonly jobs: Readonly<Record<string, CiJob>> } = parse(readText('.github/workflows/ci.yml'));
const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

it('continues in the second job, as check.sh requires', async () => {
  const cache = await startCacheService();
  cleanUps.push(() => cache.close());
  const files = listFiles('.github/self-test', 'test/rig/cli');
  const repository = await makeRepository(Object.fromEntries(files.map((path) => [path, readText(path)])));
  cleanUps.push(() => repository.remove());
  const [first, second] = [await newMachine(), await newMachine()];

  const before = await runJob(first, repository, 'action-first-job');
  expect(before.main.outputs).toMatchObject({ persisted: 'true', resumed: 'false', status: 'passed' });
  const after = await runJob(second, repository, 'action-second-job');
  await script(second, 'check.sh', {
    BEFORE: before.main.outputs.sessions ?? '',
    AFTER: after.main.outputs.sessions ?? '',
    RESUMED: after.main.outputs.resumed ?? '',
    PERSISTED: after.main.outputs.persisted ?? '',
  });

  async function newMachine(): Promise<Machine> {
    const machine = await createMachine({ cache });
    cleanUps.push(() => machine.wipe());
    return machine;
  }
});

async function runJob(machine: Machine, repository: Repository, name: string): Promise<StepResult> {
  const { env, steps } = ci.jobs[name] as CiJob;
  await machine.checkout(repository);
  const inputs = steps.find(({ uses }) => uses === './')?.with ?? {};
  const pathFile = join(machine.scratch, 'path');
  await writeFile(pathFile, '');
  const job = await machine.startJob({ job: name });
  await script(machine, 'install.sh', { GITHUB_PATH: pathFile });
  const folder = (await readFile(pathFile, 'utf8')).trim();
  // The rig has one folder for programs. A runner would put this folder before others on PATH.
  await machine.install('claude', await readFile(join(folder, 'claude'), 'utf8'));
  const main = await job.runStep({ inputs, env });
  const [post] = await job.finish();
  return { main, ...(post ? { post } : {}) };
}

/** Runs a script of `.github/self-test`; rejects if it fails. */
async function script(machine: Machine, name: string, env: Readonly<Record<string, string>>): Promise<void> {
  await promisify(execFile)('bash', [join('.github/self-test', name)], {
    cwd: machine.workspace,
    env: { PATH: process.env.PATH, HOME: machine.home, RUNNER_TEMP: machine.temp, ...env },
  });
}
