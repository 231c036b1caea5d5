/**
 * Puts HEAD, the branch and the index back where an agent moved them. The files in the work tree stay as the
 * agent left them: its commits become part of the step's change, and the user's branch is not touched.
 *
 * Looking costs no process: an agent seldom commits, and this runs around every attempt.
 */
import { copyFileSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Git } from './git.js';
import { readBranch } from './refs.js';
import type { Repository } from './repository.js';

/** What a git that was killed, or a merge that nobody ended, leaves behind (git 2.39, gitrepository-layout(5)). */
const leavings = [
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

interface IndexNote {
  /** Where the copy lies; `undefined`: there was no index. */
  readonly copy: string | undefined;
  readonly stamp: string;
}

interface Note {
  /** Content of the file HEAD. */
  readonly head: string;
  /** Full name of the branch; `undefined` for a detached HEAD. */
  readonly branch: string | undefined;
  /** Commit of the branch. */
  readonly commit: string | undefined;
  readonly index: IndexNote;
  readonly leavings: ReadonlySet<string>;
}

/** Returns a function that notes the state and returns one that puts it back. `copy` names a private file. */
export function openGuard(
  git: Git,
  repository: Repository,
  copy: string,
): () => Promise<() => Promise<void>> {
  const { gitDirectory } = repository;
  let index: IndexNote | undefined;
  return async () => {
    if (index === undefined || index.stamp !== stampOf(join(gitDirectory, 'index'))) {
      index = noteIndex(gitDirectory, copy);
    }
    const note = take(repository, index);
    return async () => {
      await restore(git, repository, note);
      // The time of change is another one now, the content is not: no new copy for the next attempt.
      index = { copy: note.index.copy, stamp: stampOf(join(gitDirectory, 'index')) };
    };
  };
}

function take(repository: Repository, index: IndexNote): Note {
  const { gitDirectory, commonDirectory } = repository;
  const head = readFileSync(join(gitDirectory, 'HEAD'), 'utf8');
  const branch = /^ref: (.*)\n?$/.exec(head)?.[1];
  return {
    head,
    branch,
    commit: branch === undefined ? undefined : readBranch(commonDirectory, branch),
    index,
    leavings: new Set(leavings.filter((name) => stampOf(join(gitDirectory, name)) !== '')),
  };
}

function noteIndex(gitDirectory: string, copy: string): IndexNote {
  const file = join(gitDirectory, 'index');
  const stamp = stampOf(file);
  if (stamp === '') return { copy: undefined, stamp };
  copyFileSync(file, copy);
  keepTimes(file, copy);
  return { copy, stamp };
}

async function restore(git: Git, repository: Repository, note: Note): Promise<void> {
  const { gitDirectory, commonDirectory } = repository;
  for (const name of leavings) {
    if (!note.leavings.has(name)) rmSync(join(gitDirectory, name), { recursive: true, force: true });
  }
  restoreHead(gitDirectory, note.head);
  if (note.branch !== undefined && note.commit !== undefined) {
    if (readBranch(commonDirectory, note.branch) !== note.commit) {
      rmSync(join(commonDirectory, `${note.branch}.lock`), { force: true });
      await git.run(['update-ref', '-m', 'gump-action: put back', note.branch, note.commit]);
    }
  }
  restoreIndex(gitDirectory, note.index);
}

/** Written as a file, because without a readable HEAD no git command finds the repository. */
function restoreHead(gitDirectory: string, head: string): void {
  const file = join(gitDirectory, 'HEAD');
  if (stampOf(file) !== '' && readFileSync(file, 'utf8') === head) return;
  replace(file, (fresh) => writeFileSync(fresh, head));
}

function restoreIndex(gitDirectory: string, { copy, stamp }: IndexNote): void {
  const file = join(gitDirectory, 'index');
  const now = stampOf(file);
  if (now === stamp) return;
  if (copy === undefined) {
    rmSync(file, { force: true });
    return;
  }
  if (now !== '' && readFileSync(file).equals(readFileSync(copy))) return;
  replace(file, (fresh) => {
    copyFileSync(copy, fresh);
    keepTimes(copy, fresh);
  });
}

function replace(file: string, write: (fresh: string) => void): void {
  const fresh = `${file}.gump`;
  write(fresh);
  renameSync(fresh, file);
}

/** A younger copy would hide changes made in the second in which the index was written (racy-git). */
function keepTimes(from: string, to: string): void {
  const { atime, mtimeMs } = statSync(from);
  utimesSync(to, atime, Math.floor(mtimeMs / 1000));
}

/** Changes when the file does; empty where there is none. */
function stampOf(file: string): string {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? '' : `${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`;
}
