/** The files that a workflow may name, from the disk: whatever lies in the checkout, and nothing else. */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { builtIns } from '../builtin/registry.js';
import type { FileText, Library } from '../workflow/library.js';

// Far more than a prompt needs; a workflow has a limit of its own.
const largest = 2 * 1024 * 1024;

/** `directory`: the working directory, from which paths count; `workspace`: the checkout, which none may leave. */
export function openLibrary(directory: string, workspace: string): Library {
  const roots = [directory, workspace].map(realOf);
  return { builtIns, read: (path) => readText(join(directory, path), roots) };
}

function readText(path: string, roots: readonly string[]): FileText {
  try {
    // Where it really lies: a link may lead anywhere.
    const real = realpathSync(path);
    if (!roots.some((root) => real.startsWith(root.endsWith(sep) ? root : root + sep)))
      return { fault: 'leads out of the repository' };
    const stat = statSync(real);
    if (!stat.isFile()) return stat.isDirectory() ? { missing: true } : { fault: 'is no ordinary file' };
    if (stat.size > largest) return { fault: 'is larger than 2 MB' };
    return { text: decoder.decode(readFileSync(real)) };
  } catch (error) {
    return faultOf(error);
  }
}

// A byte order mark stays, so that places in the text are places in the file.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function faultOf(error: unknown): FileText {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return { missing: true };
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return { fault: 'is not UTF-8 text' };
  return { fault: `cannot be read (${code ?? String(error)})` };
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
