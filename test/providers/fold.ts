/** A whole transcript read by an adapter, as the engine would read it. */
import type { AgentEvent, Provider, TurnOutcome, Usage } from '../../src/providers/provider.js';
import type { Exit } from '../../src/system/process.js';

export interface Folded {
  readonly events: readonly AgentEvent[];
  readonly outcome: TurnOutcome;
}

export function fold(provider: Provider, lines: readonly string[], exit: Exit, before: Usage): Folded {
  const reader = provider.reader(before);
  const events = lines.flatMap((line) => reader.line(line));
  return { events, outcome: reader.end(exit) };
}
