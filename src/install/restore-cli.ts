/** Adds a CLI to the tool cache that another machine installed, with the checks of an installation. */
import { join } from 'node:path';
import { UserError } from '../failure.js';
import type { NpmPackage } from '../providers/provider.js';
import { executableAt } from './executable.js';
import { requireIntegrity } from './npm-lock.js';
import { packageVersion } from './path-version.js';
import { fillToolCache } from './tool-cache.js';
import { type ProgramCheck, verifyProgram } from './verify-program.js';

export interface RestoreCliRequest extends ProgramCheck {
  readonly package: NpmPackage;
  readonly version: string;
  /** The checksums of this version (`cli-locks.ts`), if it is the pinned one. */
  readonly lock?: string;
}

/**
 * `unpack` writes the files. Returns the active folder; `undefined` if it was cancelled. Rejects, and leaves nothing
 * behind, if `unpack` does or a check fails.
 */
export function restoreCli(
  request: RestoreCliRequest,
  unpack: (folder: string) => Promise<void>,
): Promise<string | undefined> {
  return fillToolCache(request.cacheEntry, async (folder) => {
    await unpack(folder);
    const program = join(folder, request.cacheEntry.program);
    const version = packageVersion(program, request.package.name);
    if (version !== request.version)
      throw new UserError(`it has version ${version ?? 'unknown'}, not ${request.version}`);
    if (request.lock !== undefined) requireIntegrity(folder, request.lock, request.package.name);
    // A script runs with the action's own Node, on every machine, and Gemini CLI takes two seconds for its version.
    if (executableAt(program).leadingArgs.length > 0) return true;
    return verifyProgram(request, folder);
  });
}
