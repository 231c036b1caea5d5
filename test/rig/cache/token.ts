/** The bearer token of the cache service. It is opaque to the client; the service reads the job's permissions in it. */

export interface CacheGrant {
  readonly repository: string;
  /** Refs whose entries may be read, in search order. Empty: read denied. */
  readonly read: readonly string[];
  /** The ref of new entries; absent in a read-only token. */
  readonly write?: string;
}

const prefix = 'rig.';

export function makeToken(grant: CacheGrant): string {
  return prefix + Buffer.from(JSON.stringify(grant)).toString('base64url');
}

/** The permissions in an `Authorization` header; `undefined` if this rig did not create it. */
export function readToken(header: string | undefined): CacheGrant | undefined {
  const text = header?.match(/^Bearer rig\.([\w-]+)$/)?.[1];
  if (text === undefined) return undefined;
  return JSON.parse(Buffer.from(text, 'base64url').toString()) as CacheGrant;
}
