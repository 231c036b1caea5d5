/** Where a CLI's home folder lies for a given environment. Pure but for the fallback when HOME is not set. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { SessionFiles } from '../providers/provider.js';
import type { Environment } from '../security/secret-names.js';

/**
 * The absolute path of the CLI's home folder: what its variable names (relative to `directory`, where the
 * agent runs), else its folder under HOME.
 */
export function sessionHome(home: SessionFiles['home'], environment: Environment, directory: string): string {
  const moved = home.variable === undefined ? undefined : environment[home.variable];
  if (moved) return resolve(directory, moved);
  return join(environment.HOME || homedir(), home.folder);
}
