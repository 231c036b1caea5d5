/** The calls of the runner's artifact service, as `@actions/artifact` 6.2.1 makes them. */
import { json, type Reply } from '../cache/reply.js';
import type { ArtifactJob, ArtifactShelf, StoredArtifact } from './artifact-shelf.js';

export interface ArtifactCall {
  readonly name?: string;
  readonly name_filter?: string;
  readonly id_filter?: string;
  readonly expires_at?: string;
  readonly size?: string;
  readonly workflow_run_backend_id: string;
}

export interface ArtifactContext {
  readonly shelf: ArtifactShelf;
  readonly job: ArtifactJob;
  /** The signed URL of a body. */
  addressOf(id: number, signature: string): string;
}

export const artifactServicePath = '/twirp/github.actions.results.api.v1.ArtifactService/';

type Handler = (context: ArtifactContext, call: ArtifactCall) => Reply;

export const artifactMethods: Readonly<
  Record<string, { readonly operation: ArtifactOperation; handle: Handler }>
> = {
  CreateArtifact: { operation: 'artifact create', handle: createArtifact },
  FinalizeArtifact: { operation: 'artifact finalize', handle: finalizeArtifact },
  ListArtifacts: { operation: 'artifact list', handle: listArtifacts },
  GetSignedArtifactURL: { operation: 'artifact url', handle: signArtifact },
  DeleteArtifact: { operation: 'artifact delete', handle: deleteArtifact },
};

export type ArtifactOperation =
  | 'artifact create'
  | 'artifact upload'
  | 'artifact finalize'
  | 'artifact list'
  | 'artifact url'
  | 'artifact download'
  | 'artifact delete';

/** Real text of the service (k0rdent/kcm#1636, 2025). */
const takenText = 'an artifact with this name already exists on the workflow run';
/** Real text (actions/download-artifact#486, 2026). */
const unknownRunText = 'workflow run not found';

function createArtifact({ shelf, job, addressOf }: ArtifactContext, call: ArtifactCall): Reply {
  const upload = shelf.reserve(job, call.name ?? '', call.expires_at);
  if (upload === undefined) return json(409, { code: 'already_exists', msg: takenText });
  return json(200, { ok: true, signed_upload_url: addressOf(upload.id, upload.signature) });
}

function finalizeArtifact({ shelf, job }: ArtifactContext, { name, size }: ArtifactCall): Reply {
  const upload = [...shelf.uploads.values()].find(
    (one) => one.name === name && one.job.runId === job.runId && one.job.attempt === job.attempt,
  );
  if (upload?.body === undefined) return json(404, { code: 'not_found', msg: 'no upload to finalize' });
  if (upload.body.length !== Number(size)) return json(200, { ok: false });
  return json(200, { ok: true, artifact_id: String(shelf.finalize(upload).id) });
}

function listArtifacts({ shelf, job }: ArtifactContext, { name_filter, id_filter }: ArtifactCall): Reply {
  const found = shelf
    .visibleTo(job)
    .filter(({ name }) => name_filter === undefined || name === name_filter)
    .filter(({ id }) => id_filter === undefined || id === Number(id_filter));
  return json(200, { artifacts: found.map(describe) });
}

function describe({ id, runId, attempt, name, body, createdAt }: StoredArtifact): object {
  return {
    workflow_run_backend_id: backendId(runId, attempt),
    workflow_job_run_backend_id: `job-${attempt}`,
    database_id: String(id),
    name,
    size: String(body?.length ?? 0),
    created_at: createdAt,
  };
}

export function backendId(runId: number | string, attempt: number): string {
  return `run-${runId}-${attempt}`;
}

function signArtifact({ shelf, job, addressOf }: ArtifactContext, call: ArtifactCall): Reply {
  const found = findCalled(shelf, job, call);
  if (found === undefined) return json(404, { code: 'not_found', msg: unknownRunText });
  return json(200, { name: found.name, signed_url: addressOf(found.id, 'download') });
}

function deleteArtifact({ shelf, job }: ArtifactContext, call: ArtifactCall): Reply {
  const found = findCalled(shelf, job, call);
  if (found === undefined) return json(404, { code: 'not_found', msg: unknownRunText });
  shelf.artifacts.splice(shelf.artifacts.indexOf(found), 1);
  shelf.uploads.delete(found.id);
  return json(200, { ok: true, artifact_id: String(found.id) });
}

function findCalled(shelf: ArtifactShelf, job: ArtifactJob, call: ArtifactCall): StoredArtifact | undefined {
  return shelf
    .visibleTo(job)
    .find(
      ({ name, runId, attempt }) =>
        name === call.name && backendId(runId, attempt) === call.workflow_run_backend_id,
    );
}
