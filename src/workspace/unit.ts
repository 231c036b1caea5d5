/** One unit's work tree, made and looked at for the first time. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openGit } from './git.js';
import { openGuard } from './guard.js';
import { allIgnored } from './ignored.js';
import type { LeftOutRules } from './leftovers.js';
import { composeWorkspace, type WorkspaceParts } from './operations.js';
import { openOwnership } from './ownership.js';
import { openPrivateGit, privateFiles } from './private-git.js';
import type { Repository } from './repository.js';
import { serial } from './serial.js';
import type { Shell } from './shell.js';
import type { Snapshots } from './snapshots.js';
import { copyIndex, openStage } from './stage.js';
import type { Units, Workspace } from './workspace.js';

export interface UnitParts {
  /** The unit's own, as `addWorktree` gives it. */
  readonly repository: Repository;
  /** Tree of the state that the work tree shall hold. */
  readonly tree: string;
  readonly shell: Shell;
  /** Directory of the shell. */
  readonly privateDirectory: string;
  /** Of the main workspace, where objects and excludes lie. */
  readonly sharedDirectory: string;
  readonly maximumFileBytes: number;
  readonly snapshots: Snapshots;
  readonly startTree: string;
  readonly units: Units;
  readonly setUp: (workingDirectory: string) => Promise<void>;
  /** Puts HEAD, branch and index of the main work tree back. */
  readonly restoreMain: () => Promise<void>;
}

/** Fills the worktree, sets it up and opens the workspace on it. */
export async function openUnitWorkspace(parts: UnitParts): Promise<Workspace> {
  const { repository, tree, shell, privateDirectory } = parts;
  const files = privateFiles(privateDirectory);
  const git = openPrivateGit(parts);
  const usersIndex = join(repository.gitDirectory, 'index');
  await git.run(['read-tree', '--reset', '-u', repository.startCommit], { index: usersIndex });
  copyIndex(usersIndex, files.index);
  if (tree !== repository.headTree) await git.run(['read-tree', '--reset', '-u', tree]);
  mkdirSync(repository.directory, { recursive: true });
  await parts.setUp(repository.directory);

  const rules: LeftOutRules = {
    repository,
    maximumFileBytes: parts.maximumFileBytes,
    ignoredAtStart: await allIgnored(git),
    startedAt: Date.now(),
  };
  const stage = openStage(git, files.index, rules);
  stage.pinTo(tree);
  const start = await stage.update();
  const ownership = openOwnership(git, files.overlayIndex, tree);
  ownership.disown(start.tree);
  const plain = openGit({ shell, scratch: privateDirectory, directory: repository.root });
  const place = { index: files.overlayIndex, scratch: privateDirectory };
  return composeWorkspace({
    git,
    rules,
    stage,
    ownership,
    snapshots: parts.snapshots.sharedWith({ git, ...place }),
    guard: both(openGuard(plain, repository, files.indexCopy), parts.restoreMain),
    leftOut: { atStart: start.leftOut, ofSnapshot: new Map() },
    startTree: parts.startTree,
    units: parts.units,
    files: place,
    inTurn: serial(),
  });
}

/** An agent in a unit can reach the branch of the main work tree too: they share the repository. */
function both(guard: WorkspaceParts['guard'], restoreMain: () => Promise<void>): WorkspaceParts['guard'] {
  return async () => {
    const restore = await guard();
    return async () => {
      await restore();
      await restoreMain();
    };
  };
}
