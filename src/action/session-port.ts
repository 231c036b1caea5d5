/** The engine's sessions over the CLIs' home folders and the shelf that checkpoints are packed from. */
import type { Sessions } from '../engine/engine-ports.js';
import type { Provider } from '../providers/provider.js';
import type { HomeSessionLocation, HomeSessions } from '../sessions/home-sessions.js';
import { type SessionCopies, saveCopy } from '../sessions/session-copies.js';

export interface SessionPortOptions {
  readonly store: HomeSessions;
  readonly sessionCopies: SessionCopies;
  environmentOf(provider: Provider): Readonly<Record<string, string>>;
  /** Told after a session was kept: what `post` has to take away has changed. */
  onPlaced(): void;
  warn(message: string): void;
}

export function createSessionPort(options: SessionPortOptions): Sessions {
  const locationOf = (provider: Provider, id: string, directory: string): HomeSessionLocation => ({
    provider,
    id,
    directory,
    environment: options.environmentOf(provider),
  });
  return {
    async export(provider, id, directory) {
      const exported = await options.store.export(locationOf(provider, id, directory));
      if (exported.status !== 'kept') {
        options.warn(
          `A re-run cannot go on in the ${provider.title} session ${id}: ${exported.status === 'none' ? 'no file of it was found' : exported.reason}.`,
        );
        return undefined;
      }
      await saveCopy(options.sessionCopies, provider, id, exported.files);
      options.onPlaced();
      return exported.mark;
    },
    async readUsage(provider, id, directory) {
      if (provider.sessionFiles.readUsage === undefined) return undefined;
      const spent = await options.store.readUsage(locationOf(provider, id, directory));
      // No file, or one that says nothing, is no account: what the journal has booked counts then.
      return Object.keys(spent).length === 0 ? undefined : spent;
    },
  };
}
