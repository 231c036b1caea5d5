/** The checksums of a pinned CLI: which npm command uses them, and whether an installation has them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../failure.js';

interface LockEntry {
  readonly version?: string;
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

type Packages = Readonly<Record<string, LockEntry>>;

/**
 * Whether `npm ci` can install from this lock file on every platform. A registry may lack packages of other platforms
 * when the file is made; then `npm install` must find them, and `requireIntegrity` checks the packages that are known.
 */
export function isComplete(lock: string, name: string): boolean {
  const packages = packagesOf(lock);
  const main = packages[`node_modules/${name}`];
  const names = Object.keys({ ...main?.dependencies, ...main?.optionalDependencies });
  return names.every((one) => Object.keys(packages).some((path) => path.endsWith(`node_modules/${one}`)));
}

/**
 * Compares what npm has downloaded to `folder` with `lock`. npm compares each download with the checksum that the
 * registry names and records it, but the registry may name another one than when the version was tested.
 *
 * @throws UserError if a package has another checksum, or the main package has none.
 */
export function requireIntegrity(folder: string, lock: string, name: string): void {
  const installed = readInstalled(folder);
  const main = `node_modules/${name}`;
  for (const [path, known] of Object.entries(packagesOf(lock))) {
    const found = installed[path];
    const isMissing = found?.integrity === undefined;
    if (known.integrity === undefined || (isMissing && path !== main)) continue;
    if (!isMissing && (found.version !== known.version || found.integrity === known.integrity)) continue;
    throw new UserError(
      `the package \`${path.replace(/^.*node_modules\//, '')}\` does not match the checksum of the tested version, so nothing of it was run. Check the registry.`,
    );
  }
}

function readInstalled(folder: string): Packages {
  try {
    return packagesOf(readFileSync(join(folder, 'node_modules', '.package-lock.json'), 'utf8'));
  } catch {
    return {};
  }
}

function packagesOf(lock: string): Packages {
  return (JSON.parse(lock) as { readonly packages?: Packages }).packages ?? {};
}
