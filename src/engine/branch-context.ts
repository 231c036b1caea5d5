/** What runs one after the other: the main line of a run, or one of the units that run side by side. */
import type { NewEvent } from '../journal/event.js';
import { newestSnapshot, type RunState } from '../journal/run-state.js';
import type { Snapshot } from '../workspace/workspace.js';
import type { EnginePorts, ParallelBranch } from './engine-ports.js';
import type { BranchContext, EngineRun } from './engine-run.js';

/** What all lanes of a run write to. */
export interface SharedJournal {
  state(): RunState;
  append(event: NewEvent): void;
}

export function createBranchContext(
  shared: SharedJournal,
  branchPrefix: string,
  origin: Snapshot,
  ports: EnginePorts,
): BranchContext {
  let isDue = false;
  let hasGateFiles = false;
  return {
    branchPrefix,
    origin,
    ports,
    record(event) {
      shared.append(event);
      // What only says that everything was taken over needs no checkpoint of its own.
      if (event.type === 'attempt-ended' || event.type === 'step-ended' || event.type === 'attempt-paused')
        isDue = true;
    },
    markCheckpointDue() {
      isDue = true;
    },
    markGateFilesDue() {
      hasGateFiles = true;
    },
    async flush() {
      const due = [isDue, hasGateFiles];
      [isDue, hasGateFiles] = [false, false];
      const { checkpoints, workspace } = ports;
      await Promise.all([due[0] && checkpoints.store(shared.state()), due[1] && workspace.disown()]);
    },
    openBranch: (other, begin, { workspace, reporter }) =>
      createBranchContext(shared, other, begin, { ...ports, workspace, reporter }),
  };
}

/** The run as a unit sees it. */
export function createBranchRun(
  run: EngineRun,
  branchPrefix: string,
  origin: Snapshot,
  branch: ParallelBranch,
): EngineRun {
  return { ...run, ...run.openBranch(branchPrefix, origin, branch) };
}

/** The tree at which work goes on in the lane of this run. */
export function currentSnapshot(run: EngineRun): Snapshot {
  return newestSnapshot(run.state(), run.branchPrefix) ?? run.origin;
}
