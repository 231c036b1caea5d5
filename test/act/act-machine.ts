/**
 * Runs jobs of this repository with nektos/act (https://github.com/nektos/act, 0.2.89) in host mode: the steps run
 * on this machine, with act's own cache service on loopback. Each job has a new home and a new workspace, as on a
 * new machine; only the cache stays.
 */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import { repositoryRoot } from '../meta/project-files.js';

/** `ACT`, or `act` on PATH; `undefined` if there is none. `.ci/run` installs it if it can. */
export function findAct(): string | undefined {
  const candidate = process.env.ACT ?? 'act';
  try {
    execFileSync(candidate, ['--version'], { stdio: 'ignore' });
    return candidate;
  } catch {
    return undefined;
  }
}

export interface ActJob {
  readonly code: number;
  readonly output: string;
}

export interface ActRepository {
  /** Runs the job of the workflow. Never rejects because the job fails. */
  run(workflow: string, jobAttempt: number): Promise<ActJob>;
}

/** A clone of this repository with the present files, and an empty cache. */
export function makeActRepository(act: string): ActRepository {
  const folder = mkdtempSync(join(tmpdir(), 'gump-act-'));
  cleanUpAfterTest(() => rmSync(folder, { recursive: true, force: true }));
  const repository = join(folder, 'repository');
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', repositoryRoot, repository]);
  for (const part of ['action.yml', 'dist', '.github', 'test/rig']) {
    cpSync(join(repositoryRoot, part), join(repository, part), { recursive: true });
  }
  const git = (...args: readonly string[]) =>
    execFileSync('git', [
      '-C',
      repository,
      '-c',
      'user.name=ada',
      '-c',
      'user.email=ada@example.com',
      ...args,
    ]);
  // act takes the name of the repository from here. It contacts nothing: it takes `actions/checkout` for the local copy.
  git('remote', 'set-url', 'origin', 'https://github.com/octo/gump-action.git');
  git('add', '--all');
  git('commit', '--quiet', '--allow-empty', '--message', 'present files');
  return {
    run(workflow, jobAttempt) {
      const machine = join(folder, `machine-${jobAttempt}`);
      mkdirSync(join(machine, 'home'), { recursive: true });
      const args = [
        ...['workflow_dispatch', '--workflows', `.github/workflows/${workflow}`],
        ...[
          '--platform',
          'ubuntu-latest=-self-hosted',
          '--pull=false',
          '--env',
          `GITHUB_RUN_ATTEMPT=${jobAttempt}`,
        ],
        ...['--cache-server-addr', '127.0.0.1', '--cache-server-path', join(folder, 'cache')],
      ];
      const env = {
        PATH: `${join(repositoryRoot, 'node_modules/.bin')}:${process.env.PATH}`,
        HOME: join(machine, 'home'),
        XDG_CACHE_HOME: join(machine, 'cache'),
      };
      return new Promise((resolve) => {
        execFile(act, args, { cwd: repository, env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
          rmSync(machine, { recursive: true, force: true });
          resolve({ code: error === null ? 0 : 1, output: `${stdout}\n${stderr}` });
        });
      });
    },
  };
}
