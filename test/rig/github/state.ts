/**
 * What GitHub knows, as plain data that routes change and tests read. Commits, trees and branches are those of the
 * bare repository of the test. Each part is changed by the routes of the file with its name.
 */
import type { ArtifactShelf, StoredArtifact } from '../artifacts/artifact-shelf.js';
import type { Repository } from '../repository.js';

export interface GitHubUser {
  readonly login: string;
  readonly type: 'User' | 'Bot';
}

/** The user that a job token acts as. */
export const actionsBot: GitHubUser = { login: 'github-actions[bot]', type: 'Bot' };

export interface StoredPull {
  readonly number: number;
  title: string;
  body: string;
  author: GitHubUser;
  state: 'open' | 'closed';
  base: string;
  /** The branch. */
  headRef: string;
  /** A fixed commit, or `undefined`: the tip of `headRef` in the repository. */
  head?: string;
  merge?: string;
  /** `owner/name`, or `null` if the repository was deleted. */
  headRepository: string | null;
  draft?: boolean;
  /** The API refuses the diff with 406. */
  isDiffTooLarge?: boolean;
}

export interface StoredIssue {
  readonly number: number;
  title: string;
  body: string;
  author: GitHubUser;
  state: 'open' | 'closed';
  labels: readonly string[];
}

export interface StoredComment {
  readonly id: number;
  /** Of the issue or pull request. */
  readonly number: number;
  author: GitHubUser;
  body: string;
  readonly createdAt: string;
  updatedAt: string;
}

export interface StoredReviewComment {
  readonly id: number;
  readonly number: number;
  /** Absent for a reply outside of a review. */
  readonly review?: number;
  author: GitHubUser;
  body: string;
  path: string;
  line: number | null;
  startLine?: number;
  side: 'LEFT' | 'RIGHT';
  readonly commit: string;
  diffHunk: string;
  inReplyTo?: number;
  /** GraphQL id of its thread. */
  readonly thread: string;
  readonly createdAt: string;
}

export interface StoredReview {
  readonly id: number;
  readonly number: number;
  author: GitHubUser;
  body: string;
  state: 'COMMENTED' | 'APPROVED' | 'CHANGES_REQUESTED' | 'DISMISSED';
  readonly commit: string;
  readonly submittedAt: string;
}

export interface StoredAnnotation {
  readonly title: string;
  readonly message: string;
  readonly level: 'notice' | 'warning' | 'failure';
}

export interface StoredJob {
  readonly id: number;
  name: string;
  conclusion: string | null;
  annotations: readonly StoredAnnotation[];
  startedAt?: string;
  completedAt?: string;
  /** The names of its steps. */
  steps?: readonly string[];
}

export interface StoredRun {
  readonly id: number;
  name: string;
  /** `.github/workflows/agents.yml`. */
  path: string;
  status: 'completed' | 'in_progress' | 'queued';
  conclusion: string | null;
  attempt: number;
  createdAt: string;
  updatedAt: string;
  event: string;
  headBranch: string;
  headSha: string;
  headRepository: string;
  /** The jobs of each attempt, from attempt 1. */
  jobs: readonly (readonly StoredJob[])[];
}

export interface GitHubState {
  /** `owner/name`. */
  readonly repository: string;
  readonly git: Repository;
  /** By login; everybody else has `none`. */
  readonly permissions: Record<string, string>;
  readonly pulls: StoredPull[];
  readonly issues: StoredIssue[];
  readonly comments: StoredComment[];
  readonly reviews: StoredReview[];
  readonly reviewComments: StoredReviewComment[];
  /** Threads that are resolved. */
  readonly resolvedThreads: Set<string>;
  /** Issues and pull requests whose conversation is locked. */
  readonly locked: Set<number>;
  /** The user that the token acts as. */
  tokenUser: GitHubUser;
  readonly artifacts: StoredArtifact[];
  readonly runs: StoredRun[];
  /** Branches that refuse every update, and why. */
  readonly protectedBranches: Map<string, string>;
  /** Names of permissions that the job token lacks, for example `contents: write`. */
  readonly missingPermissions: Set<string>;
  /** Sent with each answer if it is set, and reduced by one for each request. */
  requestsLeft?: number;
  /** A number that no other object has. */
  nextId(): number;
  /** The present time in RFC 3339. Later calls return later times. */
  now(): string;
}

/** `shelf`: the artifacts that the artifact service of the runner has. Default: none. */
export function createGitHubState(repository: string, git: Repository, shelf?: ArtifactShelf): GitHubState {
  let id = 1000;
  let time = Date.now();
  return {
    repository,
    git,
    permissions: {},
    pulls: [],
    issues: [],
    comments: [],
    reviews: [],
    reviewComments: [],
    resolvedThreads: new Set(),
    artifacts: shelf?.artifacts ?? [],
    locked: new Set(),
    tokenUser: actionsBot,
    runs: [],
    protectedBranches: new Map(),
    missingPermissions: new Set(),
    nextId: () => (id += 1),
    now: () => {
      time = Math.max(time + 1, Date.now());
      return new Date(time).toISOString();
    },
  };
}

/** A user as GitHub sends it. */
export function userBody({ login, type }: GitHubUser): object {
  return { login, type, id: login.length * 1000 + (login.codePointAt(0) ?? 0), node_id: `U_${login}` };
}
