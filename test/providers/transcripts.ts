/** The recorded streams of the real CLIs, and the expected result of the adapter for each. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Provider, Usage } from '../../src/providers/provider.js';
import type { ProcessExit } from '../../src/system/process.js';
import { readTranscript, type TranscriptReading } from './read-transcript.js';

export interface Transcript {
  /** `VERSION.SCENARIO` */
  readonly name: string;
  readonly scenario: string;
  readonly lines: readonly string[];
  readonly expected: TranscriptReading & {
    readonly before: Usage;
    readonly exit: ProcessExit;
    /** Lines of standard error that matter before the end. */
    readonly errorLines?: readonly string[];
    /** Only if times matter: the time of the reading. */
    readonly time?: { readonly now: number; readonly zone: string };
    /** Where the transcript is from, if it is not a recording by `npm run record`. */
    readonly source?: string;
  };
}

export function transcriptsOf(provider: Provider): readonly Transcript[] {
  const folder = new URL(`../fixtures/transcripts/${provider.id}/`, import.meta.url);
  const names = readdirSync(folder).flatMap((file) => (file.endsWith('.ndjson') ? file.slice(0, -7) : []));
  return names.map((name) => ({
    name,
    scenario: name.slice(name.lastIndexOf('.') + 1),
    lines: readFileSync(new URL(`${name}.ndjson`, folder), 'utf8')
      .split('\n')
      .slice(0, -1),
    expected: JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')),
  }));
}

/** Reads the transcript at its own time. */
export function readRecorded(provider: Provider, { lines, expected }: Transcript): TranscriptReading {
  const { before, exit, errorLines = [], time } = expected;
  const options = time === undefined ? {} : { time: { now: () => time.now, zone: time.zone } };
  return readTranscript(provider, lines, exit, before, { errorLines, ...options });
}
