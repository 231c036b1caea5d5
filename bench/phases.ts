/**
 * Reads the time of each phase of a run from its journal. Every event has a timestamp, so the action needs no
 * extra code for measurements.
 */

/** Milliseconds; the phases of steps are sums over all steps. */
export interface Phases {
  /** From the start of the process to the first attempt. */
  readonly startUp: number;
  /** The agent process, from start to end. */
  readonly agent: number;
  /** The remaining time between `attempt-started` and `agent-ended`: guard, snapshot, session copy. */
  readonly record: number;
  readonly gates: number;
  /** From the end of an attempt to the start of the next: pack, seal, store. */
  readonly store: number;
  /** After the last attempt: its checkpoint, report, summary, exit. */
  readonly end: number;
}

interface TimedEvent {
  readonly type: string;
  readonly at: number;
  readonly durationMs?: number;
}

type Phase = keyof Phases;

/** `from` and `to`: when the process started and ended. */
export function phasesOf(journal: string, from: number, to: number): Phases {
  const sums: Record<Phase, number> = { startUp: 0, agent: 0, record: 0, gates: 0, store: 0, end: 0 };
  let last = from;
  let gapPhase: Phase = 'startUp';
  const addTo = (phase: Phase, at: number) => {
    sums[phase] += at - last;
    last = at;
  };
  for (const event of journal
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as TimedEvent)) {
    if (event.type === 'attempt-started') {
      addTo(gapPhase, event.at);
      gapPhase = 'store';
    }
    if (event.type === 'agent-ended') {
      sums.agent += event.durationMs ?? 0;
      last += event.durationMs ?? 0;
      addTo('record', event.at);
    }
    if (event.type === 'attempt-ended') addTo('gates', event.at);
  }
  addTo('end', to);
  return sums;
}
