/** Whether artifacts are available in this job, based on the runner's variables. Pure. */
import { readRuntimeToken } from './runtime-token.js';

type ArtifactEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * Why this job has no artifacts, as one sentence. `undefined` if it has, as far as is known. The client
 * (`@actions/artifact` 6.2.1) needs an address and a token that names the run, and refuses an Enterprise Server. Its
 * look-alikes on other runners (nektos/act, Forgejo, Gitea) have no REST API for artifacts of other runs, so none of
 * them is used.
 */
export function missingArtifacts(env: ArtifactEnvironment): string | undefined {
  if (isOtherServer(env.GITHUB_SERVER_URL) || env.ACT === 'true')
    return 'Artifacts are unavailable: only GitHub.com and GHE.com have the service for them.';
  if (!env.ACTIONS_RESULTS_URL || readRuntimeToken(env.ACTIONS_RUNTIME_TOKEN)?.hasResults !== true)
    return 'Artifacts are unavailable: the runner provides no artifact service for this step.';
  return undefined;
}

/** The rule of the client (`isGhes`). */
function isOtherServer(serverUrl: string | undefined): boolean {
  if (!serverUrl) return false;
  if (!URL.canParse(serverUrl)) return true;
  const host = new URL(serverUrl).hostname.toLowerCase();
  return host !== 'github.com' && !host.endsWith('.ghe.com') && !host.endsWith('.localhost');
}
