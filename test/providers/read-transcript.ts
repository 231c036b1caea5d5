/** Reads a whole transcript with an adapter, as the engine does. */
import type { AgentEvent, Provider, TurnOutcome, Usage } from '../../src/providers/provider.js';
import type { TimeSource } from '../../src/providers/reset-time.js';
import type { ProcessExit } from '../../src/system/process.js';

/** The time of a reading: a Saturday, in UTC. */
export const transcriptTime: TimeSource = { now: () => Date.parse('2026-11-28T15:00:00Z'), zone: 'UTC' };

export interface TranscriptReading {
  readonly events: readonly AgentEvent[];
  readonly outcome: TurnOutcome;
}

export function readTranscript(
  provider: Provider,
  lines: readonly string[],
  exit: ProcessExit,
  before: Usage,
  { errorLines = [], time = transcriptTime }: { errorLines?: readonly string[]; time?: TimeSource } = {},
): TranscriptReading {
  const reader = provider.createReader(before, time);
  const events = [
    ...lines.flatMap((line) => reader.readLine(line)),
    ...errorLines.flatMap((line) => reader.readErrorLine?.(line) ?? []),
  ];
  return { events, outcome: reader.finish(exit) };
}
