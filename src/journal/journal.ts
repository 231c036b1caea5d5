/**
 * The append-only record of events. `append` returns after the operating system has the line, so the line survives
 * a kill of this process. Only a checkpoint must survive the machine, so nothing here waits for the disk.
 *
 * This process believes only its memory: checkpoints are sealed from `content`, and the file is never read again by
 * the process that writes it. It is for `post`, which believes only sealed lines (`line-seal.ts`).
 */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { appendWhole } from '../system/append-whole.js';
import type { JournalEvent, NewEvent } from './event.js';
import { createLineSeal, type LineSealOptions, readSealedLines } from './line-seal.js';

export interface Journal {
  /** Writes the event to the file and returns it with its time. */
  append(event: NewEvent): JournalEvent;
}

export interface JournalFile extends Journal {
  /** The events so far, as a checkpoint stores them: one per line, not sealed. */
  content(): Buffer;
  events(): readonly JournalEvent[];
  close(): void;
}

export interface JournalOptions {
  readonly file: string;
  readonly key: Buffer;
  now(): number;
  /** The events that the journal begins with. They are written first. */
  readonly earlier?: readonly JournalEvent[];
}

const sealName = 'journal';

/** Replaces the file. */
export function createJournal({ file, key, now, earlier = [] }: JournalOptions): JournalFile {
  const descriptor = openSync(file, 'w', 0o600);
  const seal = createLineSeal({ key, name: sealName });
  const lines: string[] = [];
  const append = (event: JournalEvent): void => {
    const line = JSON.stringify(event);
    seal(line, (text) => appendWhole(descriptor, text));
    lines.push(line);
  };
  for (const event of earlier) append(event);
  return {
    append(event) {
      const stamped = { ...event, at: now() } as JournalEvent;
      append(stamped);
      return stamped;
    },
    content: () => Buffer.from(lines.map((line) => `${line}\n`).join('')),
    events: () => lines.map((line) => JSON.parse(line) as JournalEvent),
    close: () => closeSync(descriptor),
  };
}

export interface RecordedJournal {
  /** The events that the process with the same key wrote, up to the first line that is not its own. */
  readonly events: readonly JournalEvent[];
  readonly isAltered: boolean;
}

/** Reads a journal file. A missing file has no events. */
export function readJournalFile(file: string, key: LineSealOptions['key']): RecordedJournal {
  const { lines, isAltered } = readSealedLines(readTextOrNothing(file), { key, name: sealName });
  return { events: lines.map((line) => JSON.parse(line) as JournalEvent), isAltered };
}

function readTextOrNothing(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Events in the form in which a checkpoint stores them. */
export function formatJournal(events: readonly JournalEvent[]): Buffer {
  return Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
}

/** The events of the journal in an opened checkpoint. An incomplete last line is left out. */
export function parseJournal(text: string): readonly JournalEvent[] {
  const complete = text.slice(0, text.lastIndexOf('\n') + 1);
  return complete
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JournalEvent);
}
