/** Compares two commits of the repository, as `GET /repos/{owner}/{repo}/compare/{base}...{head}` does. */
import { comparisonOf } from './git-data.js';
import { filesBetween } from './pull-diff.js';
import { notFound, ok } from './reply.js';
import type { Route } from './router.js';
import type { GitHubState } from './state.js';

export function compareRoutes(state: GitHubState): readonly Route[] {
  const git = (...args: readonly string[]) => state.git.git(...args).catch(() => undefined);
  return [
    {
      method: 'GET',
      path: '/repos/:owner/:repo/compare/:basehead',
      async handle({ params, headers }) {
        const [base = '', head = ''] = (params.basehead ?? '').split('...');
        const mergeBase = await git('merge-base', base, head);
        if (mergeBase === undefined) return notFound;
        if (String(headers.accept).includes('diff'))
          return ok(`${(await git('diff', mergeBase, head)) ?? ''}\n`);
        return ok({
          ...(await comparisonOf(state, base, head)),
          merge_base_commit: { sha: mergeBase },
          files: await filesBetween(state, base, head),
        });
      },
    },
  ];
}
