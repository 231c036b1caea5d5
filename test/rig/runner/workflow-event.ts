/** The event of the workflow run: variables, payload, and its permissions in the cache. */
import type { CacheGrant } from '../cache-service.js';

export interface WorkflowEvent {
  readonly name: string;
  /** GITHUB_REF; default: `refs/heads/main`. */
  readonly ref?: string;
  /** GITHUB_SHA; default: the commit of the last checkout. */
  readonly sha?: string;
  readonly headRef?: string;
  readonly baseRef?: string;
  /** Default: `octocat`. */
  readonly actor?: string;
  readonly triggeringActor?: string;
  /** The id of the fork whose pull request started the run. The repository has 4242. */
  readonly headRepositoryId?: number;
  /** Added to `repository` and `sender`, which every payload has. */
  readonly payload?: Readonly<Record<string, unknown>>;
}

export const pushEvent: WorkflowEvent = { name: 'push', ref: 'refs/heads/main' };

/** A pull request within the repository, or from a fork of `fork` (an owner). */
export function pullRequestEvent(pull: {
  readonly number: number;
  readonly head: string;
  readonly headRef: string;
  readonly fork?: string;
}): WorkflowEvent {
  const repo = (owner: string) => ({ full_name: `${owner}/sample`, fork: owner !== 'octo' });
  const head = { ref: pull.headRef, sha: pull.head, repo: repo(pull.fork ?? 'octo') };
  const base = { ref: 'main', repo: repo('octo') };
  return {
    name: 'pull_request',
    ref: `refs/pull/${pull.number}/merge`,
    headRef: pull.headRef,
    baseRef: 'main',
    payload: { action: 'opened', number: pull.number, pull_request: { number: pull.number, head, base } },
  };
}

export function eventPayload(event: WorkflowEvent, repository: string): string {
  const [owner = ''] = repository.split('/');
  const common = {
    repository: { id: 4242, full_name: repository, default_branch: 'main', owner: { login: owner } },
    sender: { login: event.actor ?? 'octocat', type: 'User' },
  };
  return JSON.stringify({ ...common, ...event.payload }, null, 2);
}

export type CacheMode = 'none' | 'read' | 'write' | 'write-only';

/** Since 2026-06-26 these get a token without write scopes unless the workflow sets `cache-mode: write`. */
const untrustedEvents = new Set(['issue_comment', 'pull_request_target', 'workflow_run']);

/** The cache scopes of a run: its own ref, then the base and default branch (GitHub docs, cache restrictions). */
export function cacheGrantFor(
  event: WorkflowEvent,
  repository: string,
  mode: CacheMode | undefined,
): CacheGrant {
  const ref = event.ref ?? 'refs/heads/main';
  const base = event.baseRef === undefined ? [] : [`refs/heads/${event.baseRef}`];
  const scopes = [...new Set([ref, ...base, 'refs/heads/main'])];
  const isReadable = mode !== 'none' && mode !== 'write-only';
  const isWritable = mode ? mode.startsWith('write') : !untrustedEvents.has(event.name);
  return { repository, read: isReadable ? scopes : [], ...(isWritable ? { write: ref } : {}) };
}
