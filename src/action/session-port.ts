/** The engine's view of sessions: the sessions in the home of the runner user, and the copies for the next checkpoint. */
import type { Sessions } from '../engine/engine-ports.js';
import { UserError } from '../failure.js';
import type { Provider } from '../providers/provider.js';
import { type SessionCopies, saveSession } from '../sessions/session-copies.js';
import { type SessionLocation, type SessionStore, sessionRefOf } from '../sessions/session-store.js';
import { isDiskFull } from '../system/disk-reserve.js';

export interface SessionPortOptions {
  readonly store: SessionStore;
  readonly sessionCopies: SessionCopies;
  environmentOf(provider: Provider): Readonly<Record<string, string>>;
  /** Called after a session was exported, so that `post` knows what to remove. */
  onPlaced(): void;
  warn(message: string): void;
}

/** What the agent spent must be recorded, also if its session cannot be copied. */
function skipOnFullDisk(error: unknown) {
  if (!isDiskFull(error)) throw error;
  return { status: 'skipped', reason: error.message } as const;
}

export function createSessionPort(options: SessionPortOptions): Sessions {
  const locationOf = (provider: Provider, id: string, directory: string): SessionLocation => ({
    provider,
    id,
    directory,
    environment: options.environmentOf(provider),
  });
  return {
    async export(provider, id, directory) {
      const location = locationOf(provider, id, directory);
      const exported = await saveSession(options.store, options.sessionCopies, location).catch(
        skipOnFullDisk,
      );
      if (exported.status !== 'exported') {
        const reason = exported.status === 'none' ? 'no session file was found' : exported.reason;
        options.warn(`A re-run cannot resume the ${provider.title} session \`${id}\`: ${reason}.`);
        return undefined;
      }
      options.onPlaced();
      return exported.mark;
    },
    async copyRunning(provider, id, directory, signal) {
      const location = locationOf(provider, id, directory);
      const exported = await options.store.exportRunning(location, signal);
      if (exported.status === 'none') return undefined;
      if (exported.status === 'skipped') throw new UserError(exported.reason);
      options.onPlaced();
      return {
        mark: exported.mark,
        async keep() {
          if (!(await options.store.hasOnlyGrown(location, exported.mark))) return false;
          await options.sessionCopies.saveInterim(sessionRefOf(location), exported);
          return true;
        },
      };
    },
    async isStored(provider, id, directory) {
      return (await options.store.export(locationOf(provider, id, directory))).status !== 'none';
    },
    async readUsage(provider, id, directory) {
      if (provider.sessionFiles.readUsage === undefined) return undefined;
      const usage = await options.store.readUsage(locationOf(provider, id, directory));
      // Without a file, or without numbers in it, the usage in the journal counts.
      return Object.keys(usage).length === 0 ? undefined : usage;
    },
  };
}
