/** What to do about a git command that lacks a commit because the checkout has only a part of the history. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** What git (2.39 to 2.51) reports about a commit or a tag that it does not have. */
const missingCommit =
  /unknown revision|bad (?:revision|object)|no merge base|Invalid (?:revision range|symmetric difference)|Not a valid (?:object|commit) name|could not (?:get|parse) (?:object|commit)|Needed a single revision|malformed object name|No names found/i;

/** `root`: the top directory of the worktree. `undefined` if the failure has another cause. */
export function shallowHint(root: string, command: string, stderr: string): string | undefined {
  if (!/\bgit\b/.test(command) || !missingCommit.test(stderr) || !isShallow(root)) return undefined;
  return 'The checkout has only a part of the history, so git may lack this commit. Set `fetch-depth: 0` for `actions/checkout`.';
}

/**
 * git records the ends of a partial history in the file `shallow` (gitrepository-layout(5)). It is read directly: the
 * settings of the repository may be those of an agent, and a git that obeys them could run its code.
 */
function isShallow(root: string): boolean {
  try {
    return existsSync(join(commonDirectory(join(root, '.git')), 'shallow'));
  } catch {
    return false;
  }
}

/** The `.git` of a linked worktree is a file with the path of its own directory, which names the common one. */
function commonDirectory(git: string): string {
  const link = readFileIfFile(git);
  if (link === undefined) return git;
  const own = resolve(git, '..', link.replace(/^gitdir: /, '').trim());
  const common = readFileIfFile(join(own, 'commondir'));
  return common === undefined ? own : resolve(own, common.trim());
}

function readFileIfFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
