/** Which files are programs. */
import { accessSync, constants, statSync } from 'node:fs';

/** Whether there is a file, or a link to one, that this user may run. */
export function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
