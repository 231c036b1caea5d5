/** The sessions in the runner user's home, as both phases open them, and how they are taken away at the end. */
import { createCommandSessions } from '../sessions/command-sessions.js';
import { createHomeSessions, type HomeSessions, type Placed } from '../sessions/home-sessions.js';
import { createSessionStore, removeSessions } from '../sessions/session-store.js';
import type { ProcessRunner } from '../system/process.js';
import { agentEnvironment } from './agents.js';
import { type Handover, privatePaths } from './handover.js';
import type { Setting } from './setting.js';

/** `already`: what an earlier phase of the job has placed. */
export function openSessions(
  privateDirectory: string,
  processes: ProcessRunner,
  already: readonly Placed[] = [],
): HomeSessions {
  const files = createSessionStore(already.filter((one) => 'path' in one));
  return createHomeSessions(files, openCommands(privateDirectory, processes), already);
}

function openCommands(privateDirectory: string, processes: ProcessRunner) {
  return createCommandSessions({
    processes,
    directory: privatePaths(privateDirectory).imports,
  });
}

/** What this run put into home folders: files give way to what had been there before. */
export async function takeAway(
  setting: Setting,
  privateDirectory: string,
  processes: ProcessRunner,
  { placed, directory }: Pick<Handover, 'placed' | 'directory'>,
): Promise<void> {
  const commands = openCommands(privateDirectory, processes);
  for (const session of placed) {
    if ('path' in session) continue;
    const provider = setting.providers.find((one) => one.id === session.provider);
    if (provider?.sessionCommands === undefined) continue;
    const { sessionCommands } = provider;
    const environment = agentEnvironment(provider, { ...setting, passEnv: setting.inputs.passEnv });
    await commands.remove({
      provider: { ...provider, sessionCommands },
      id: session.id,
      directory,
      environment,
    });
  }
  await removeSessions(placed.filter((one) => 'path' in one));
}
