/**
 * The directories in which agents work in addition to the checkout: worktrees of parallel branches, and empty
 * directories for steps that must not see the repository. The paths are the same on every machine with the same
 * temporary directory, because a session belongs to the directory in which it was started.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Attempt, StepState } from '../journal/run-state.js';

export interface AgentDirectories {
  /** The parent directory of all of them. */
  readonly root: string;
  /** The worktree of a parallel branch. The working directory has the same place in it as in the repository. */
  branchWorktree(branch: string): string;
  bareDirectory(step: string): string;
  /** The working directory of an attempt of the step. */
  directoryOf(step: Pick<StepState, 'path' | 'branchPrefix'>, attempt: Pick<Attempt, 'isBare'>): string;
}

export interface AgentDirectoriesOptions {
  /** The runner's directory for temporary files. */
  readonly temp: string;
  readonly stateName: string;
  /** The working directory of the checkout, and its path relative to the top of the repository. */
  readonly directory: string;
  readonly prefix: string;
}

export function openAgentDirectories({
  temp,
  stateName,
  directory,
  prefix,
}: AgentDirectoriesOptions): AgentDirectories {
  const folder = join(temp, 'gump_units', hash(stateName));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // git and the CLIs report real paths.
  const root = realpathSync(folder);
  const branchWorktree = (branch: string) => join(root, directoryNameFor(branch));
  const bareDirectory = (step: string) => join(root, 'bare', directoryNameFor(step));
  return {
    root,
    branchWorktree,
    bareDirectory,
    directoryOf(step, attempt) {
      if (attempt.isBare) return bareDirectory(step.path);
      return step.branchPrefix === '' ? directory : join(branchWorktree(step.branchPrefix), prefix);
    },
  };
}

/** The end of the path for people, and a hash of the whole path for uniqueness. */
function directoryNameFor(path: string): string {
  const words = path.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[-.]+|-+$/g, '');
  return `${words.slice(-40)}-${hash(path)}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
