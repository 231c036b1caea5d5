/** What the choice of a gate's command needs to know about the project. Only reads. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../system/programs.js';

export interface Project {
  /** Whether there is a file or folder of this path in the working directory. */
  exists(path: string): boolean;
  /** The text of a file in the working directory; `undefined` if it cannot be read. */
  read(path: string): string | undefined;
  /** Whether a program with this name is on the PATH of gates. */
  hasProgram(name: string): boolean;
}

/** The project in `directory`; `path` is the PATH of its gates. */
export function openProject(directory: string, path: string | undefined): Project {
  return {
    exists: (file) => existsSync(join(directory, file)),
    read: (file) => {
      try {
        return readFileSync(join(directory, file), 'utf8');
      } catch {
        return undefined;
      }
    },
    hasProgram: (name) => findProgram(name, path, directory) !== undefined,
  };
}
