/**
 * Writes the conversations of this job attempt next to the results (input `transcripts`), while the agents work: what a
 * killed `main` has seen is there, too. The files are for people; the action never reads them.
 */
import { closeSync, openSync } from 'node:fs';
import type { Conversation, Transcripts } from '../engine/engine-ports.js';
import { cutText } from '../report/cut-text.js';
import { createFileNames } from '../report/file-names.js';
import {
  transcriptEnd,
  transcriptEvent,
  transcriptPrompt,
  transcriptTitle,
} from '../report/transcript-text.js';
import type { Redactor } from '../security/redact.js';
import { appendWhole } from '../system/append-whole.js';
import { makeFolder, makeFoldersFor } from './results-folder.js';

export interface TranscriptOptions {
  /** The folder of the output `results`. */
  readonly directory: string;
  readonly redact: Redactor;
  warn(message: string): void;
  /** In bytes. By default 2 MB for an attempt and 100 MB for the job. */
  readonly maxFile?: number;
  readonly maxTotal?: number;
}

interface OpenTranscript {
  readonly file: string;
  bytes: number;
}

export function createTranscripts(options: TranscriptOptions): Transcripts {
  const { directory, redact, warn, maxFile = 2_000_000, maxTotal = 100_000_000 } = options;
  const names = createFileNames();
  const open = new Map<string, OpenTranscript>();
  let total = 0;
  let isStopped = false;

  const fileOf = (head: Conversation): OpenTranscript => {
    const key = JSON.stringify([head.step, head.attempt]);
    const known = open.get(key);
    if (known !== undefined) return known;
    makeFolder(directory);
    const name = names.nameFor(redact(head.step), `.transcript-${head.attempt}.md`);
    const created = { file: makeFoldersFor(directory, name), bytes: 0 };
    open.set(key, created);
    append(created, transcriptTitle(head), 'ax');
    return created;
  };

  const append = (transcript: OpenTranscript, text: string, flags: 'ax' | 'a'): void => {
    const room = Math.min(maxFile - transcript.bytes, maxTotal - total);
    if (room <= 0) return;
    const clean = redact(text);
    const written = cutText(clean, room);
    const size = Buffer.byteLength(written);
    // A text that fits only in part is the last one of the file.
    transcript.bytes = written === clean ? transcript.bytes + size : maxFile;
    total += size;
    const descriptor = openSync(transcript.file, flags, 0o600);
    try {
      appendWhole(descriptor, written);
    } finally {
      closeSync(descriptor);
    }
  };

  /** A transcript that cannot be written must not cost the run. */
  const attempt = (write: () => void): void => {
    if (isStopped) return;
    try {
      write();
    } catch (error) {
      isStopped = true;
      warn(
        `The transcripts are incomplete: a file could not be written (${error instanceof Error ? error.message : String(error)}). Free space below RUNNER_TEMP.`,
      );
    }
  };

  return {
    open(head) {
      const add = (text: string | undefined) => {
        if (text !== undefined) attempt(() => append(fileOf(head), text, 'a'));
      };
      add(transcriptPrompt(head));
      return { add: (event) => add(transcriptEvent(event)), end: (failure) => add(transcriptEnd(failure)) };
    },
  };
}
