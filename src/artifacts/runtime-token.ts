/**
 * What the runner's token for the cache and artifact services (ACTIONS_RUNTIME_TOKEN) says about itself. It is a JWT,
 * which GitHub does not document: `scp` names the run and the job (read by `@actions/artifact` 6.2.1), and `ac` lists the
 * scopes of the cache as JSON text, with 1 for reading and 2 for writing (the fixture of docker/actions-toolkit, 2024).
 * Only the service can verify it. Pure.
 */

export interface RuntimeToken {
  /** Whether it names the run and job for the artifact service. */
  readonly hasResults: boolean;
  /** What the token grants in the cache. Absent if it does not say. */
  readonly cache?: { readonly isReadable: boolean; readonly isWritable: boolean };
}

const [readBit, writeBit] = [1, 2];

/** `undefined` if the text is no JWT. */
export function readRuntimeToken(token: string | undefined): RuntimeToken | undefined {
  const claims = claimsOf(token);
  if (claims === undefined) return undefined;
  const results = /(?:^| )Actions\.Results:[^: ]+:[^: ]+(?: |$)/;
  const hasResults = typeof claims.scp === 'string' && results.test(claims.scp);
  const permissions = permissionsIn(claims.ac);
  if (permissions === undefined) return { hasResults };
  const grants = (bit: number) => permissions.some((permission) => (permission & bit) !== 0);
  return { hasResults, cache: { isReadable: grants(readBit), isWritable: grants(writeBit) } };
}

function claimsOf(token: string | undefined): Readonly<Record<string, unknown>> | undefined {
  const payload = token?.split('.')[1];
  return payload === undefined ? undefined : parsedObject(Buffer.from(payload, 'base64url').toString());
}

/** `undefined` unless it is a list of scopes as it is known today. */
function permissionsIn(claim: unknown): readonly number[] | undefined {
  const scopes = typeof claim === 'string' ? parsed(claim) : undefined;
  if (!Array.isArray(scopes)) return undefined;
  const permissions = scopes.map((scope) => (scope as { Permission?: unknown } | null)?.Permission);
  return permissions.every((permission) => typeof permission === 'number') ? permissions : undefined;
}

function parsedObject(text: string): Readonly<Record<string, unknown>> | undefined {
  const value = parsed(text);
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
