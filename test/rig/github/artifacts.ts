/** Artifacts in the REST API: lists by name and by run, download as a zip file, deletion. */
import type { StoredArtifact } from '../artifacts/artifact-shelf.js';
import { type Answer, denied, noContent, notFound, ok, problem } from './reply.js';
import type { Route, RouteCall } from './router.js';
import type { GitHubState } from './state.js';

/** GITHUB_REPOSITORY_ID of the rig's jobs. */
const repositoryId = 4242;
const one = '/repos/:owner/:repo/actions/artifacts/:id';

export function artifactRoutes(state: GitHubState): readonly Route[] {
  const reading = (handle: Route['handle']) => guarded(state, 'actions: read', handle);
  const writing = (handle: Route['handle']) => guarded(state, 'actions: write', handle);
  return [
    {
      method: 'GET',
      path: '/repos/:owner/:repo/actions/artifacts',
      listKey: 'artifacts',
      handle: reading(({ query }) => listed(state.artifacts, query.get('name'))),
    },
    {
      method: 'GET',
      path: '/repos/:owner/:repo/actions/runs/:run/artifacts',
      listKey: 'artifacts',
      handle: reading(({ params, query }) => listed(ofRun(state, params.run), query.get('name'))),
    },
    { method: 'GET', path: `${one}/zip`, handle: reading((call) => redirect(state, call)) },
    { method: 'DELETE', path: one, handle: writing(({ params }) => remove(state, params.id)) },
    {
      method: 'GET',
      path: '/artifact-bodies/:id',
      handle: ({ params }) => ({
        status: 200,
        headers: { 'content-type': 'application/zip' },
        body: find(state, params.id)?.body ?? Buffer.alloc(0),
      }),
    },
  ];
}

function guarded(state: GitHubState, permission: string, handle: Route['handle']): Route['handle'] {
  return (call) => (state.missingPermissions.has(permission) ? denied : handle(call));
}

/** Newest first, as GitHub lists them. */
function listed(artifacts: readonly StoredArtifact[], name: string | null): Answer {
  const found = artifacts.filter((artifact) => name === null || artifact.name === name);
  return ok({ artifacts: found.map(describe).reverse() });
}

/** GitHub does not list those of earlier attempts after "Re-run all jobs" (actions/upload-artifact#585). */
function ofRun(state: GitHubState, run: string | undefined): readonly StoredArtifact[] {
  return state.artifacts.filter(({ runId }) => runId === Number(run));
}

function find(state: GitHubState, id: string | undefined): StoredArtifact | undefined {
  return state.artifacts.find((artifact) => artifact.id === Number(id));
}

function redirect(state: GitHubState, { params, origin }: RouteCall): Answer {
  const found = find(state, params.id);
  if (found === undefined) return notFound;
  if (found.expired) return problem(410, 'Artifact has expired');
  return { status: 302, headers: { location: `${origin}/artifact-bodies/${found.id}` } };
}

function remove(state: GitHubState, id: string | undefined): Answer {
  const found = find(state, id);
  if (found === undefined) return notFound;
  state.artifacts.splice(state.artifacts.indexOf(found), 1);
  return noContent;
}

function describe(artifact: StoredArtifact): object {
  const { id, name, runId, body, createdAt, expiresAt, expired, headBranch, headSha } = artifact;
  return {
    id,
    name,
    size_in_bytes: body?.length ?? 0,
    expired,
    created_at: createdAt,
    expires_at: expiresAt ?? null,
    workflow_run: {
      id: runId,
      repository_id: repositoryId,
      head_repository_id: artifact.headRepositoryId ?? repositoryId,
      head_branch: headBranch,
      head_sha: headSha,
    },
  };
}
