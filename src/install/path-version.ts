/** Finds out the version of a program on PATH. */
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ProcessRunner } from '../system/process.js';

/** Reads the version from the manifest of the npm package that contains the program. The program does not start. */
export function packageVersion(program: string, packageName: string): string | undefined {
  let folder = dirname(realpathSync(program));
  while (folder !== dirname(folder)) {
    const manifest = readManifest(join(folder, 'package.json'));
    if (manifest?.name === packageName)
      return typeof manifest.version === 'string' ? manifest.version : undefined;
    folder = dirname(folder);
  }
  return undefined;
}

function readManifest(path: string): { readonly name?: unknown; readonly version?: unknown } | undefined {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as object | null) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Runs the program with `--version`, for programs that npm did not install. `undefined` if it prints no version. */
export async function reportedVersion(
  program: string,
  { processes, directory, env }: VersionQuery,
): Promise<string | undefined> {
  let version: string | undefined;
  const onLine = (line: string, stream: string) => {
    if (stream === 'stdout') version ??= /\d+\.\d+\.\d+(?:-[\w.-]+)?/.exec(line)?.[0];
  };
  const exit = await processes.run({
    file: program,
    args: ['--version'],
    directory,
    env,
    onLine,
    timeoutMs: 60_000,
  });
  return exit.reason === 'exited' && exit.code === 0 ? version : undefined;
}

interface VersionQuery {
  readonly processes: ProcessRunner;
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
}
