/** Builds what the benchmark measures. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Ends with `/`. */
export const repositoryRoot = fileURLToPath(new URL('..', import.meta.url));

/** The build that is measured. GUMP_BENCH_DIST names the `dist/` of another one, next to its `action.yml`. */
export const measuredDist = resolve(process.env.GUMP_BENCH_DIST || join(repositoryRoot, 'dist'));

/** The folder of its `action.yml`. */
export const measuredAction = dirname(measuredDist);

const source = fileURLToPath(new URL('reference.mjs', import.meta.url));

/** Builds the bundle that contains only `@actions/core` and `@actions/cache`. It is cached until one of them changes. */
export async function buildReference(): Promise<string> {
  const parts = await Promise.all([readFile(source), readFile(`${repositoryRoot}package-lock.json`)]);
  const key = createHash('sha256').update(Buffer.concat(parts)).digest('hex').slice(0, 16);
  const folder = join(repositoryRoot, 'node_modules/.cache/gump-bench', key);
  if (!existsSync(folder)) await bundle(folder);
  return join(folder, 'index.mjs');
}

/** The folder has a temporary name until it is complete. */
async function bundle(folder: string): Promise<void> {
  const unfinished = `${folder}.${process.pid}`;
  await mkdir(unfinished, { recursive: true });
  await runTool('ncc', 'build', source, '-o', unfinished, '-q');
  await rm(folder, { recursive: true, force: true });
  await rename(unfinished, folder);
}

/** Compiles the sources of the measured build to JavaScript. Stripping types at run time would add to the measured memory. */
export async function compileSource(): Promise<string> {
  const folder = join(repositoryRoot, 'build/bench');
  await runTool('tsc', '-p', join(measuredAction, 'tsconfig.json'), '--outDir', folder);
  return folder;
}

async function runTool(name: string, ...args: readonly string[]): Promise<void> {
  const env = { ...process.env, PATH: `${repositoryRoot}node_modules/.bin:${process.env.PATH}` };
  await execute(join(repositoryRoot, 'node_modules/.bin', name), [...args], { cwd: repositoryRoot, env });
}
