/** The sessions in the runner user's home, as both phases open them, and how they are taken away at the end. */
import { createCommandSessions } from '../sessions/command-sessions.js';
import { createHomeSessions, type HomeSessions, type Placed } from '../sessions/home-sessions.js';
import { createFileSessions, removeSessions } from '../sessions/session-store.js';
import type { ProcessRunner } from '../system/process.js';
import type { ActionContext } from './action-context.js';
import { agentEnvironment } from './agents.js';
import { type PostState, privatePaths } from './post-state.js';

/** `already`: what an earlier phase of the job has placed. */
export function openHomeSessions(
  privateDirectory: string,
  processes: ProcessRunner,
  alreadyPlaced: readonly Placed[] = [],
): HomeSessions {
  const files = createFileSessions(alreadyPlaced.filter((one) => 'path' in one));
  return createHomeSessions(files, openCommandSessions(privateDirectory, processes), alreadyPlaced);
}

function openCommandSessions(privateDirectory: string, processes: ProcessRunner) {
  return createCommandSessions({
    processes,
    directory: privatePaths(privateDirectory).imports,
  });
}

/** What this run put into home folders: files give way to what had been there before. */
export async function removePlacedSessions(
  actionContext: ActionContext,
  privateDirectory: string,
  processes: ProcessRunner,
  { placed, directory }: Pick<PostState, 'placed' | 'directory'>,
): Promise<void> {
  const commands = openCommandSessions(privateDirectory, processes);
  for (const session of placed) {
    if ('path' in session) continue;
    const provider = actionContext.providers.find((one) => one.id === session.provider);
    if (provider?.sessionCommands === undefined) continue;
    const { sessionCommands } = provider;
    const environment = agentEnvironment(provider, {
      ...actionContext,
      passEnv: actionContext.inputs.passEnv,
    });
    await commands.remove({
      provider: { ...provider, sessionCommands },
      id: session.id,
      directory,
      environment,
    });
  }
  await removeSessions(placed.filter((one) => 'path' in one));
}
