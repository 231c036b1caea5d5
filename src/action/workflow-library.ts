/** Reads the files that a workflow may name from disk: files in the checkout, and nothing else. */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { builtIns } from '../builtin/builtin-workflows.js';
import type { FileText, WorkflowLibrary } from '../workflow/find-workflow.js';

// Far more than a prompt needs. Workflows have their own limit.
const maxFileBytes = 2 * 1024 * 1024;

/** `directory`: the working directory, to which paths are relative. `workspace`: the checkout, which no path may leave. */
export function openWorkflowLibrary(directory: string, workspace: string): WorkflowLibrary {
  const roots = [directory, workspace].map(realPathOrSelf);
  return { builtIns, read: (path) => readText(join(directory, path), roots) };
}

function readText(path: string, roots: readonly string[]): FileText {
  try {
    // The real path: a link may lead anywhere.
    const real = realpathSync(path);
    if (!roots.some((root) => real.startsWith(root.endsWith(sep) ? root : root + sep)))
      return { problem: 'leads out of the repository' };
    const stat = statSync(real);
    if (!stat.isFile()) return stat.isDirectory() ? { missing: true } : { problem: 'is not a regular file' };
    if (stat.size > maxFileBytes) return { problem: 'is larger than 2 MB' };
    return { text: decoder.decode(readFileSync(real)) };
  } catch (error) {
    return readProblem(error);
  }
}

// The byte order mark is kept, so that offsets in the text are offsets in the file.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function readProblem(error: unknown): FileText {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return { missing: true };
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return { problem: 'is not UTF-8 text' };
  return { problem: `cannot be read (${code ?? String(error)})` };
}

function realPathOrSelf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
