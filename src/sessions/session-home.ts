/** Where a CLI's home folder lies for a given environment. Pure but for the fallback when HOME is not set. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { SessionHome } from '../providers/provider.js';
import type { Environment } from '../security/secret-names.js';

/**
 * The absolute path of the CLI's home folder: what its variables name (relative to `directory`, where the
 * agent runs), else its folder under HOME.
 */
export function sessionHome(home: SessionHome, environment: Environment, directory: string): string {
  const named = (name: string | undefined) => (name === undefined ? undefined : environment[name]);
  const moved = named(home.variable);
  if (moved) return resolve(directory, moved);
  const parent = named(home.parentVariable);
  return join(parent ? resolve(directory, parent) : environment.HOME || homedir(), home.folder);
}
