/**
 * Where agents work besides the checkout: the work trees of units, and empty directories for steps that must
 * not see the repository. The same paths on every machine whose temporary directory is the same: a session
 * belongs to the directory that it was begun in.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Attempt, StepState } from '../journal/run-state.js';

export interface AgentDirectories {
  /** Holds all of them. */
  readonly root: string;
  /** The work tree of a unit; the working directory lies in it where it lies in the repository. */
  branchWorktree(lane: string): string;
  bareDirectory(step: string): string;
  /** The working directory in which an attempt of the step was made. */
  directoryOf(step: Pick<StepState, 'path' | 'branchPrefix'>, attempt: Pick<Attempt, 'isBare'>): string;
}

export interface AgentDirectoriesOptions {
  /** The runner's directory for temporary files. */
  readonly temp: string;
  readonly stateName: string;
  /** The working directory of the checkout, and what of it lies below the top of the repository. */
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
  // git tells of work trees by their real paths, and CLIs of directories.
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

/** For people the end of the path, and for machines a hash of the whole. */
function directoryNameFor(path: string): string {
  const words = path.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[-.]+|-+$/g, '');
  return `${words.slice(-40)}-${hash(path)}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
