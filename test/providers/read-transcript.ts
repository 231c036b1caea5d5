/** Reads a whole transcript with an adapter, as the engine does. */
import type { AgentEvent, Provider, TurnOutcome, Usage } from '../../src/providers/provider.js';
import type { ProcessExit } from '../../src/system/process.js';

export interface TranscriptReading {
  readonly events: readonly AgentEvent[];
  readonly outcome: TurnOutcome;
}

export function readTranscript(
  provider: Provider,
  lines: readonly string[],
  exit: ProcessExit,
  before: Usage,
): TranscriptReading {
  const reader = provider.createReader(before);
  const events = lines.flatMap((line) => reader.readLine(line));
  return { events, outcome: reader.finish(exit) };
}
