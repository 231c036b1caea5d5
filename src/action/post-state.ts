/**
 * What `main` leaves for `post`, which is another process. It is a file in the job's private directory, because
 * `main` may be killed at any moment and the runner accepts state only while `main` runs.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Binding } from '../checkpoint/binding.js';
import type { PlacedSession } from '../sessions/session-store.js';
import type { RunMarks } from './foreign-code.js';

export interface PostState {
  /** The working directory of the checkout. */
  readonly directory: string;
  /** Its path relative to the top of the repository. */
  readonly prefix: string;
  readonly binding: Omit<Binding, 'sequence'>;
  /** The highest checkpoint sequence used. */
  readonly usedSequence: number;
  readonly seen?: string;
  /** Key of the newest checkpoint that is known to be stored. */
  readonly restored?: string;
  /** Key of a checkpoint that was sealed in the private directory when the run was cancelled. */
  readonly kept?: string;
  /** How many journal events the newest stored checkpoint holds. */
  readonly storedEvents: number;
  /** The journal contains everything that this job continues from: there is a state to store. */
  readonly isBegun: boolean;
  /** Session files in home folders that `post` removes. */
  readonly placed: readonly PlacedSession[];
  /** Process groups of the running agents. */
  readonly agentPids: readonly number[];
  /** Finds what left its process group. */
  readonly runMarks?: RunMarks;
  /** `main` finished by itself. */
  readonly isDone: boolean;
}

export interface PostStateFile {
  update(change: Partial<PostState>): void;
}

/**
 * One change per line; the first line is complete. `main` may be killed while it writes, so lines are appended:
 * on ext4, replacing the file at every agent start takes as long as starting the agent.
 */
const fileName = 'handover.ndjson';

export function createPostStateFile(directory: string, first: PostState): PostStateFile {
  const write = (change: Partial<PostState>) =>
    appendFileSync(join(directory, fileName), `${JSON.stringify(change)}\n`, { mode: 0o600 });
  write(first);
  return { update: write };
}

/** `undefined` if `main` ended before it wrote any state. */
export function readPostState(directory: string): PostState | undefined {
  // Without a directory this would be a file of the workspace.
  if (directory === '') return undefined;
  try {
    const lines = readFileSync(join(directory, fileName), 'utf8').split('\n');
    // The text after the last line end is empty or an incomplete line.
    const changes = lines.slice(0, -1).map((line) => JSON.parse(line) as Partial<PostState>);
    return changes.length === 0 ? undefined : (Object.assign({}, ...changes) as PostState);
  } catch {
    return undefined;
  }
}

/** The files of the job's private directory. */
export function privatePaths(directory: string) {
  return {
    journal: join(directory, 'journal.ndjson'),
    git: join(directory, 'git'),
    sessions: join(directory, 'sessions'),
    imports: join(directory, 'imports'),
    settings: join(directory, 'settings'),
    cache: join(directory, 'cache'),
    report: join(directory, 'report.json'),
    patch: join(directory, 'changes.patch'),
  } as const;
}
