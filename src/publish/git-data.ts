/**
 * Commits through GitHub's Git Data API (REST API, version 2022-11-28): no credential on disk, no clone, and GitHub
 * signs the commit for the bot of the token if it names no author.
 */
import type { GitHubApi } from '../github/github-api.js';
import { messageOf, statusOf } from '../github/request-error.js';
import type { Clock } from '../system/clock.js';
import { toBytePath } from '../workspace/byte-path.js';
import type { CommitTarget, NewTreeEntry } from './commit-target.js';
import { lookThenRepeat } from './look-then-repeat.js';

export function openGitData({ rest, owner, repo }: GitHubApi, clock: Pick<Clock, 'sleep'>): CommitTarget {
  const place = { owner, repo };
  /** Nothing can be seen of what it makes, so it can be repeated without a look. */
  const make = <T>(write: () => Promise<T>) => lookThenRepeat(clock, write, async () => undefined);
  const head = async (branch: string) => {
    const found = await orMissing(rest.git.getRef({ ...place, ref: `heads/${branch}` }));
    return found?.data.object.sha;
  };
  return {
    head,
    async findCommit(branch, isWanted) {
      const found = await orMissing(rest.repos.listCommits({ ...place, sha: branch, per_page: 100 }));
      return found?.data.find(({ commit }) => isWanted(commit.message))?.sha;
    },
    async relation(from, to) {
      const basehead = `${from}...${to}`;
      const found = await orMissing(
        rest.repos.compareCommitsWithBasehead({ ...place, basehead, per_page: 250 }),
      );
      if (found === undefined) return undefined;
      const { ahead_by: ahead, behind_by: behind, commits, merge_base_commit } = found.data;
      const messages = commits.map(({ commit }) => commit.message);
      return { ahead, behind, messages, mergeBase: merge_base_commit.sha };
    },
    async treeOf(commit) {
      return (await rest.git.getCommit({ ...place, commit_sha: commit })).data.tree.sha;
    },
    async entries(tree) {
      const { data } = await rest.git.getTree({ ...place, tree_sha: tree });
      return new Map(data.tree.map(({ path, mode, sha }) => [toBytePath(path), { mode, id: sha }]));
    },
    async blob(id) {
      const { data } = await rest.git.getBlob({ ...place, file_sha: id });
      return Buffer.from(data.content, 'base64');
    },
    addBlob: (content) =>
      make(async () => {
        const blob = { content: content.toString('base64'), encoding: 'base64' };
        return (await rest.git.createBlob({ ...place, ...blob })).data.sha;
      }),
    addTree: (base, entries) =>
      make(async () => {
        const tree = entries.map(toApiEntry);
        return (await rest.git.createTree({ ...place, base_tree: base, tree })).data.sha;
      }),
    addCommit: ({ tree, parents, message }) =>
      make(async () => {
        const commit = { tree, parents: [...parents], message };
        return (await rest.git.createCommit({ ...place, ...commit })).data.sha;
      }),
    createBranch(branch, commit) {
      const look = async () => ((await head(branch)) === commit ? ('created' as const) : undefined);
      return lookThenRepeat(
        clock,
        async () => {
          const ref = { ref: `refs/heads/${branch}`, sha: commit };
          const error = await rest.git.createRef({ ...place, ...ref }).then(() => undefined, asError);
          if (error === undefined) return 'created';
          if (statusOf(error) === 422 && /already exists/i.test(messageOf(error)))
            return (await look()) ?? 'exists';
          throw error;
        },
        look,
      );
    },
    moveBranch(branch, commit) {
      const look = async () => ((await head(branch)) === commit ? ('done' as const) : undefined);
      return lookThenRepeat(
        clock,
        async () => {
          const ref = { ref: `heads/${branch}`, sha: commit, force: false };
          const error = await rest.git.updateRef({ ...place, ...ref }).then(() => undefined, asError);
          if (error === undefined) return 'done';
          // GitHub checks this before the rules of the branch. 409: another update is in progress.
          const hasMoved = statusOf(error) === 422 && /not a fast.?forward/i.test(messageOf(error));
          if (hasMoved || statusOf(error) === 409) return 'moved';
          throw error;
        },
        look,
      );
    },
  };
}

/** Modes of git, which the types of the client list one by one. */
function toApiEntry(entry: NewTreeEntry) {
  type Mode = '100644' | '100755' | '120000';
  if (!('mode' in entry))
    return { path: entry.path, mode: '100644' as Mode, type: 'blob' as const, sha: null };
  return { ...entry, mode: entry.mode as Mode, type: 'blob' as const };
}

/** The answer, or `undefined` if GitHub does not have what was asked for. */
async function orMissing<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    // 409: the repository is empty. 422: no commit of this id.
    if ([404, 409, 422].includes(statusOf(error) ?? 0)) return undefined;
    throw error;
  }
}

function asError(error: unknown): unknown {
  return error ?? new Error('the request failed');
}
