/** The operations of a workspace, out of its parts; they run one after the other, as they share one index. */
import { applySnapshot } from './apply.js';
import { type BytePath, shownPath, toText } from './byte-path.js';
import type { Git } from './git.js';
import { covers, ignoredNames } from './ignored.js';
import type { LeftOutFile, LeftOutFiles, LeftOutRules } from './leftovers.js';
import type { MergeFiles } from './merge.js';
import { emptyOutput, removeOutput } from './output-directory.js';
import type { Ownership } from './ownership.js';
import { hasTree, packSnapshots, unpackSnapshots } from './pack.js';
import { patchBetween } from './patch.js';
import { resetTo } from './reset.js';
import type { serial } from './serial.js';
import type { Snapshots } from './snapshots.js';
import type { Stage } from './stage.js';
import { diffTrees, type TreeChange } from './tree.js';
import type { Change, RecordedSnapshot, Snapshot, Units, Workspace } from './workspace.js';

export interface WorkspaceParts {
  readonly git: Git;
  readonly rules: LeftOutRules;
  readonly stage: Stage;
  readonly snapshots: Snapshots;
  readonly guard: Workspace['guard'];
  readonly ownership: Ownership;
  readonly leftOut: LeftOutFiles;
  readonly units: Units;
  /** What a re-run compares. */
  readonly startTree: string;
  readonly files: MergeFiles;
  /** For whatever uses this work tree's git. */
  readonly inTurn: ReturnType<typeof serial>;
}

export function composeWorkspace(parts: WorkspaceParts): Workspace {
  const { git, files, snapshots, inTurn, units } = parts;
  const { root, directory, startCommit } = parts.rules.repository;
  const treesOf = async (from: Snapshot, to: Snapshot) =>
    [await snapshots.treeOf(from), await snapshots.treeOf(to)] as const;
  const states = stateOperations(parts);
  return {
    root,
    directory,
    startCommit,
    startTree: parts.startTree,
    units,
    start: { base: startCommit, commit: startCommit },
    record: (message) => inTurn(() => states.record(message)),
    disown: () => inTurn(() => states.disown()),
    reset: (snapshot) => inTurn(() => states.reset(snapshot)),
    apply: (snapshot) => inTurn(() => states.apply(snapshot)),
    changes: (from, to) =>
      inTurn(async () => {
        const changes = await diffTrees(git, ...(await treesOf(from, to)));
        return changes.map((change) => toChange(change, parts.rules.repository.prefix));
      }),
    patch: (from, to) => inTurn(async () => patchBetween(git, files.scratch, ...(await treesOf(from, to)))),
    has: (commit) => inTurn(() => hasTree(git, commit)),
    pack: (list) => inTurn(() => packSnapshots(git, startCommit, list)),
    unpack: (pack) => inTurn(() => unpackSnapshots(git, pack)),
    guard: () =>
      inTurn(async () => {
        const restore = await parts.guard();
        return () => inTurn(restore);
      }),
    ignored: () => inTurn(() => ignoredNames(git, parts.rules.repository)),
    covers: (path) => inTurn(() => covers(git, parts.rules.repository, path)),
    emptyOutput: () => inTurn(() => emptyOutput(directory)),
    removeOutput: () => inTurn(() => removeOutput(directory)),
  };
}

function stateOperations({ git, rules, stage, snapshots, ownership, leftOut, files }: WorkspaceParts) {
  const { root, prefix } = rules.repository;
  return {
    async record(message: string): Promise<RecordedSnapshot> {
      const staged = await stage.update();
      const { tree, changed } = await ownership.own(staged.tree);
      const snapshot = await snapshots.fromTree(tree, message);
      leftOut.ofSnapshot.set(snapshot.commit, staged.leftOut);
      return { ...snapshot, leftOut: reported(staged.leftOut, leftOut.atStart), changed };
    },
    async disown(): Promise<void> {
      ownership.disown((await stage.update()).tree);
    },
    async reset(snapshot: Snapshot): Promise<void> {
      const spared = [...leftOut.atStart, ...(leftOut.ofSnapshot.get(snapshot.commit) ?? [])];
      const tree = await snapshots.treeOf(snapshot);
      const workTree = await ownership.workTreeFor(tree);
      await resetTo(stage, rules, workTree, new Set(spared.map(({ path }) => path)));
      ownership.moved(tree, workTree);
    },
    async apply(snapshot: Snapshot): Promise<readonly string[]> {
      const { conflicts, placements, tree } = await applySnapshot(git, stage, { ...files, root }, snapshot);
      if (conflicts.length > 0) return conflicts.map((path) => shownPath(path, prefix));
      snapshots.remember(snapshot, await ownership.placed(placements, tree));
      return [];
    },
  };
}

/** What people should hear of: files that a step made, not what a rule leaves out or what lay there before. */
function reported(now: readonly LeftOutFile[], atStart: readonly LeftOutFile[]): readonly string[] {
  const known = new Set(atStart.map(({ signature }) => signature));
  return now
    .filter(
      ({ reason, signature }) => reason !== 'dropped' && reason !== 'untouched' && !known.has(signature),
    )
    .map(({ path }) => toText(path))
    .sort();
}

function toChange({ path, before, after }: TreeChange, prefix: BytePath): Change {
  const kind = before === undefined ? 'added' : after === undefined ? 'deleted' : 'modified';
  return { path: shownPath(path, prefix), kind };
}
