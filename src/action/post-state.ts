/**
 * What `main` leaves for `post`, which is another process. It is a file in the job's private directory, because
 * `main` may be killed at any moment and the runner accepts state only while `main` runs.
 *
 * `post` ends processes and removes files that this file names, and an agent can write to it. So each line is
 * sealed, and `post` believes nothing after the first line that is not.
 */
import { existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Binding } from '../checkpoint/binding.js';
import { createLineSeal, readSealedLines } from '../journal/line-seal.js';
import type { SubjectScope } from '../previous/subject-scope.js';
import type { SessionCopyIndex } from '../sessions/session-copies.js';
import type { PlacedSession } from '../sessions/session-store.js';
import { appendWhole } from '../system/append-whole.js';
import type { RunMarks } from './foreign-code.js';
import type { LocalCheckpoint } from './local-checkpoint.js';
import type { NewCli } from './obtain-cli.js';

export interface PostState {
  /** The working directory of the checkout. */
  readonly directory: string;
  /** Its path relative to the top of the repository. */
  readonly prefix: string;
  readonly binding: Omit<Binding, 'sequence'>;
  /** Names of the variables that may seal the state. */
  readonly sealingVariables: readonly string[];
  /** The highest checkpoint sequence used. */
  readonly usedSequence: number;
  readonly seen?: string;
  /** Key of the newest checkpoint that is known to be stored. */
  readonly restored?: string;
  /** A checkpoint that was sealed in the private directory when the run was cancelled. */
  readonly kept?: LocalCheckpoint;
  /** How many journal events the newest stored checkpoint holds. */
  readonly storedEvents: number;
  /** All that the run has stored, in bytes. */
  readonly storedBytes?: number;
  /** `main` has changed from the Actions cache to artifacts (`auto-store.ts`). */
  readonly isInArtifacts?: boolean;
  /** The journal contains everything that this job continues from: there is a state to store. */
  readonly isBegun: boolean;
  /** The copies of sessions for the next checkpoint. */
  readonly copies: SessionCopyIndex;
  /** Session files in home folders that `post` removes. */
  readonly placed: readonly PlacedSession[];
  /** What the run leaves for later runs of its subject. Absent: nothing. */
  readonly subjectEntry?: SubjectEntryPlan;
  /** Path of a step → its patch, for that entry. */
  readonly stepDiffs?: Readonly<Record<string, string>>;
  /** Process groups of the running agents. */
  readonly agentPids: readonly number[];
  /** Finds what left its process group. */
  readonly runMarks?: RunMarks;
  /** CLIs that `main` installed and `post` stores. */
  readonly newClis?: readonly NewCli[];
  /** `main` finished by itself. */
  readonly isDone: boolean;
}

export interface SubjectEntryPlan {
  readonly scope: SubjectScope;
  /** The head commit of the pull request, or the commit of the event. */
  readonly commit: string;
}

export interface PostStateFile {
  update(change: Partial<PostState>): void;
}

/**
 * One change per line; the first line is complete. `main` may be killed while it writes, so lines are appended:
 * on ext4, replacing the file at every agent start takes as long as starting the agent.
 */
const fileName = 'handover.ndjson';
const sealName = 'post';

/** `key`: from `lineKeyOf`. */
export function createPostStateFile(directory: string, key: Buffer, first: PostState): PostStateFile {
  const seal = createLineSeal({ key, name: sealName });
  const descriptor = openSync(join(directory, fileName), 'a', 0o600);
  const write = (change: Partial<PostState>) =>
    seal(JSON.stringify(change), (text) => appendWhole(descriptor, text));
  write(first);
  return { update: write };
}

/** Whether `main` left any state. Says nothing about what it is worth. */
export function hasPostState(directory: string): boolean {
  // Without a directory this would be a file of the workspace.
  return directory !== '' && existsSync(join(directory, fileName));
}

export interface RecordedPostState {
  /** `undefined` if `main` ended before it wrote any state. */
  readonly postState?: PostState;
  /** Another program changed the file. The state is that before the change. */
  readonly isAltered: boolean;
}

export function readPostState(directory: string, key: Buffer): RecordedPostState {
  if (!hasPostState(directory)) return { isAltered: false };
  const { lines, isAltered } = readLines(join(directory, fileName), key);
  if (lines.length === 0) return { isAltered };
  const changes = lines.map((line) => JSON.parse(line) as Partial<PostState>);
  return { postState: Object.assign({}, ...changes) as PostState, isAltered };
}

function readLines(file: string, key: Buffer) {
  try {
    return readSealedLines(readFileSync(file, 'utf8'), { key, name: sealName });
  } catch {
    // It is not a file that can be read, and `main` made one.
    return { lines: [], isAltered: true };
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
    artifacts: join(directory, 'artifacts'),
    report: join(directory, 'report.json'),
    patch: join(directory, 'changes.patch'),
    results: join(directory, 'results'),
  } as const;
}
