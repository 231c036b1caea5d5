/**
 * The artifacts of a repository, which the artifact service of the runner and the REST API share.
 * Rules: `@actions/artifact` 6.2.1, and go-gitea/gitea#38857 for what a re-run sees (tested there against GitHub, 2026).
 *
 * SHELF1 A name is unique per attempt of a run, also while its upload is unfinished.
 * SHELF2 A job sees the artifacts of its own attempt and, after "Re-run failed jobs", those of earlier attempts.
 * SHELF3 Ids are no sequence.
 */
import { randomUUID } from 'node:crypto';

export interface StoredArtifact {
  readonly id: number;
  readonly runId: number;
  readonly attempt: number;
  readonly name: string;
  /** The zip file. Absent until it is finalized. */
  body?: Buffer;
  readonly createdAt: string;
  expiresAt?: string;
  expired: boolean;
  readonly headBranch: string;
  readonly headSha: string;
  /** Of a fork, if its pull request started the run. Default: the repository itself. */
  headRepositoryId?: number;
}

/** The job that asks, as its token says. */
export interface ArtifactJob {
  readonly runId: number;
  readonly attempt: number;
  /** The attempt was started with "Re-run all jobs". */
  readonly isFullRerun: boolean;
  readonly headBranch: string;
  readonly headSha: string;
  readonly headRepositoryId?: number;
}

export interface ArtifactUpload {
  readonly id: number;
  readonly job: ArtifactJob;
  readonly name: string;
  /** Part of the signed URLs. */
  readonly signature: string;
  readonly expiresAt: string | undefined;
  readonly blocks: Map<string, Buffer>;
  state: 'reserved' | 'stored';
  body: Buffer | undefined;
}

export interface ArtifactShelf {
  /** Oldest first. A test may add and change entries. */
  readonly artifacts: StoredArtifact[];
  /** Uploads by id, also those that are not finished. */
  readonly uploads: Map<number, ArtifactUpload>;
  /** `undefined` if the name is in use (SHELF1). */
  reserve(job: ArtifactJob, name: string, expiresAt: string | undefined): ArtifactUpload | undefined;
  finalize(upload: ArtifactUpload): StoredArtifact;
  visibleTo(job: ArtifactJob): readonly StoredArtifact[];
  /** As if a job had uploaded it. */
  add(artifact: Partial<StoredArtifact> & Pick<StoredArtifact, 'runId' | 'name' | 'body'>): StoredArtifact;
}

export function createArtifactShelf(): ArtifactShelf {
  const artifacts: StoredArtifact[] = [];
  const uploads = new Map<number, ArtifactUpload>();
  let [count, time] = [0, Date.now()];
  const nextId = () => {
    count += 1;
    return 700_000 + count * (count % 2 === 0 ? 1 : 1000);
  };
  const now = () => {
    time = Math.max(time + 1000, Date.now());
    return new Date(time).toISOString();
  };
  const store = (artifact: StoredArtifact) => {
    artifacts.push(artifact);
    return artifact;
  };
  return {
    artifacts,
    uploads,
    reserve(job, name, expiresAt) {
      const isTaken = [...uploads.values()].some(
        (upload) =>
          upload.name === name && upload.job.runId === job.runId && upload.job.attempt === job.attempt,
      );
      if (isTaken) return undefined;
      const upload: ArtifactUpload = {
        ...{ id: nextId(), job, name, signature: randomUUID(), expiresAt },
        ...{ blocks: new Map<string, Buffer>(), state: 'reserved', body: undefined },
      };
      uploads.set(upload.id, upload);
      return upload;
    },
    finalize(upload) {
      upload.state = 'stored';
      const { job, id, name, body, expiresAt } = upload;
      const { runId, attempt, headBranch, headSha, headRepositoryId } = job;
      return store({
        ...{ id, runId, attempt, name, createdAt: now(), expired: false, headBranch, headSha },
        ...(body === undefined ? {} : { body }),
        ...(expiresAt === undefined ? {} : { expiresAt }),
        ...(headRepositoryId === undefined ? {} : { headRepositoryId }),
      });
    },
    visibleTo: (job) =>
      artifacts.filter(
        ({ runId, attempt, expired }) =>
          !expired &&
          runId === job.runId &&
          (job.isFullRerun ? attempt === job.attempt : attempt <= job.attempt),
      ),
    add: (artifact) =>
      store({
        ...{ id: nextId(), attempt: 1, createdAt: now(), expired: false, headBranch: 'main', headSha: '' },
        ...artifact,
      }),
  };
}
