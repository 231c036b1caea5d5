/**
 * The folder in `tmp` that Gemini CLI uses for a directory (0.61.0, found by reading and running it). In this
 * order: the folder in its list, unless the folder has another owner now; a folder that records the directory as
 * its owner; the simplified name of the directory, with a number if another directory uses it. Reads through
 * `HomeReader` only.
 */
import { asObject, asText, type JsonObject } from './ndjson.js';
import type { HomeReader } from './provider.js';

/** Both contain one folder for each project, and in it a file with the path of its owner. */
const roots = ['tmp', 'history'];

/** The name of the folder. `directory` is absolute, with symbolic links resolved. */
export function geminiProjectFolder(directory: string, home: HomeReader): string {
  const known = readProjectList(home);
  const own = asText(known[directory]);
  if (own !== undefined && isName(own) && ownersOf(own, home).every((owner) => owner === directory))
    return own;
  return findOwnedFolder(directory, home) ?? findFreeFolder(directory, known, home);
}

function readProjectList(home: HomeReader): JsonObject {
  try {
    return asObject(asObject(JSON.parse(home.read('projects.json') ?? '{}'))?.projects) ?? {};
  } catch {
    return {};
  }
}

function findOwnedFolder(directory: string, home: HomeReader): string | undefined {
  for (const root of roots) {
    const name = home
      .list(root)
      .find((folder) => isName(folder) && ownerIn(root, folder, home) === directory);
    if (name !== undefined) return name;
  }
  return undefined;
}

function findFreeFolder(directory: string, known: JsonObject, home: HomeReader): string {
  const plain = slugify(directory.slice(directory.lastIndexOf('/') + 1));
  const taken = new Set(Object.entries(known).flatMap(([path, name]) => (path === directory ? [] : [name])));
  for (let number = 0; ; number++) {
    const name = number === 0 ? plain : `${plain}-${number}`;
    if (!taken.has(name) && ownersOf(name, home).every((owner) => owner === directory)) return name;
  }
}

function ownersOf(name: string, home: HomeReader): readonly string[] {
  return roots.flatMap((root) => ownerIn(root, name, home) ?? []);
}

function ownerIn(root: string, name: string, home: HomeReader): string | undefined {
  return home.read(`${root}/${name}/.project_root`)?.trim();
}

function slugify(name: string): string {
  const plain = name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return plain.replace(/^-|-$/g, '') || 'project';
}

/** Whether a text can be a folder name. It excludes paths that lead out of the folder. */
function isName(text: string): boolean {
  return /^[a-z0-9-]+$/.test(text);
}
