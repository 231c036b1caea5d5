/** Lists, opens and changes pull requests, with GitHub's refusals. */
import { pullBody } from './pulls.js';
import { denied, notFound, ok, problem } from './reply.js';
import type { Route, RouteCall } from './router.js';
import { actionsBot, type GitHubState, type StoredPull } from './state.js';

const repo = '/repos/:owner/:repo';

export function pullWriteRoutes(state: GitHubState): readonly Route[] {
  const isDenied = () => state.missingPermissions.has('pull-requests: write');
  return [
    {
      method: 'GET',
      path: `${repo}/pulls`,
      isList: true,
      async handle({ query }) {
        if (state.missingPermissions.has('pull-requests: read')) return denied;
        const [owner = '', ...ref] = (query.get('head') ?? '').split(':');
        const wanted = query.get('state') ?? 'open';
        const found = state.pulls.filter(
          (pull) =>
            (wanted === 'all' || pull.state === wanted) &&
            (ref.length === 0 ||
              (pull.headRef === ref.join(':') && pull.headRepository?.startsWith(`${owner}/`))),
        );
        return ok(await Promise.all(found.toReversed().map((pull) => listedBody(state, pull))));
      },
    },
    {
      method: 'POST',
      path: `${repo}/pulls`,
      handle: ({ body }) => (isDenied() ? denied : createPull(state, body)),
    },
    {
      method: 'PATCH',
      path: `${repo}/pulls/:number`,
      async handle({ params, body }) {
        if (isDenied()) return denied;
        const pull = state.pulls.find(({ number }) => String(number) === params.number);
        if (pull === undefined) return notFound;
        const { title, body: text, state: wanted } = body as Partial<StoredPull>;
        if (title !== undefined) pull.title = title;
        if (text !== undefined) pull.body = text;
        if (wanted !== undefined) pull.state = wanted;
        return ok(await pullBody(state, pull));
      },
    },
  ];
}

/** The branch of an old pull request may be gone. */
async function listedBody(state: GitHubState, pull: StoredPull): Promise<object> {
  return pullBody(state, pull).catch(() => pullBody(state, { ...pull, head: '0'.repeat(40) }));
}

async function createPull(state: GitHubState, body: RouteCall['body']) {
  const { head = '', base = '', title = '', body: text = '' } = body as Readonly<Record<string, string>>;
  const tip = (ref: string) => state.git.git('rev-parse', '--verify', '--quiet', `refs/heads/${ref}`);
  const [headSha, baseSha] = await Promise.all([head, base].map((ref) => tip(ref).catch(() => undefined)));
  const failed = (message: string) =>
    problem(422, 'Validation Failed', { errors: [{ resource: 'PullRequest', code: 'custom', message }] });
  if (headSha === undefined || baseSha === undefined) return failed('invalid head or base');
  if (state.missingPermissions.has('create pull requests'))
    return problem(403, 'GitHub Actions is not permitted to create or approve pull requests.');
  const isOpen = state.pulls.some((one) => one.state === 'open' && one.headRef === head && one.base === base);
  if (isOpen) return failed(`A pull request already exists for octo:${head}.`);
  if ((await state.git.git('rev-list', '--count', `${baseSha}..${headSha}`)) === '0')
    return failed(`No commits between ${base} and ${head}`);
  const pull: StoredPull = {
    number: state.nextId(),
    title,
    body: text,
    author: actionsBot,
    state: 'open',
    base,
    headRef: head,
    headRepository: state.repository,
  };
  state.pulls.push(pull);
  return ok(await pullBody(state, pull), 201);
}
