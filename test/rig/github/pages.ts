/** Lists in pages, and ETags, as GitHub's REST API has them. */
import { createHash } from 'node:crypto';
import type { Answer } from './reply.js';
import type { Route, RouteCall } from './router.js';

/** Cuts the list of a route into pages and adds `Link`. */
export function paged(answer: Answer, route: Route, { query, origin }: RouteCall, path: string): Answer {
  if (answer.status !== 200 || (route.isList !== true && route.listKey === undefined)) return answer;
  const all = listIn(answer.body, route.listKey);
  const size = Math.min(Number(query.get('per_page') ?? 30), 100);
  const page = Number(query.get('page') ?? 1);
  const items = all.slice((page - 1) * size, page * size);
  const hasNext = page * size < all.length;
  const next = new URLSearchParams(query);
  next.set('page', String(page + 1));
  const link = hasNext ? { link: `<${origin}${path}?${next}>; rel="next"` } : {};
  const key = route.listKey;
  const body =
    key === undefined ? items : { ...(answer.body as object), total_count: all.length, [key]: items };
  return { ...answer, headers: { ...answer.headers, ...link }, body };
}

function listIn(body: unknown, key: string | undefined): readonly unknown[] {
  const list = key === undefined ? body : (body as Readonly<Record<string, unknown>>)[key];
  return Array.isArray(list) ? list : [];
}

/** Adds the ETag of the content, and answers 304 if the client has it. */
export function tagged(answer: Answer, { headers }: RouteCall, text: string): Answer {
  if (answer.status !== 200) return answer;
  const etag = `W/"${createHash('sha256').update(text).digest('hex').slice(0, 32)}"`;
  if (headers['if-none-match'] === etag) return { status: 304, headers: { etag } };
  return { ...answer, headers: { ...answer.headers, etag } };
}
