/** The one comment of a job of a workflow on its pull request or issue: found again, updated in place. */
import type { GitHubApi } from '../github/github-api.js';
import { hasCommentMarker } from './publication-marker.js';
import { isOwnedBy, readTokenOwner } from './token-owner.js';
import { undefinedIfGone, writeOnce, writeUntilDone } from './write-once.js';

export interface StickyComment {
  /** Of the pull request or the issue. */
  readonly number: number;
  /** `placeKey`. */
  readonly key: string;
  /** Starts with the marker of the key. */
  readonly body: string;
  /** Only an existing comment is changed. */
  readonly isUpdateOnly: boolean;
  /** Called before the first write. */
  onIntent(): void;
}

export interface PostedComment {
  readonly id: number;
  readonly url: string;
  readonly body: string;
}

/** The comment, or `undefined` if there is none and none was to be made. Throws the error of the request that failed. */
export async function postStickyComment(
  api: GitHubApi,
  comment: StickyComment,
): Promise<PostedComment | undefined> {
  const owner = await readTokenOwner(api);
  const find = () => findComments(api, comment, owner);
  const [existing] = await find();
  if (existing?.body === comment.body || (existing === undefined && comment.isUpdateOnly)) return existing;
  comment.onIntent();
  if (existing !== undefined) {
    const updated = await update(api, existing, comment.body).catch(undefinedIfGone);
    if (updated !== undefined) return updated;
  }
  const created = await writeOnce(
    () => create(api, comment),
    async () => (await find()).at(-1),
  );
  // The comment is there: that a second one could not be looked for is no failure.
  return keepOldest(api, created, comment, await find().catch(() => []));
}

/** Two runs at once may both have made one: the older one stays, with the text of the newer one. */
async function keepOldest(
  api: GitHubApi,
  created: PostedComment,
  { body }: StickyComment,
  all: readonly PostedComment[],
): Promise<PostedComment> {
  const [oldest] = all;
  if (oldest === undefined || oldest.id >= created.id) return created;
  const kept = await update(api, oldest, body).catch(undefinedIfGone);
  if (kept === undefined) return created;
  const { owner, repo } = api;
  await writeUntilDone(() => api.rest.issues.deleteComment({ owner, repo, comment_id: created.id })).catch(
    undefinedIfGone,
  );
  return kept;
}

/** Those with the marker that the token's own user wrote, the oldest first. */
async function findComments(
  { paginate, rest, owner, repo }: GitHubApi,
  { number, key }: StickyComment,
  tokenOwner: string,
): Promise<readonly PostedComment[]> {
  const all = await paginate(rest.issues.listComments, { owner, repo, issue_number: number, per_page: 100 });
  return all
    .filter(({ user, body }) => hasCommentMarker(body ?? '', key) && isOwnedBy(tokenOwner, user))
    .map(postedOf)
    .sort((one, other) => one.id - other.id);
}

async function create({ rest, owner, repo }: GitHubApi, { number, body }: StickyComment) {
  return postedOf((await rest.issues.createComment({ owner, repo, issue_number: number, body })).data);
}

async function update({ rest, owner, repo }: GitHubApi, { id }: PostedComment, body: string) {
  const write = () => rest.issues.updateComment({ owner, repo, comment_id: id, body });
  return postedOf((await writeUntilDone(write)).data);
}

function postedOf(data: {
  readonly id: number;
  readonly html_url: string;
  readonly body?: string | undefined;
}) {
  // GitHub stores line ends as browsers send them in some places.
  return { id: data.id, url: data.html_url, body: (data.body ?? '').replaceAll('\r\n', '\n') };
}
