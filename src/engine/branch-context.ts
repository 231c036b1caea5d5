/** A sequence of steps: the main branch of a run, or one of its parallel branches. */
import type { NewEvent } from '../journal/event.js';
import { newestSnapshot, type RunState } from '../journal/run-state.js';
import type { Snapshot } from '../workspace/workspace.js';
import type { EnginePorts, ParallelBranch } from './engine-ports.js';
import type { BranchContext, EngineRun } from './engine-run.js';

/** The journal that all branches of a run share. */
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
  // A check right after another one would find nothing.
  let isJustChecked = true;
  const disownGateFiles = async (): Promise<void> => {
    hasGateFiles = false;
    isJustChecked = true;
    await ports.workspace.disown();
  };
  return {
    branchPrefix,
    origin,
    ports,
    record(event) {
      shared.append(event);
      // Events that only report reused results need no checkpoint of their own.
      if (event.type === 'attempt-ended' || event.type === 'step-ended' || event.type === 'attempt-paused')
        isDue = true;
    },
    markCheckpointDue() {
      isDue = true;
    },
    markGateFilesDue() {
      hasGateFiles = true;
    },
    markRecorded() {
      [hasGateFiles, isJustChecked] = [false, false];
    },
    async takeUnexplainedChanges() {
      if (hasGateFiles) await disownGateFiles();
      else if (!isJustChecked) return ports.workspace.takeUnrecorded();
      isJustChecked = false;
      return [];
    },
    async flush() {
      const isStoring = isDue;
      isDue = false;
      await Promise.all([
        isStoring && ports.checkpoints.store(shared.state()),
        hasGateFiles && disownGateFiles(),
      ]);
    },
    openBranch: (other, branchOrigin, { workspace, reporter }) =>
      createBranchContext(shared, other, branchOrigin, { ...ports, workspace, reporter }),
  };
}

/** The run, as seen from a parallel branch. */
export function createBranchRun(
  run: EngineRun,
  branchPrefix: string,
  origin: Snapshot,
  branch: ParallelBranch,
): EngineRun {
  return { ...run, ...run.openBranch(branchPrefix, origin, branch) };
}

/** The newest snapshot of the branch: work continues from it. */
export function currentSnapshot(run: EngineRun): Snapshot {
  return newestSnapshot(run.state(), run.branchPrefix) ?? run.origin;
}
