/**
 * Restores HEAD, the branch and the index after an agent has moved them. The files in the worktree stay as the
 * agent left them: its commits become part of the step's change, and the user's branch does not move.
 *
 * The check starts no process, because it runs around every attempt and agents rarely commit.
 */
import { copyFileSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readBranch, writeBranch } from './refs.js';
import type { Repository } from './repository.js';

/** Files that a killed git or an unfinished merge leaves behind (git 2.39, gitrepository-layout(5)). */
const leftoverFiles = [
  'index.lock',
  'HEAD.lock',
  'MERGE_HEAD',
  'MERGE_MODE',
  'MERGE_MSG',
  'AUTO_MERGE',
  'CHERRY_PICK_HEAD',
  'REVERT_HEAD',
  'SQUASH_MSG',
  'BISECT_LOG',
  'BISECT_START',
  'rebase-merge',
  'rebase-apply',
  'sequencer',
] as const;

interface SavedIndex {
  /** Path of the copy. `undefined` if there was no index. */
  readonly copy: string | undefined;
  /** From `fileStamp`. */
  readonly stamp: string;
}

interface SavedGitState {
  /** Content of the file `HEAD`. */
  readonly head: string;
  /** Full name of the branch. `undefined` if HEAD is detached. */
  readonly branch: string | undefined;
  /** Commit of the branch. */
  readonly commit: string | undefined;
  readonly index: SavedIndex;
  readonly leftoverFiles: ReadonlySet<string>;
}

/**
 * Returns a function that saves the state and returns a function that restores it. `copy` is the path of a private
 * file for the copy of the index.
 */
export function openGitStateSaver(repository: Repository, copy: string): () => Promise<() => Promise<void>> {
  const { gitDirectory } = repository;
  let index: SavedIndex | undefined;
  return async () => {
    if (index === undefined || index.stamp !== fileStamp(join(gitDirectory, 'index'))) {
      index = saveIndex(gitDirectory, copy);
    }
    const saved = readGitState(repository, index);
    return async () => {
      restoreGitState(repository, saved);
      // The restored index has a new change time but the same content, so the next attempt needs no new copy.
      index = { copy: saved.index.copy, stamp: fileStamp(join(gitDirectory, 'index')) };
    };
  };
}

function readGitState(repository: Repository, index: SavedIndex): SavedGitState {
  const { gitDirectory, commonDirectory } = repository;
  const head = readFileSync(join(gitDirectory, 'HEAD'), 'utf8');
  const branch = /^ref: (.*)\n?$/.exec(head)?.[1];
  return {
    head,
    branch,
    commit: branch === undefined ? undefined : readBranch(commonDirectory, branch),
    index,
    leftoverFiles: new Set(leftoverFiles.filter((name) => fileStamp(join(gitDirectory, name)) !== '')),
  };
}

function saveIndex(gitDirectory: string, copy: string): SavedIndex {
  const file = join(gitDirectory, 'index');
  const stamp = fileStamp(file);
  if (stamp === '') return { copy: undefined, stamp };
  copyFileSync(file, copy);
  copyTimes(file, copy);
  return { copy, stamp };
}

function restoreGitState(repository: Repository, saved: SavedGitState): void {
  const { gitDirectory, commonDirectory } = repository;
  for (const name of leftoverFiles) {
    if (!saved.leftoverFiles.has(name)) rmSync(join(gitDirectory, name), { recursive: true, force: true });
  }
  restoreHead(gitDirectory, saved.head);
  if (saved.branch !== undefined && saved.commit !== undefined) {
    if (readBranch(commonDirectory, saved.branch) !== saved.commit)
      writeBranch(commonDirectory, saved.branch, saved.commit);
  }
  restoreIndex(gitDirectory, saved.index);
}

/** Writes the file directly, because no git command finds the repository without a readable HEAD. */
function restoreHead(gitDirectory: string, head: string): void {
  const file = join(gitDirectory, 'HEAD');
  if (fileStamp(file) !== '' && readFileSync(file, 'utf8') === head) return;
  replace(file, (temporary) => writeFileSync(temporary, head));
}

function restoreIndex(gitDirectory: string, { copy, stamp }: SavedIndex): void {
  const file = join(gitDirectory, 'index');
  const now = fileStamp(file);
  if (now === stamp) return;
  if (copy === undefined) {
    rmSync(file, { force: true });
    return;
  }
  if (now !== '' && readFileSync(file).equals(readFileSync(copy))) return;
  replace(file, (temporary) => {
    copyFileSync(copy, temporary);
    copyTimes(copy, temporary);
  });
}

function replace(file: string, write: (temporary: string) => void): void {
  const temporary = `${file}.gump`;
  write(temporary);
  renameSync(temporary, file);
}

/** A newer timestamp would hide changes made in the same second in which the index was written (racy-git). */
function copyTimes(from: string, to: string): void {
  const { atime, mtimeMs } = statSync(from);
  utimesSync(to, atime, Math.floor(mtimeMs / 1000));
}

/** A text that changes when the file changes. Empty if there is no file. */
function fileStamp(file: string): string {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? '' : `${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`;
}
