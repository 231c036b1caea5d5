/** Finds the handler of a request by method and path. */
import type { Answer } from './reply.js';

export interface RouteCall {
  /** The values of `:name` in the path of the route, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed JSON, or `undefined`. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
}

export interface Route {
  readonly method: string;
  /** For example `/repos/:owner/:repo/pulls/:number`. `*name` at the end takes the rest of the path. */
  readonly path: string;
  /** The answer of a list is cut into pages by `per_page` and `page`, with `Link`. */
  readonly isList?: boolean;
  /** For a list inside an object, such as `workflow_runs`. */
  readonly listKey?: string;
  handle(call: RouteCall): Answer | Promise<Answer>;
}

export interface FoundRoute {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

export function findRoute(routes: readonly Route[], method: string, path: string): FoundRoute | undefined {
  for (const route of routes) {
    if (route.method !== method) continue;
    const match = patternOf(route.path).exec(path);
    if (match) return { route, params: decoded(match.groups ?? {}) };
  }
  return undefined;
}

function patternOf(path: string): RegExp {
  const source = path
    .replace(/[.[\]()]/g, '\\$&')
    .replace(/:(\w+)/g, '(?<$1>[^/]+)')
    .replace(/\*(\w+)$/, '(?<$1>.+)');
  return new RegExp(`^${source}$`);
}

function decoded(groups: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]));
}
