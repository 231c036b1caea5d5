/** The end of `post`: stores the CLIs that `main` installed in the Actions cache, for later jobs on other machines. */
import { type CliCacheOptions, storeCli } from '../cli-cache/cli-cache.js';
import type { ActionContext } from './action-context.js';
import { mayStoreClis, type NewCli } from './obtain-cli.js';
import type { PostState } from './post-state.js';
import { cliCacheOf, type StateStorage } from './state-storage.js';

/**
 * Last, because the state of the run is more important, and not if the job was cancelled, because the runner ends it
 * soon. The files may have been changed since `main` noted their hash; then nothing is stored.
 */
export async function storeNewClis(
  actionContext: ActionContext,
  { newClis = [], isDone }: PostState,
  openStorage: () => Promise<StateStorage>,
): Promise<void> {
  const isCancelled = actionContext.inputs.jobStatus === 'cancelled';
  if (newClis.length === 0 || !isDone || isCancelled || !mayStoreClis(actionContext)) return;
  const cliCache = cliCacheOf(actionContext, await openStorage());
  if (cliCache === undefined || cliCache.store.unwritableReason !== undefined) return;
  for (const newCli of newClis) await storeOne(actionContext, cliCache, newCli);
}

async function storeOne({ log }: ActionContext, cliCache: CliCacheOptions, newCli: NewCli): Promise<void> {
  try {
    const result = await storeCli(cliCache, newCli);
    if (result.status === 'stored')
      log.info(
        `Stored ${newCli.title} in the Actions cache (${Math.ceil(result.bytes / 1e6)} MB), for the next job that needs it`,
      );
    if (result.status === 'changed')
      log.warning(
        `${newCli.title} was changed during the run, so it is not stored in the Actions cache. Find out which step changed it.`,
      );
  } catch (error) {
    // The next run installs it again.
    log.debug(String(error));
  }
}
