/**
 * Where agents work besides the checkout: the work trees of units, and empty directories for steps that must
 * not see the repository. The same paths on every machine whose temporary directory is the same: a session
 * belongs to the directory that it was begun in.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Attempt, StepState } from '../journal/state.js';

export interface Places {
  /** Holds all of them. */
  readonly root: string;
  /** The work tree of a unit; the working directory lies in it where it lies in the repository. */
  unit(lane: string): string;
  bare(step: string): string;
  /** The working directory in which an attempt of the step was made. */
  directoryOf(step: Pick<StepState, 'path' | 'lane'>, attempt: Pick<Attempt, 'isBare'>): string;
}

export interface PlacesOptions {
  /** The runner's directory for temporary files. */
  readonly temp: string;
  readonly stateName: string;
  /** The working directory of the checkout, and what of it lies below the top of the repository. */
  readonly directory: string;
  readonly prefix: string;
}

export function openPlaces({ temp, stateName, directory, prefix }: PlacesOptions): Places {
  const folder = join(temp, 'gump_units', hash(stateName));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // git tells of work trees by their real paths, and CLIs of directories.
  const root = realpathSync(folder);
  const unit = (lane: string) => join(root, named(lane));
  const bare = (step: string) => join(root, 'bare', named(step));
  return {
    root,
    unit,
    bare,
    directoryOf(step, attempt) {
      if (attempt.isBare) return bare(step.path);
      return step.lane === '' ? directory : join(unit(step.lane), prefix);
    },
  };
}

/** For people the end of the path, and for machines a hash of the whole. */
function named(path: string): string {
  const words = path.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[-.]+|-+$/g, '');
  return `${words.slice(-40)}-${hash(path)}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
