/** Opens the stores that the input `state-store` names, each with its clients. */
import { resolve } from 'node:path';
import { missingArtifacts } from '../artifacts/artifact-availability.js';
import { openRepositoryArtifacts, type RepositoryArtifacts } from '../artifacts/repository-artifacts.js';
import { openRunArtifacts, type RunArtifacts } from '../artifacts/run-artifacts.js';
import { createArtifactEntries } from '../checkpoint/artifact-entries.js';
import { createArtifactStore } from '../checkpoint/artifact-store.js';
import { createAutoStore, withEarlier } from '../checkpoint/auto-store.js';
import { cachedCliName, prepareCacheClient } from '../checkpoint/cache-client.js';
import { createCacheStore } from '../checkpoint/cache-store.js';
import { createCachedEntries } from '../checkpoint/cached-entries.js';
import type { CheckpointStore } from '../checkpoint/checkpoint-store.js';
import { createDirectoryEntries } from '../checkpoint/directory-entries.js';
import { createDirectoryStore } from '../checkpoint/directory-store.js';
import { readEarlierArtifacts } from '../checkpoint/earlier-artifacts.js';
import type { EntryStore } from '../checkpoint/entry-store.js';
import { openGitHubApi } from '../github/github-api.js';
import { defined } from '../optional-keys.js';
import { type Clock, systemClock } from '../system/clock.js';
import type { ActionContext } from './action-context.js';
import { privatePaths } from './post-state.js';

export interface OpenedStores {
  readonly store: CheckpointStore;
  /** For what other runs find, such as the sessions of a pull request. */
  readonly entries: EntryStore;
  /** A store of its own for installed CLIs in the Actions cache, so that a checkpoint need not wait for one. */
  readonly cliStore?: CheckpointStore;
  /** For the log: where else than in the cache the state is stored. */
  readonly note?: string;
  /** Whether this job has changed to artifacts (`auto-store.ts`), so that `post` begins with them. */
  hasChanged(): boolean;
}

/** `isInArtifacts`: an earlier phase of this job has changed to artifacts. */
export function openStores(
  actionContext: ActionContext,
  privateDirectory: string,
  isInArtifacts: boolean,
): OpenedStores {
  const { job, inputs } = actionContext;
  const { runId, jobAttempt } = job;
  const { stateStore } = inputs;
  const run = { runId, jobAttempt, now: createTimestamps(systemClock) };
  if (stateStore.kind === 'directory') {
    const path = resolve(job.workspace, stateStore.path);
    const entries = createDirectoryEntries({ path, ...run });
    return { store: createDirectoryStore(path), entries, hasChanged: () => false };
  }
  const { cache, cliStore } = openCache(actionContext, privateDirectory);
  const cachedEntries = createCachedEntries({ cache, ...run });
  if (stateStore.kind === 'cache')
    return { store: cache, cliStore, entries: cachedEntries, hasChanged: () => false };
  const artifacts = openArtifacts(actionContext, privateDirectory);
  const isMissing = artifacts.unavailableReason !== undefined;
  const entries = isMissing && stateStore.kind === 'auto' ? cachedEntries : createArtifactEntries(artifacts);
  const ofJob = { actionContext, artifacts, cache, isInArtifacts };
  return { cliStore, entries, ...(stateStore.kind === 'artifact' ? openForced(ofJob) : openAuto(ofJob)) };
}

interface JobStores {
  readonly actionContext: ActionContext;
  readonly artifacts: OpenedArtifacts;
  readonly cache: CheckpointStore;
  readonly isInArtifacts: boolean;
}

type CheckpointPlace = Pick<OpenedStores, 'store' | 'note' | 'hasChanged'>;

function openForced({ actionContext, artifacts }: JobStores): CheckpointPlace {
  const store = withEarlierAttempts(openArtifactStore(artifacts), actionContext, artifacts);
  return { store, hasChanged: () => false };
}

function openAuto({ actionContext, artifacts, cache, isInArtifacts }: JobStores): CheckpointPlace {
  const { job, inputs, log } = actionContext;
  const isLimited = cache.unwritableReason !== undefined || cache.unreadableReason !== undefined;
  let hasChanged = isInArtifacts;
  const auto = createAutoStore({
    cache,
    artifacts: openArtifactStore(artifacts),
    hasEarlierJobs: job.jobAttempt > 1 || inputs.stateName !== undefined,
    isChanged: isInArtifacts,
    onChange: (reason) => {
      hasChanged = true;
      log.info(changeText(reason));
    },
  });
  const store = isLimited ? withEarlierAttempts(auto, actionContext, artifacts) : auto;
  const usesArtifacts = isLimited && store.unwritableReason === undefined;
  const note = usesArtifacts ? noteText(cache) : undefined;
  return { store, hasChanged: () => hasChanged, ...defined({ note }) };
}

function noteText({ unwritableReason, unreadableReason }: CheckpointStore): string {
  return `Checkpoints are stored as artifacts of this run. ${unwritableReason ?? unreadableReason}`;
}

function changeText(reason: string | undefined): string {
  const why = reason === undefined ? '' : ` (${reason})`;
  return `The Actions cache did not accept a checkpoint${why}. Checkpoints of this job are stored as artifacts from now on.`;
}

interface OpenedArtifacts {
  readonly run: RunArtifacts;
  readonly repository: RepositoryArtifacts;
  readonly unavailableReason?: string;
}

/** Nothing is loaded or asked before it is used. */
function openArtifacts(
  { environment, job, inputs }: ActionContext,
  privateDirectory: string,
): OpenedArtifacts {
  const { repository, apiUrl } = job;
  return {
    run: openRunArtifacts({ directory: privatePaths(privateDirectory).artifacts, isDebug: job.isDebug }),
    repository: openRepositoryArtifacts(() =>
      openGitHubApi({ repository, apiUrl, token: inputs.githubToken }),
    ),
    ...defined({ unavailableReason: missingArtifacts(environment) }),
  };
}

function openArtifactStore({ run, unavailableReason }: OpenedArtifacts): CheckpointStore {
  return createArtifactStore({ artifacts: run, clock: systemClock, ...defined({ unavailableReason }) });
}

/** Asks the REST API if nothing else has anything: the service of the runner may hide earlier job attempts. */
function withEarlierAttempts(
  store: CheckpointStore,
  { job }: ActionContext,
  { repository, unavailableReason }: OpenedArtifacts,
): CheckpointStore {
  if (unavailableReason !== undefined || job.jobAttempt === 1) return store;
  return withEarlier(store, readEarlierArtifacts({ artifacts: repository, runId: job.runId }));
}

/** The present time, but each time later than the one before. */
function createTimestamps(clock: Clock): () => number {
  let last = 0;
  return () => {
    last = Math.max(last + 1, clock.now());
    return last;
  };
}

function openCache({ environment }: ActionContext, privateDirectory: string) {
  const directory = privatePaths(privateDirectory).cache;
  const options = { directory, env: environment, tools: prepareCacheClient(directory, process.env) };
  return {
    cache: createCacheStore(options),
    cliStore: createCacheStore({ ...options, name: cachedCliName }),
  };
}
