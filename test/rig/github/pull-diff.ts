/** The diff of a pull request and the list of its files, from the commits in the repository. */
import { headOf } from './pulls.js';
import type { GitHubState, StoredPull } from './state.js';

/** The diff from the merge base to the head, as GitHub sends it. */
export async function diffOf(state: GitHubState, pull: StoredPull): Promise<string> {
  const head = await headOf(state, pull);
  return `${await state.git.git('diff', '-M', `refs/heads/${pull.base}...${head}`, '--no-color')}\n`;
}

const statusNames: Readonly<Record<string, string>> = {
  A: 'added',
  D: 'removed',
  M: 'modified',
  R: 'renamed',
};

/** The entries of `GET …/pulls/N/files`. A binary file has no `patch`. */
export async function filesOf(state: GitHubState, pull: StoredPull): Promise<readonly PatchedFile[]> {
  return filesBetween(state, `refs/heads/${pull.base}`, await headOf(state, pull));
}

export interface PatchedFile {
  readonly filename: string;
  readonly status: string;
  readonly previous_filename?: string;
  readonly patch?: string;
}

/** The files that differ between the merge base of two commits and the second one. */
export async function filesBetween(
  { git }: GitHubState,
  base: string,
  head: string,
): Promise<readonly PatchedFile[]> {
  const diffWith = (...args: readonly string[]) => git.git('diff', '-M', `${base}...${head}`, ...args);
  const lines = (await diffWith('--name-status')).split('\n').filter((line) => line !== '');
  return Promise.all(
    lines.map(async (line) => {
      const [status = '', first = '', second] = line.split('\t');
      const names = second === undefined ? [first] : [first, second];
      const diff = await diffWith('--no-color', '--', ...names);
      const hunks = diff.indexOf('\n@@');
      return {
        filename: second ?? first,
        status: statusNames[status.slice(0, 1)] ?? 'changed',
        ...(second === undefined ? {} : { previous_filename: first }),
        ...(hunks < 0 ? {} : { patch: diff.slice(hunks + 1) }),
      };
    }),
  );
}
