/**
 * The artifacts of all runs of the repository, through the REST API. The token needs `actions: read` (in a public
 * repository it can list without it, but not download).
 */
import { UserError } from '../failure.js';
import type { GitHubApi } from '../github/github-api.js';
import { statusOf } from '../github/request-error.js';
import { contentOf } from './run-artifacts.js';

export interface RepositoryArtifact {
  readonly id: number;
  readonly name: string;
  readonly runId: string;
  /** Of the zip file, as its creator reported it. */
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly isExpired: boolean;
  /** A run for a fork's pull request uploaded it, or nobody knows which run. */
  readonly isFromFork: boolean;
}

/** `denied`: the token may not do this. `failed`: GitHub did not answer, or not as expected. */
export interface ArtifactProblem {
  readonly status: 'denied' | 'failed';
  readonly reason: string;
}

export type ArtifactList =
  | { readonly status: 'listed'; readonly artifacts: readonly RepositoryArtifact[] }
  | ArtifactProblem;

export type ArtifactContent =
  | { readonly status: 'read'; readonly content: Buffer }
  /** `missing`: deleted, not an artifact with one file, or larger than `maxBytes`. */
  | { readonly status: 'expired' | 'missing' }
  | ArtifactProblem;

/** No function rejects. */
export interface RepositoryArtifacts {
  /** All with exactly this name, newest first. At most 300, which is more than a year of daily runs keeps. */
  listByName(name: string): Promise<ArtifactList>;
  /** All of one run, of every attempt that GitHub still knows. */
  listOfRun(runId: string): Promise<ArtifactList>;
  download(artifact: Pick<RepositoryArtifact, 'id' | 'bytes'>, maxBytes: number): Promise<ArtifactContent>;
}

const pageSize = 100;
const [maxPages, maxRunPages] = [3, 10];
const zipBytes = 1000;

/** `openApi` is called with the first request. It may reject, for example without a token. */
export function openRepositoryArtifacts(openApi: () => Promise<GitHubApi>): RepositoryArtifacts {
  let opened: Promise<GitHubApi> | undefined;
  const api = () => {
    opened ??= openApi();
    return opened;
  };
  return {
    listByName: (name) => list(api, '/repos/{owner}/{repo}/actions/artifacts', { name }, maxPages),
    listOfRun: (runId) =>
      list(api, '/repos/{owner}/{repo}/actions/runs/{run_id}/artifacts', { run_id: runId }, maxRunPages),
    download: (artifact, maxBytes) => download(api, artifact, maxBytes),
  };
}

async function list(
  api: () => Promise<GitHubApi>,
  path: string,
  parameters: Readonly<Record<string, string>>,
  pages: number,
): Promise<ArtifactList> {
  try {
    const { request, owner, repo } = await api();
    const found: RepositoryArtifact[] = [];
    for (let page = 1; page <= pages; page += 1) {
      const answer = await request(`GET ${path}`, { owner, repo, ...parameters, per_page: pageSize, page });
      const { artifacts } = answer.data as { readonly artifacts: readonly ListedArtifact[] };
      found.push(...artifacts.map(describe));
      if (artifacts.length < pageSize) break;
    }
    return { status: 'listed', artifacts: found.sort((one, other) => other.createdAt - one.createdAt) };
  } catch (error) {
    return problemOf(error);
  }
}

/** As GitHub sends it (REST API, "List artifacts for a repository"). */
interface ListedArtifact {
  readonly id: number;
  readonly name: string;
  readonly size_in_bytes: number;
  readonly expired: boolean;
  readonly created_at: string | null;
  readonly workflow_run?: {
    readonly id?: number;
    readonly repository_id?: number;
    readonly head_repository_id?: number;
  } | null;
}

function describe(artifact: ListedArtifact): RepositoryArtifact {
  const run = artifact.workflow_run ?? {};
  return {
    id: artifact.id,
    name: artifact.name,
    runId: String(run.id ?? ''),
    bytes: artifact.size_in_bytes,
    createdAt: Date.parse(artifact.created_at ?? '') || 0,
    isExpired: artifact.expired,
    isFromFork: run.repository_id === undefined || run.head_repository_id !== run.repository_id,
  };
}

async function download(
  api: () => Promise<GitHubApi>,
  { id, bytes }: Pick<RepositoryArtifact, 'id' | 'bytes'>,
  maxBytes: number,
): Promise<ArtifactContent> {
  if (bytes > maxBytes + zipBytes) return { status: 'missing' };
  try {
    const { request, owner, repo } = await api();
    const { data } = await request('GET /repos/{owner}/{repo}/actions/artifacts/{id}/zip', {
      ...{ owner, repo, id },
      // As a stream, because the size in the list is only what the creator of the artifact claimed.
      request: { parseSuccessResponseBody: false },
    });
    const downloaded = await readUpTo(data as AsyncIterable<Uint8Array>, maxBytes + zipBytes);
    const content = downloaded && contentOf(downloaded, maxBytes);
    return content === undefined ? { status: 'missing' } : { status: 'read', content };
  } catch (error) {
    const status = statusOf(error);
    if (status === 410) return { status: 'expired' };
    return status === 404 ? { status: 'missing' } : problemOf(error);
  }
}

/** `undefined` if there is more. */
async function readUpTo(stream: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function problemOf(error: unknown): ArtifactProblem {
  // There is no token.
  if (error instanceof UserError) return { status: 'denied', reason: error.message };
  const status = statusOf(error);
  const message = error instanceof Error ? error.message.replace(/\s+/g, ' ') : String(error);
  const isDenied = status === 401 || status === 404 || (status === 403 && !/rate limit/i.test(message));
  if (isDenied) return { status: 'denied', reason: `GitHub answered with status ${status}: ${message}` };
  return { status: 'failed', reason: status === undefined ? message : `status ${status}: ${message}` };
}
