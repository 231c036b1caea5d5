/** Whether the Actions cache can be had in this job, told from the runner's variables. Pure. */

type CacheEnvironment = Readonly<Record<string, string | undefined>>;

export interface CacheAvailability {
  readonly unwritableReason?: string;
  readonly unreadableReason?: string;
}

/** One sentence for each of writing and reading that is not possible; none means: as far as is known, it is. */
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
    // A mode that is not known is taken as the client takes it: everything is tried.
    default:
      return {};
  }
}

function modeSentence(mode: string, verb: string): string {
  return (
    `The Actions cache may not be ${verb} in this job (cache-mode is ${mode}): ` +
    'set `cache-mode: write` for the job, if you trust what starts it.'
  );
}

function missingService(env: CacheEnvironment): string | undefined {
  const advice = 'Set `state-store: directory:PATH` to keep the state on a disk.';
  if (!env.ACTIONS_RUNTIME_TOKEN) {
    return `The Actions cache cannot be had: the runner gave this step no token for it. ${advice}`;
  }
  if (isEnterpriseServer(env.GITHUB_SERVER_URL)) {
    return env.ACTIONS_CACHE_URL
      ? undefined
      : `This GitHub Enterprise Server offers no Actions cache. ${advice}`;
  }
  const isThere = env.ACTIONS_CACHE_SERVICE_V2 && env.ACTIONS_RESULTS_URL;
  return isThere ? undefined : `The runner names no Actions cache service for this step. ${advice}`;
}

// The rule of the client (6.3.0), which takes the first version of the protocol on an Enterprise Server.
function isEnterpriseServer(serverUrl: string | undefined): boolean {
  if (!serverUrl || !URL.canParse(serverUrl)) return false;
  const host = new URL(serverUrl).hostname.toLowerCase();
  return host !== 'github.com' && !host.endsWith('.ghe.com') && !host.endsWith('.localhost');
}
