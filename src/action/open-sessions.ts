/** Opens the sessions in the runner user's home for `main` and `post`, and removes them at the end of the job. */
import { createHomeSessions } from '../sessions/home-sessions.js';
import type { PlacedSession, SessionStore } from '../sessions/session-store.js';
import type { ProcessRunner } from '../system/process.js';
import type { ActionContext } from './action-context.js';
import { agentEnvironment } from './agents.js';
import { privatePaths } from './post-state.js';

/** `alreadyPlaced`: what an earlier phase of the job placed. */
export function openHomeSessions(
  privateDirectory: string,
  processes: ProcessRunner,
  alreadyPlaced: readonly PlacedSession[] = [],
): SessionStore {
  const importDirectory = privatePaths(privateDirectory).imports;
  return createHomeSessions({ processes, importDirectory, alreadyPlaced });
}

/** Removes the sessions that this run created or restored. `directory` is the working directory of the checkout. */
export async function removePlacedSessions(
  actionContext: ActionContext,
  sessions: SessionStore,
  directory: string,
): Promise<void> {
  const { providers, inputs } = actionContext;
  for (const { provider: providerId, id } of sessions.placed()) {
    const provider = providers.find((one) => one.id === providerId);
    if (provider === undefined) continue;
    const environment = agentEnvironment(provider, { ...actionContext, passEnv: inputs.passEnv });
    await sessions.remove({ provider, id, directory, environment });
  }
}
