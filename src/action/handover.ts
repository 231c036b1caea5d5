/**
 * What `main` leaves for `post`, which is another process: in a file of the job's private directory, because
 * `main` may be killed at any moment and the runner takes its state only while it lives.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Binding } from '../checkpoint/binding.js';
import type { Placed } from '../sessions/home-sessions.js';

export interface Handover {
  /** Where agents ran. */
  readonly directory: string;
  readonly binding: Omit<Binding, 'sequence'>;
  /** The highest checkpoint sequence used. */
  readonly usedSequence: number;
  readonly seen?: string;
  readonly restored?: string;
  /** How many journal events the newest stored checkpoint holds. */
  readonly storedEvents: number;
  /** Sessions in home folders that go away at the end. */
  readonly placed: readonly Placed[];
  /** The agent that is at work: its process group. */
  readonly agentPid?: number | undefined;
  /** `main` came to its end by itself. */
  readonly isDone: boolean;
}

export interface HandoverFile {
  update(change: Partial<Handover>): void;
}

const fileName = 'handover.json';

export function createHandover(directory: string, first: Handover): HandoverFile {
  let current = first;
  const write = () => {
    const file = join(directory, fileName);
    writeFileSync(`${file}.new`, JSON.stringify(current), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  };
  write();
  return {
    update(change) {
      current = { ...current, ...change };
      write();
    },
  };
}

/** `undefined`: `main` never came to the point where something is left behind. */
export function readHandover(directory: string): Handover | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, fileName), 'utf8')) as Handover;
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
    cache: join(directory, 'cache'),
    report: join(directory, 'report.json'),
    patch: join(directory, 'changes.patch'),
  } as const;
}
