/**
 * Starts a script of the action with its compiled form from the run before: compiling `dist/` is a third of what a
 * short job costs. Nothing of it is in the job's environment, which the action hands on in parts.
 */
import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = fileURLToPath(new URL('../../../node_modules/.cache/gump-rig', import.meta.url));

/** A script of the same name, by which `dist/` tells main from post, that does what `script` does. */
export async function withCompileCache(script: string): Promise<string> {
  const place = join(folder, Buffer.from(script).toString('base64url').slice(-100));
  const starter = join(place, basename(script));
  if (existsSync(starter)) return starter;
  await mkdir(place, { recursive: true });
  // Other workers may be at it.
  const own = join(place, `${process.pid}.js`);
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
