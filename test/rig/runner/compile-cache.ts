/**
 * Starts a script of the action from the compile cache of an earlier run: compiling `dist/` takes a third of the time
 * of a short job. The job's environment does not contain the cache, because the action passes parts of it on.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = fileURLToPath(new URL('../../../node_modules/.cache/gump-rig', import.meta.url));

/**
 * A wrapper of `script` with the same name, from which `dist/` knows whether it is main or post. The wrappers of one
 * folder are in one folder.
 */
export async function withCompileCache(script: string): Promise<string> {
  const place = join(folder, Buffer.from(dirname(script)).toString('base64url').slice(-100));
  const starter = join(place, basename(script));
  if (existsSync(starter)) return starter;
  await mkdir(place, { recursive: true });
  // Other workers, and other stages of this process, may write it at the same time.
  const own = join(place, `${randomUUID()}.js`);
  await writeFile(own, source(script));
  await rename(own, starter);
  return starter;
}

function source(script: string): string {
  const [cache, target] = [join(folder, 'compiled'), pathToFileURL(script).href].map((text) =>
    JSON.stringify(text),
  );
  return `import { enableCompileCache } from 'node:module';\nenableCompileCache(${cache});\nawait import(${target});\n`;
}
