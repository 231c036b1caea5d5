/**
 * The append-only file of events. `append` returns after the operating system has the line, so the line survives
 * a kill of this process. Only a checkpoint must survive the machine, so nothing here waits for the disk.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { JournalEvent, NewEvent } from './event.js';

export interface Journal {
  /** Writes the event to the file and returns it with its time. */
  append(event: NewEvent): JournalEvent;
  close(): void;
}

export function openJournal(file: string, now: () => number): Journal {
  const descriptor = openSync(file, 'a', 0o600);
  return {
    append(event) {
      const stamped = { ...event, at: now() } as JournalEvent;
      writeSync(descriptor, `${JSON.stringify(stamped)}\n`);
      return stamped;
    },
    close: () => closeSync(descriptor),
  };
}

/** The events of a journal file. An incomplete last line is left out. */
export function readJournal(file: string): readonly JournalEvent[] {
  return parseJournal(readFileSync(file, 'utf8'));
}

export function parseJournal(text: string): readonly JournalEvent[] {
  const complete = text.slice(0, text.lastIndexOf('\n') + 1);
  return complete
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JournalEvent);
}
