/** A fake of GitHub's REST API on loopback: permissions of people, and pull requests of the repository. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';

export interface FakePullRequest {
  readonly number: number;
  readonly head: string;
  readonly merge?: string;
  /** `owner/name`, or `null` if the repository was deleted. Default: the repository of the run. */
  readonly headRepository?: string | null;
}

export interface GitHubContent {
  /** By login; everybody else has `none`. */
  readonly permissions?: Readonly<Record<string, string>>;
  readonly pulls?: readonly FakePullRequest[];
  /** Status of every answer about pull requests. Default: 200. */
  readonly pullStatus?: number;
}

export interface GitHubApiService {
  readonly url: string;
  /** The paths of all requests. */
  requests(): readonly string[];
}

export async function startGitHubApi(content: GitHubContent): Promise<GitHubApiService> {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/\?.*/, '');
    paths.push(path);
    const { status, body } = answerOf(path, content);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  cleanUpAfterTest(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests: () => paths };
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

function answerOf(path: string, { permissions = {}, pulls = [], pullStatus = 200 }: GitHubContent): Answer {
  const login = /\/collaborators\/([^/]+)\/permission$/.exec(path)?.[1];
  if (login !== undefined) return { status: 200, body: { permission: permissions[login] ?? 'none' } };
  if (pullStatus !== 200) return { status: pullStatus, body: { message: 'not accessible by integration' } };
  const number = /\/pulls\/(\d+)$/.exec(path)?.[1];
  const pull = pulls.find((one) => String(one.number) === number);
  if (pull !== undefined) return { status: 200, body: pullBody(pull) };
  const commit = /\/commits\/([0-9a-f]+)\/pulls$/.exec(path)?.[1];
  if (commit !== undefined)
    return { status: 200, body: pulls.filter(({ head }) => head === commit).map(pullBody) };
  return { status: 404, body: { message: 'Not Found' } };
}

function pullBody({ number, head, merge, headRepository = 'octo/sample' }: FakePullRequest) {
  const repo = headRepository === null ? null : { full_name: headRepository };
  return { number, merge_commit_sha: merge ?? null, head: { sha: head, repo } };
}
