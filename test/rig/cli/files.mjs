/** Append-only files of JSON lines, in which the CLIs store their sessions. */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The entries that parse: every CLI continues after an incomplete last line. */
export function readEntries(file) {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8').split('\n').flatMap(parse);
}

function parse(line) {
  try {
    return line.trim() === '' ? [] : [JSON.parse(line)];
  } catch {
    return [];
  }
}

export function append(file, entry) {
  mkdirSync(dirname(file), { recursive: true });
  const isTruncated = existsSync(file) && !/(^|\n)$/.test(readFileSync(file, 'utf8'));
  appendFileSync(file, `${isTruncated ? '\n' : ''}${JSON.stringify(entry)}\n`);
}

/** Files under `directory`, at any depth, with a matching name. */
export function findFiles(directory, fits) {
  if (!existsSync(directory)) return [];
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && fits(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}
