/** Where a CLI's home folder is, for a given environment. Pure. */
import { join, resolve } from 'node:path';
import type { Environment } from '../system/environment.js';
import type { SessionHome } from './provider.js';

/**
 * The absolute path of the CLI's home folder: what its variables name (relative to `directory`, where the
 * agent runs), otherwise its folder under HOME. `userHome` is used if HOME is not set.
 */
export function sessionHome(
  home: SessionHome,
  environment: Environment,
  directory: string,
  userHome: string,
): string {
  const named = (name: string | undefined) => (name === undefined ? undefined : environment[name]);
  const moved = named(home.variable);
  if (moved) return resolve(directory, moved);
  const parent = named(home.parentVariable);
  return join(parent ? resolve(directory, parent) : environment.HOME || userHome, home.folder);
}
