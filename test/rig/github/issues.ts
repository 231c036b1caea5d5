/** Writes comments on issues and pull requests. */
import { commentBody } from './conversations.js';
import { type Answer, denied, noContent, notFound, ok, problem } from './reply.js';
import type { Route, RouteCall } from './router.js';
import type { GitHubState, StoredComment } from './state.js';

const repo = '/repos/:owner/:repo';

/** GitHub's limit, which counts characters. */
const maxBodyCharacters = 65_536;

export function issueRoutes(state: GitHubState): readonly Route[] {
  return [
    {
      method: 'POST',
      path: `${repo}/issues/:number/comments`,
      handle(call) {
        const number = numberOf(call);
        if (!exists(state, number)) return notFound;
        const refused = refusal(state, number, call);
        if (refused !== undefined) return refused;
        const now = state.now();
        const comment: StoredComment = {
          id: state.nextId(),
          number,
          author: state.tokenUser,
          body: textOf(call),
          createdAt: now,
          updatedAt: now,
        };
        state.comments.push(comment);
        return ok(commentBody(state, comment), 201);
      },
    },
    {
      method: 'PATCH',
      path: `${repo}/issues/comments/:id`,
      handle(call) {
        const comment = find(state, call);
        if (comment === undefined) return notFound;
        const refused = refusal(state, comment.number, call) ?? foreign(state, comment);
        if (refused !== undefined) return refused;
        comment.body = textOf(call);
        comment.updatedAt = state.now();
        return ok(commentBody(state, comment));
      },
    },
    {
      method: 'DELETE',
      path: `${repo}/issues/comments/:id`,
      handle(call) {
        const comment = find(state, call);
        if (comment === undefined) return notFound;
        const refused = foreign(state, comment);
        if (refused !== undefined) return refused;
        state.comments.splice(state.comments.indexOf(comment), 1);
        return noContent;
      },
    },
  ];
}

function find(state: GitHubState, { params }: RouteCall): StoredComment | undefined {
  return state.comments.find(({ id }) => String(id) === params.id);
}

/** Why GitHub does not accept a text. */
export function refusal(state: GitHubState, number: number, call: RouteCall): Answer | undefined {
  const permission = isPull(state, number) ? 'pull-requests: write' : 'issues: write';
  if (state.missingPermissions.has(permission)) return denied;
  if (state.locked.has(number)) return problem(403, 'Unable to create comment because issue is locked.');
  return tooLong(textOf(call));
}

export function tooLong(text: string): Answer | undefined {
  if ([...text].length <= maxBodyCharacters) return undefined;
  return problem(422, 'Validation Failed', {
    errors: [
      {
        resource: 'IssueComment',
        code: 'unprocessable',
        message: 'Body is too long (maximum is 65536 characters)',
      },
    ],
  });
}

/** With write permission one may edit comments of others; a token of a job has it, but the action must not. */
function foreign({ tokenUser }: GitHubState, { author }: StoredComment): Answer | undefined {
  return author.login === tokenUser.login
    ? undefined
    : problem(403, 'the action changed a comment of somebody else');
}

export function textOf({ body }: RouteCall): string {
  return typeof body?.body === 'string' ? body.body : '';
}

export function numberOf({ params }: RouteCall): number {
  return Number(params.number);
}

export function isPull(state: GitHubState, number: number): boolean {
  return state.pulls.some((pull) => pull.number === number);
}

function exists(state: GitHubState, number: number): boolean {
  return isPull(state, number) || state.issues.some((issue) => issue.number === number);
}
