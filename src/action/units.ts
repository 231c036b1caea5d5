/** The engine's units over git worktrees, made ready by the user's command. */
import { rmSync } from 'node:fs';
import type { Units } from '../engine/ports.js';
import { UserError } from '../failure.js';
import { describeEnd, runShell } from '../gates/run-shell.js';
import type { LiveReport } from '../report/live.js';
import type { Log } from '../report/log.js';
import type { ProcessRunner } from '../system/process.js';
import type { Workspace } from '../workspace/workspace.js';
import type { Places } from './places.js';

export interface UnitsOptions {
  readonly workspace: Workspace;
  readonly places: Places;
  readonly live: LiveReport;
  /** Makes a fresh work tree ready (input `worktree-setup`). */
  setUp(directory: string, signal: AbortSignal): Promise<void>;
}

export function createUnits({ workspace, places, live, setUp }: UnitsOptions): Units {
  return {
    async open(lane, from, signal) {
      const directory = places.unit(lane);
      const unit = await workspace.units.open(directory, from, (inside) => setUp(inside, signal));
      return {
        workspace: unit.workspace,
        reporter: live.beside(lane.slice(0, -1), unit.workspace.directory),
        async close() {
          await unit.close();
          rmSync(directory, { recursive: true, force: true });
        },
      };
    },
    async merge(base, units, message) {
      const merged = await workspace.units.merge(base, units, message);
      if (merged.status !== 'conflict') return merged;
      const [later, earlier] = merged.units;
      return { status: 'conflict', files: merged.files, units: [earlier, later] };
    },
  };
}

export interface SetUpOptions {
  /** Input `worktree-setup`; absent: there is nothing to do. */
  readonly command?: string;
  readonly processes: ProcessRunner;
  readonly env: Readonly<Record<string, string>>;
  readonly log: Log;
}

/** For `npm ci` of a large project on a slow network. */
const setUpMs = 15 * 60_000;

export function createSetUp({ command, processes, env, log }: SetUpOptions): UnitsOptions['setUp'] {
  return async (directory, signal) => {
    if (command === undefined) return;
    log.info(`Setting up ${directory}: ${command}`);
    const { exit, output } = await runShell(
      command,
      { processes, directory, env, signal, timeoutMs: setUpMs },
      (line) => log.untrusted(`  [setup] ${line}`),
    );
    if (exit.reason === 'exited' && exit.code === 0) return;
    const last = output.trimEnd().split('\n').at(-1) ?? '';
    throw new UserError(
      `Input worktree-setup, in ${directory}: ${describeEnd(`\`${command}\``, exit, setUpMs)} ${last}`.trim(),
    );
  };
}
