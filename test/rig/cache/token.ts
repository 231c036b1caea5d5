/** The bearer token of the cache service: to the client an opaque text, to the service what a job may do. */

export interface CacheGrant {
  readonly repository: string;
  /** Refs whose entries may be read, in the order in which they are looked through. Empty: read denied. */
  readonly read: readonly string[];
  /** The ref that new entries belong to. Absent: a read-only token. */
  readonly write?: string;
}

const prefix = 'rig.';

export function makeToken(grant: CacheGrant): string {
  return prefix + Buffer.from(JSON.stringify(grant)).toString('base64url');
}

/** What an `Authorization` header grants; `undefined` for anything this rig did not make. */
export function readToken(header: string | undefined): CacheGrant | undefined {
  const text = header?.match(/^Bearer rig\.([\w-]+)$/)?.[1];
  if (text === undefined) return undefined;
  return JSON.parse(Buffer.from(text, 'base64url').toString()) as CacheGrant;
}
