/** The engine's parallel branches in git worktrees, prepared by the user's setup command. */
import { rmSync } from 'node:fs';
import type { ParallelBranches } from '../engine/engine-ports.js';
import { FailureError, UserError } from '../failure.js';
import { describeExit, runShell } from '../gates/run-shell.js';
import type { LiveReport } from '../report/live-report.js';
import type { Log } from '../report/log.js';
import { createLogShare } from '../report/log-share.js';
import { branchName } from '../step-path.js';
import type { ProcessRunner } from '../system/process.js';
import type { Workspace } from '../workspace/workspace.js';
import type { AgentDirectories } from './agent-directories.js';
import type { ForeignCode } from './foreign-code.js';

export interface BranchWorktreesOptions {
  readonly workspace: Workspace;
  readonly agentDirectories: AgentDirectories;
  readonly live: LiveReport;
  /** Prepares a fresh worktree (input `worktree-setup`). */
  setUp(directory: string, signal: AbortSignal): Promise<void>;
}

export function createBranchWorktrees({
  workspace,
  agentDirectories,
  live,
  setUp,
}: BranchWorktreesOptions): ParallelBranches {
  return {
    async open(branch, from, signal) {
      const directory = agentDirectories.branchWorktree(branch);
      const worktree = await workspace.branchWorktrees.open(directory, from, (inside) =>
        setUp(inside, signal),
      );
      return {
        workspace: worktree.workspace,
        reporter: live.forBranch(branchName(branch), worktree.workspace.directory),
        async close() {
          await worktree.close();
          rmSync(directory, { recursive: true, force: true });
        },
      };
    },
    merge: (base, branches, message) => workspace.branchWorktrees.merge(base, branches, message),
  };
}

export interface WorktreeSetupOptions {
  /** Input `worktree-setup`. Absent if there is nothing to do. */
  readonly command?: string;
  readonly processes: ProcessRunner;
  readonly foreignCode: ForeignCode;
  readonly env: Readonly<Record<string, string>>;
  readonly log: Log;
}

/** Enough for `npm ci` of a large project on a slow network. */
const setUpMs = 15 * 60_000;

export function createWorktreeSetup({
  command,
  processes,
  foreignCode,
  env,
  log,
}: WorktreeSetupOptions): BranchWorktreesOptions['setUp'] {
  return async (directory, signal) => {
    if (command === undefined) return;
    log.info(`Setting up ${directory}: ${command}`);
    const { value, failure } = await foreignCode.run(
      { who: 'The command of `worktree-setup`', processes },
      (watched) =>
        runShell(
          command,
          { processes: watched, directory, env, signal, timeoutMs: setUpMs, whenReady: log.whenDrained },
          createLogShare(log.untrusted, '  [setup] '),
        ),
    );
    if (failure !== undefined) throw new FailureError(failure);
    const { exit, output } = value;
    if (exit.reason === 'exited' && exit.code === 0) return;
    const last = output.trimEnd().split('\n').at(-1) ?? '';
    throw new UserError(
      `Input \`worktree-setup\`, in ${directory}: ${describeExit(`\`${command}\``, exit, setUpMs)} ${last}`.trim(),
    );
  };
}
