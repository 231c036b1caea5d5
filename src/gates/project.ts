/** What a gate has to know of the project before it can say which command it runs. Nothing is written. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../system/programs.js';

export interface Project {
  /** Whether there is a file or folder of this path in the working directory. */
  exists(path: string): boolean;
  /** The text of a file of the working directory; absent where it cannot be read. */
  read(path: string): string | undefined;
  /** Whether a program of this name is on the PATH that gates get. */
  hasProgram(name: string): boolean;
}

/** The project that lies in `directory`; `path` is the PATH that its gates get. */
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
