/**
 * Reads checkpoints of earlier attempts of the run through the REST API. The artifact service of the runner does not
 * always give them to a re-run (`run-artifacts.ts`). Needs the permission `actions: read`. It writes nothing.
 */
import type { RepositoryArtifact, RepositoryArtifacts } from '../artifacts/repository-artifacts.js';
import { artifactsTitle, newestUnder } from './artifact-store.js';
import type { CheckpointStore, StoreFailure } from './checkpoint-store.js';
import { maxSealedBytes } from './new-file.js';

export interface EarlierArtifactsOptions {
  readonly artifacts: RepositoryArtifacts;
  readonly runId: string;
}

const readOnlyText = 'Artifacts of earlier job attempts cannot be written.';

export function readEarlierArtifacts({ artifacts, runId }: EarlierArtifactsOptions): CheckpointStore {
  let listed: readonly RepositoryArtifact[] = [];
  let lastFailure: StoreFailure | undefined;

  async function list(): Promise<readonly RepositoryArtifact[]> {
    const answer = await artifacts.listOfRun(runId);
    if (answer.status === 'listed') {
      lastFailure = undefined;
      listed = answer.artifacts.filter(({ isExpired }) => !isExpired);
    } else lastFailure = failureFrom(answer);
    return listed;
  }

  async function read(key: string): Promise<Buffer | undefined> {
    const known = listed.some(({ name }) => name === key) ? listed : await list();
    const found = known.findLast(({ name }) => name === key);
    if (found === undefined) return undefined;
    const answer = await artifacts.download(found, maxSealedBytes);
    const isProblem = answer.status === 'denied' || answer.status === 'failed';
    lastFailure = isProblem ? failureFrom(answer) : undefined;
    return answer.status === 'read' ? answer.content : undefined;
  }

  return {
    title: artifactsTitle,
    unwritableReason: readOnlyText,
    findNewest: async (prefixes) => newestUnder(prefixes, await list()),
    read,
    write: async () => false,
    lastError: () => lastFailure?.message,
    lastFailure: () => lastFailure,
  };
}

function failureFrom(answer: {
  readonly status: 'denied' | 'failed';
  readonly reason: string;
}): StoreFailure {
  if (answer.status === 'failed') return { message: answer.reason };
  const advice = 'Give the job the permission `actions: read`';
  return {
    message: `artifacts of earlier job attempts cannot be listed or read: ${answer.reason}. ${advice}`,
    isAnswer: true,
  };
}
