/** Permissions of people, pull requests with their diffs and files, and the pull requests of a commit. */
import { diffOf, filesOf } from './pull-diff.js';
import { denied, notFound, ok, problem } from './reply.js';
import type { Route } from './router.js';
import { type GitHubState, type StoredPull, userBody } from './state.js';

const repo = '/repos/:owner/:repo';

export function pullRoutes(state: GitHubState): readonly Route[] {
  const isDenied = () => state.missingPermissions.has('pull-requests: read');
  const pullOf = (text: string | undefined) => state.pulls.find(({ number }) => String(number) === text);
  return [
    {
      method: 'GET',
      path: `${repo}/collaborators/:login/permission`,
      handle: ({ params }) => ok({ permission: state.permissions[params.login ?? ''] ?? 'none' }),
    },
    {
      method: 'GET',
      path: `${repo}/pulls/:number`,
      async handle({ params, headers }) {
        if (isDenied()) return denied;
        const pull = pullOf(params.number);
        if (pull === undefined) return notFound;
        if (!String(headers.accept).includes('diff')) return ok(await pullBody(state, pull));
        return pull.isDiffTooLarge ? diffTooLarge : ok(await diffOf(state, pull));
      },
    },
    {
      method: 'GET',
      path: `${repo}/pulls/:number/files`,
      isList: true,
      async handle({ params }) {
        if (isDenied()) return denied;
        const pull = pullOf(params.number);
        return pull === undefined ? notFound : ok(await filesOf(state, pull));
      },
    },
    {
      method: 'GET',
      path: `${repo}/commits/:sha/pulls`,
      isList: true,
      async handle({ params }) {
        if (isDenied()) return denied;
        const bodies = await Promise.all(state.pulls.map((pull) => pullBody(state, pull)));
        return ok(bodies.filter(({ head }) => head.sha === params.sha));
      },
    },
  ];
}

const diffTooLarge = problem(406, 'Sorry, the diff exceeded the maximum number of lines (20000)', {
  errors: [{ resource: 'PullRequest', field: 'diff', code: 'too_large' }],
});

/** The head commit of a pull request: fixed, or the tip of its branch. */
export async function headOf(state: GitHubState, pull: StoredPull): Promise<string> {
  return pull.head ?? (await state.git.git('rev-parse', `refs/heads/${pull.headRef}`));
}

/** A pull request as the REST API and the payload of an event contain it. */
export async function pullBody(state: GitHubState, pull: StoredPull) {
  const { number, title, body, base, headRef, headRepository } = pull;
  const head = await headOf(state, pull);
  const baseSha = await state.git.git('rev-parse', `refs/heads/${base}`);
  return {
    number,
    node_id: `PR_${number}`,
    title,
    body,
    state: pull.state,
    draft: pull.draft ?? false,
    html_url: `https://github.com/${state.repository}/pull/${number}`,
    user: userBody(pull.author),
    merge_commit_sha: pull.merge ?? null,
    base: { ref: base, sha: baseSha, repo: { full_name: state.repository } },
    head: {
      ref: headRef,
      sha: head,
      repo: headRepository === null ? null : { full_name: headRepository },
    },
  };
}
