/** The engine's sessions over the CLIs' home folders and the shelf that checkpoints are packed from. */
import type { Sessions } from '../engine/ports.js';
import type { Provider } from '../providers/provider.js';
import type { HomePlace, HomeSessions } from '../sessions/home-sessions.js';
import { type SessionShelf, shelve } from '../sessions/session-shelf.js';

export interface SessionsOptions {
  readonly store: HomeSessions;
  readonly shelf: SessionShelf;
  environmentOf(provider: Provider): Readonly<Record<string, string>>;
  /** Told after a session was kept: what `post` has to take away has changed. */
  onPlaced(): void;
  warn(message: string): void;
}

export function createSessions(options: SessionsOptions): Sessions {
  const placeOf = (provider: Provider, id: string, directory: string): HomePlace => ({
    provider,
    id,
    directory,
    environment: options.environmentOf(provider),
  });
  return {
    async keep(provider, id, directory) {
      const kept = await options.store.keep(placeOf(provider, id, directory));
      if (kept.status !== 'kept') {
        options.warn(
          `A re-run cannot go on in the ${provider.title} session ${id}: ${kept.status === 'none' ? 'no file of it was found' : kept.reason}.`,
        );
        return undefined;
      }
      await shelve(options.shelf, provider, id, kept.files);
      options.onPlaced();
      return kept.mark;
    },
    async spent(provider, id, directory) {
      if (provider.sessionFiles.spent === undefined) return undefined;
      const spent = await options.store.spent(placeOf(provider, id, directory));
      // No file, or one that says nothing, is no account: what the journal has booked counts then.
      return Object.keys(spent).length === 0 ? undefined : spent;
    },
  };
}
