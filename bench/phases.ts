/**
 * Where the time of a run went, read from its journal: every event has its time, so the action needs nothing
 * added to be measured.
 */

/** Milliseconds; those of the steps are sums over all of them. */
export interface Phases {
  /** From the start of the process to the first attempt. */
  readonly startUp: number;
  /** The agent's process from its start to its end. */
  readonly agent: number;
  /** The rest between "attempt started" and "agent ended": guard, snapshot, copy of the session. */
  readonly record: number;
  readonly gates: number;
  /** From the end of an attempt to the next: pack, seal, store. */
  readonly store: number;
  /** From the end of the last attempt: its checkpoint, report, summary, exit. */
  readonly end: number;
}

interface TimedEvent {
  readonly type: string;
  readonly at: number;
  readonly durationMs?: number;
}

type Phase = keyof Phases;

/** `from` and `to`: when the process was started and had ended. */
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
