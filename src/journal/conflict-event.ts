/** Translates a merge conflict to and from its stored form: the event `units-conflict` has a pair, the earlier first. */
import type { BranchConflict } from '../workspace/workspace.js';
import type { UnitsConflict } from './event.js';

export function writeConflict(step: string, { files, branches }: BranchConflict): UnitsConflict {
  return { type: 'units-conflict', step, files, units: [branches.earlier, branches.later] };
}

export function readConflict({ files, units: [earlier, later] }: UnitsConflict): BranchConflict {
  return { files, branches: { earlier, later } };
}
