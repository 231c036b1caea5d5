/**
 * What `main` leaves for `post`, which is another process: in a file of the job's private directory, because
 * `main` may be killed at any moment and the runner takes its state only while it lives.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Binding } from '../checkpoint/binding.js';
import type { Placed } from '../sessions/home-sessions.js';

export interface PostState {
  /** The working directory of the checkout. */
  readonly directory: string;
  /** What of it lies below the top of the repository. */
  readonly prefix: string;
  readonly binding: Omit<Binding, 'sequence'>;
  /** The highest checkpoint sequence used. */
  readonly usedSequence: number;
  readonly seen?: string;
  /** The newest checkpoint that is known to be stored. */
  readonly restored?: string;
  /** The key of a checkpoint that was sealed and kept in the private directory, as the run was cancelled. */
  readonly kept?: string;
  /** How many journal events the newest stored checkpoint holds. */
  readonly storedEvents: number;
  /** The journal begins with all that this job goes on from: there is a state to store. */
  readonly isBegun: boolean;
  /** Sessions in home folders that go away at the end. */
  readonly placed: readonly Placed[];
  /** The agents that are at work, by their process groups. */
  readonly agentPids: readonly number[];
  /** `main` came to its end by itself. */
  readonly isDone: boolean;
}

export interface PostStateFile {
  update(change: Partial<PostState>): void;
}

/**
 * One change a line, the first of them the whole: `main` may be killed while it writes, and to put a new file
 * in the place of the old one at every start of an agent takes ext4 as long as starting the agent.
 */
const fileName = 'handover.ndjson';

export function createPostStateFile(directory: string, first: PostState): PostStateFile {
  const write = (change: Partial<PostState>) =>
    appendFileSync(join(directory, fileName), `${JSON.stringify(change)}\n`, { mode: 0o600 });
  write(first);
  return { update: write };
}

/** `undefined`: `main` never came to the point where something is left behind. */
export function readPostState(directory: string): PostState | undefined {
  // Without a directory this would be a file of the workspace.
  if (directory === '') return undefined;
  try {
    const lines = readFileSync(join(directory, fileName), 'utf8').split('\n');
    // Behind the last line end there is nothing, or a line that was cut off.
    const changes = lines.slice(0, -1).map((line) => JSON.parse(line) as Partial<PostState>);
    return changes.length === 0 ? undefined : (Object.assign({}, ...changes) as PostState);
  } catch {
    return undefined;
  }
}

/** Where things lie in the private directory of the job. */
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
