/** Commits and refs of the repository, to read. */
import { notFound, ok } from './reply.js';
import type { Route } from './router.js';
import type { GitHubState } from './state.js';

export function commitRoutes(state: GitHubState): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/repos/:owner/:repo/commits/:sha/branches-where-head',
      async handle({ params }) {
        const sha = params.sha ?? '';
        const found = await state.git
          .git('for-each-ref', '--points-at', sha, '--format=%(refname)')
          .catch(() => '');
        const names = found.split('\n').filter((ref) => ref.startsWith('refs/heads/'));
        return ok(names.map((ref) => ({ name: ref.slice('refs/heads/'.length), commit: { sha } })));
      },
    },
    {
      method: 'GET',
      path: '/repos/:owner/:repo/git/ref/*ref',
      async handle({ params }) {
        const ref = `refs/${params.ref}`;
        const sha = await state.git.git('rev-parse', '--verify', '--quiet', ref).catch(() => undefined);
        return sha === undefined ? notFound : ok({ ref, object: { type: 'commit', sha } });
      },
    },
    {
      method: 'GET',
      path: '/repos/:owner/:repo/git/commits/:sha',
      async handle({ params }) {
        const format = '%H%n%T%n%P%n%an%n%ae%n%aI%n%B';
        const text = await state.git
          .git('show', '--no-patch', `--format=${format}`, `${params.sha}^{commit}`)
          .catch(() => undefined);
        return text === undefined ? notFound : ok(commitBody(text));
      },
    },
  ];
}

function commitBody(text: string): object {
  const [sha, tree, parents = '', name, email, date, ...message] = text.split('\n');
  const person = { name, email, date };
  return {
    sha,
    tree: { sha: tree },
    parents: parents.split(' ').flatMap((one) => (one === '' ? [] : [{ sha: one }])),
    author: person,
    committer: person,
    message: message.join('\n').trimEnd(),
    verification: { verified: false, reason: 'unsigned' },
  };
}
