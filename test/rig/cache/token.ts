/**
 * The bearer token of the cache and artifact services: a JWT with the claims that clients read, and those by which this
 * rig recognizes the job. Nobody verifies a signature.
 */
import { backendId } from '../artifacts/artifact-calls.js';
import type { ArtifactJob } from '../artifacts/artifact-shelf.js';

export interface CacheGrant {
  readonly repository: string;
  /** Refs whose entries may be read, in search order. Empty: read denied. */
  readonly read: readonly string[];
  /** The ref of new entries; absent in a read-only token. */
  readonly write?: string;
  /** The token does not say what it grants. */
  readonly isSilent?: boolean;
  /** The job in the artifact service. Default: attempt 1 of run 1001. */
  readonly artifacts?: ArtifactJob;
}

const defaultJob: ArtifactJob = {
  ...{ runId: 1001, attempt: 1, isFullRerun: false },
  ...{ headBranch: 'main', headSha: '' },
};

export function artifactJobOf({ artifacts = defaultJob }: CacheGrant): ArtifactJob {
  return artifacts;
}

export function makeToken(grant: CacheGrant): string {
  const { runId, attempt } = artifactJobOf(grant);
  const claims = {
    scp: `Actions.ExampleScope Actions.Results:${backendId(runId, attempt)}:job-${attempt}`,
    ...(grant.isSilent ? {} : { ac: JSON.stringify(scopesOf(grant)) }),
    rig: grant,
  };
  return [{ alg: 'none', typ: 'JWT' }, claims].map(encoded).join('.').concat('.rig');
}

/** 1 is reading, 2 is writing. */
function scopesOf({ read, write }: CacheGrant): readonly object[] {
  const scopes = [...new Set([...(write === undefined ? [] : [write]), ...read])];
  return scopes.map((scope) => ({
    Scope: scope,
    Permission: (read.includes(scope) ? 1 : 0) + (scope === write ? 2 : 0),
  }));
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

/** The permissions in an `Authorization` header; `undefined` if this rig did not create it. */
export function readToken(header: string | undefined): CacheGrant | undefined {
  const claims = header?.match(/^Bearer [\w-]+\.([\w-]+)\.rig$/)?.[1];
  if (claims === undefined) return undefined;
  return (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { readonly rig: CacheGrant }).rig;
}
