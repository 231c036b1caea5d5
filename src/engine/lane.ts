/** What runs one after the other: the main line of a run, or one of the units that run side by side. */
import type { NewEvent } from '../journal/event.js';
import { newestSnapshot, type RunState } from '../journal/state.js';
import type { Snapshot } from '../workspace/workspace.js';
import type { Ports, Unit } from './ports.js';
import type { Lane, Run } from './run-context.js';

/** What all lanes of a run write to. */
export interface SharedJournal {
  state(): RunState;
  append(event: NewEvent): void;
}

export function openLane(shared: SharedJournal, lane: string, origin: Snapshot, ports: Ports): Lane {
  let isDue = false;
  let hasGateFiles = false;
  return {
    lane,
    origin,
    ports,
    record(event) {
      shared.append(event);
      // What only says that everything was taken over needs no checkpoint of its own.
      if (event.type === 'attempt-ended' || event.type === 'step-ended' || event.type === 'attempt-paused')
        isDue = true;
    },
    agentWorks() {
      isDue = true;
    },
    gatesWork() {
      hasGateFiles = true;
    },
    async settle() {
      const due = [isDue, hasGateFiles];
      [isDue, hasGateFiles] = [false, false];
      const { checkpoints, workspace } = ports;
      await Promise.all([due[0] && checkpoints.store(shared.state()), due[1] && workspace.disown()]);
    },
    beside: (other, begin, { workspace, reporter }) =>
      openLane(shared, other, begin, { ...ports, workspace, reporter }),
  };
}

/** The run as a unit sees it. */
export function besides(run: Run, lane: string, origin: Snapshot, unit: Unit): Run {
  return { ...run, ...run.beside(lane, origin, unit) };
}

/** The tree at which work goes on in the lane of this run. */
export function treeNow(run: Run): Snapshot {
  return newestSnapshot(run.state(), run.lane) ?? run.origin;
}
