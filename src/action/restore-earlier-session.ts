/** Places a session of an earlier run where the CLI looks for it, as a re-run does with its own sessions. */
import type { SessionCopyFile } from '../checkpoint/checkpoint-contents.js';
import type { Provider } from '../providers/provider.js';
import type { RunContext } from './run-context.js';

interface WantedSession {
  readonly provider: Provider;
  readonly id: string;
  /** The directory in which the agent works now. */
  readonly directory: string;
}

/** `false` if the session cannot be placed. The log says why. */
export async function restoreEarlierSession(
  { request, sessions, sessionCopies, environmentOf, postState, live }: RunContext,
  all: readonly SessionCopyFile[],
  { provider, id, directory }: WantedSession,
): Promise<boolean> {
  const files = all.filter((file) => file.provider === provider.id && file.id === id);
  if (files.length === 0) return false;
  // Its own commands import a session.
  if (provider.sessionCommands !== undefined)
    await request.clis.ensureInstalled([provider], request.signal).catch(() => undefined);
  const location = { provider, id, directory, environment: environmentOf(provider) };
  const result = await sessions.import(location, files);
  postState.update({ placed: sessions.placed() });
  if (result.status === 'imported') {
    // An attempt that is interrupted before its end continues in this session.
    await sessionCopies.replace({ provider: provider.id, id }, files);
    return true;
  }
  live.log(`The ${provider.title} session \`${id}\` of an earlier run was not restored: ${result.reason}`);
  return false;
}
