/** Whether the Actions cache is available in this job, based on the runner's variables. Pure. */
import { readRuntimeToken } from '../artifacts/runtime-token.js';

type CacheEnvironment = Readonly<Record<string, string | undefined>>;

export interface CacheAvailability {
  readonly unwritableReason?: string;
  readonly unreadableReason?: string;
}

/** A reason for each of writing and reading that is not possible. No reason: it is possible as far as is known. */
export function cacheAvailability(env: CacheEnvironment): CacheAvailability {
  const missing = missingService(env);
  if (missing !== undefined) return { unwritableReason: missing, unreadableReason: missing };
  switch ((env.ACTIONS_CACHE_MODE ?? '').trim().toLowerCase()) {
    case 'none':
      return {
        unwritableReason: modeSentence('none', 'used'),
        unreadableReason: modeSentence('none', 'used'),
      };
    case 'read':
      return { unwritableReason: modeSentence('read', 'written') };
    case 'write-only':
      return { unreadableReason: modeSentence('write-only', 'read') };
    // Like the client, treat an unknown mode as read and write.
    default:
      return tokenLimits(env.ACTIONS_RUNTIME_TOKEN);
  }
}

/**
 * Since 2026-06-26, runs that were started by a comment, for example, get a token that cannot write, and no variable says
 * so. A token that says nothing may do everything, as far as is known: the service refuses what it may not.
 */
function tokenLimits(token: string | undefined): CacheAvailability {
  const cache = readRuntimeToken(token)?.cache;
  if (cache === undefined) return {};
  return {
    ...(cache.isWritable ? {} : { unwritableReason: tokenSentence('written') }),
    ...(cache.isReadable ? {} : { unreadableReason: tokenSentence('read') }),
  };
}

function tokenSentence(verb: string): string {
  return (
    `The Actions cache cannot be ${verb} in this job: the token that GitHub gave it for this event has no permission for that. ` +
    'Set `cache-mode: write` for the job if you trust the event that starts it.'
  );
}

function modeSentence(mode: string, verb: string): string {
  return (
    `The Actions cache cannot be ${verb} in this job because \`cache-mode\` is \`${mode}\`. ` +
    'Set `cache-mode: write` for the job if you trust the event that starts it.'
  );
}

/**
 * The rules of the client (`@actions/cache` 6.3.0, `internal/config.js`): version 2 of the protocol needs
 * ACTIONS_RESULTS_URL and a token. Version 1, on an Enterprise Server and without ACTIONS_CACHE_SERVICE_V2, needs an
 * address only: the cache of nektos/act (0.2.89) asks for no token.
 */
function missingService(env: CacheEnvironment): string | undefined {
  const advice = 'Set `state-store: directory:PATH` to store the state on a disk.';
  if (isEnterpriseServer(env.GITHUB_SERVER_URL) || !env.ACTIONS_CACHE_SERVICE_V2) {
    if (env.ACTIONS_CACHE_URL) return undefined;
    const who = isEnterpriseServer(env.GITHUB_SERVER_URL)
      ? 'this GitHub Enterprise Server has none'
      : 'the runner provides no cache service for this step';
    return `The Actions cache is unavailable: ${who}. ${advice}`;
  }
  if (!env.ACTIONS_RUNTIME_TOKEN)
    return `The Actions cache is unavailable: the runner provides no cache token for this step. ${advice}`;
  return env.ACTIONS_RESULTS_URL
    ? undefined
    : `The Actions cache is unavailable: the runner provides no cache service for this step. ${advice}`;
}

function isEnterpriseServer(serverUrl: string | undefined): boolean {
  if (!serverUrl || !URL.canParse(serverUrl)) return false;
  const host = new URL(serverUrl).hostname.toLowerCase();
  return host !== 'github.com' && !host.endsWith('.ghe.com') && !host.endsWith('.localhost');
}
