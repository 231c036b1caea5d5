/** Writes a set of files given as data. */
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Relative path → content; `null` deletes the file; the object form sets the executable bit. */
export type Files = Readonly<Record<string, FileContent>>;

export type FileContent = string | Buffer | null | { readonly content: string; readonly executable: true };

/** Writes `files` under `directory` and creates missing folders. */
export async function writeFiles(directory: string, files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) await writeOne(join(directory, path), content);
}

async function writeOne(path: string, content: FileContent): Promise<void> {
  if (content === null) return rm(path, { recursive: true, force: true });
  await mkdir(dirname(path), { recursive: true });
  if (typeof content === 'string' || Buffer.isBuffer(content)) return writeFile(path, content);
  await writeFile(path, content.content);
  await chmod(path, 0o755);
}
