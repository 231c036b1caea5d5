/**
 * Stores entries as artifacts. Everybody who can read the repository can download them, and every run can store one
 * under any name, also that of a fork's pull request.
 *
 * ENTRY1 A name is unique per attempt of a run. A further entry of the same attempt gets a number: `NAME~2`, `NAME~3`.
 *        A name from `entryName` has no `~`.
 * ENTRY2 A list asks for the next number only if the one before exists, so it takes two requests as a rule.
 */
import type { ArtifactList, RepositoryArtifacts } from '../artifacts/repository-artifacts.js';
import { ArtifactError, type RunArtifacts } from '../artifacts/run-artifacts.js';
import { defined } from '../optional-keys.js';
import type {
  DeniedAccess,
  EntryStore,
  FailedAccess,
  ListResult,
  NamedEntry,
  PutResult,
} from './entry-store.js';
import { maxSealedBytes } from './new-file.js';

export interface ArtifactEntriesOptions {
  /** To store. */
  readonly run: RunArtifacts;
  /** To list and read. */
  readonly repository: RepositoryArtifacts;
  /** Why there are no artifacts. Absent if there are. */
  readonly unavailableReason?: string;
}

/** Longer than most pull requests are open. Pays for as many days of storage in a private repository. */
export const entryDays = 30;
const maxNumber = 20;

export function createArtifactEntries(options: ArtifactEntriesOptions): EntryStore {
  const { run, repository, unavailableReason } = options;
  /** Of the entries that were listed. */
  const sizes = new Map<string, number>();

  async function list(name: string): Promise<ListResult> {
    const entries: NamedEntry[] = [];
    for (let number = 1; number <= maxNumber; number += 1) {
      const answer: ArtifactList = await repository.listByName(numbered(name, number));
      if (answer.status !== 'listed') return withAdvice(answer);
      for (const { id, bytes, ...artifact } of answer.artifacts) {
        sizes.set(String(id), bytes);
        entries.push({ ...artifact, id: String(id), name });
      }
      if (answer.artifacts.length === 0 && number > 1) break;
    }
    return { status: 'listed', entries: entries.sort((one, other) => other.createdAt - one.createdAt) };
  }

  return {
    title: 'artifacts',
    ...defined({ unwritableReason: unavailableReason, unreadableReason: unavailableReason }),
    put: (name, sealed) =>
      unavailableReason === undefined ? put(run, name, sealed) : failed(unavailableReason),
    list: (name) => (unavailableReason === undefined ? list(name) : failed(unavailableReason)),
    async read({ id, isExpired }) {
      if (unavailableReason !== undefined) return failed(unavailableReason);
      if (isExpired) return { status: 'expired' };
      const artifact = { id: Number(id), bytes: sizes.get(id) ?? 0 };
      const answer = await repository.download(artifact, maxSealedBytes);
      if (answer.status === 'read') return { status: 'read', sealed: answer.content };
      return answer.status === 'denied' || answer.status === 'failed'
        ? withAdvice(answer)
        : { status: answer.status };
    },
  };
}

async function put(run: RunArtifacts, name: string, sealed: Buffer): Promise<PutResult> {
  for (let number = 1; ; number += 1) {
    try {
      await run.upload(numbered(name, number), sealed, entryDays);
      return { status: 'stored' };
    } catch (error) {
      const isTaken = error instanceof ArtifactError && error.kind === 'taken';
      if (!isTaken || number === maxNumber)
        return { status: 'failed', reason: error instanceof Error ? error.message : String(error) };
    }
  }
}

function numbered(name: string, number: number): string {
  return number === 1 ? name : `${name}~${number}`;
}

async function failed(reason: string): Promise<FailedAccess> {
  return { status: 'failed', reason };
}

function withAdvice(answer: {
  readonly status: 'denied' | 'failed';
  readonly reason: string;
}): DeniedAccess | FailedAccess {
  if (answer.status === 'failed') return { status: 'failed', reason: answer.reason };
  return { status: 'denied', reason: `${answer.reason}. Give the job the permission \`actions: read\`.` };
}
