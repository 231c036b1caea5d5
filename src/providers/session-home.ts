/** The path of a CLI's home folder in a given environment. Pure. */
import { join, resolve } from 'node:path';
import type { Environment } from '../system/environment.js';
import type { SessionHome } from './provider.js';

/**
 * The absolute path of the CLI's home folder: the value of its variable (relative to `directory`, where the agent
 * runs), otherwise its folder in HOME. `userHome` replaces HOME if HOME is not set.
 */
export function sessionHome(
  home: SessionHome,
  environment: Environment,
  directory: string,
  userHome: string,
): string {
  const pathIn = (name: string | undefined) => (name === undefined ? undefined : environment[name]);
  const folder = pathIn(home.variable);
  if (folder) return resolve(directory, folder);
  const parent = pathIn(home.parentVariable);
  return join(parent ? resolve(directory, parent) : environment.HOME || userHome, home.folder);
}
