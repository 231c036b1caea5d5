/** The home directory of the user that runs the action. */
import { userInfo } from 'node:os';
import { UserError } from '../failure.js';
import type { Environment } from './environment.js';

/**
 * HOME, otherwise the directory in the list of users, in which containers often run an id that has no entry
 * (`options: --user 1001`, OpenShift). Throws a `UserError` if there is neither.
 */
export function userHome({ HOME }: Environment): string {
  if (HOME) return HOME;
  try {
    return userInfo().homedir;
  } catch {
    throw new UserError(
      `HOME is not set, and the user with the id ${process.getuid?.()} has no entry in \`/etc/passwd\`. Set HOME in \`env:\` of the job to a directory that this user can write to.`,
    );
  }
}
