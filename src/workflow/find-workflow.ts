/** Where workflows and prompt files are found by what a workflow calls them. Pure: it asks a library for texts. */
import { parseWorkflowPath, type WorkflowPath } from './workflow-path.js';

/** The files that a workflow may name, and the workflows of the package. */
export interface WorkflowLibrary {
  /** A file by its path from the working directory, which may begin with `..`. Never throws. */
  read(path: string): FileText;
  /** Name → text: `tdd`, `validators/arch-review`. */
  readonly builtIns: Readonly<Record<string, string>>;
}

export type FileText =
  | { readonly text: string }
  | { readonly missing: true }
  /** Why it cannot be read, as the end of a sentence: `leads out of the repository`. */
  | { readonly problem: string };

export interface WorkflowSource {
  /** A path from the working directory, or `built-in NAME`. */
  readonly source: string;
  readonly text: string;
  /** The folder of the file, from which prompt files count; a built-in has none. */
  readonly directory?: string;
}

export type WorkflowSearchResult =
  | WorkflowSource
  /** Where it was looked for. */
  | { readonly missing: readonly string[] }
  /** A sentence without its subject: `is empty …`. */
  | { readonly problem: string };

/** Looks for a workflow by name or path: a file of the repository goes before a built-in. */
export function findWorkflow(reference: string, library: WorkflowLibrary): WorkflowSearchResult {
  const path = parseWorkflowPath(reference);
  if ('problem' in path) return path;
  const found = library.read(path.path);
  if ('text' in found) return { source: path.path, text: found.text, directory: directoryOf(path.path) };
  if ('problem' in found) return { problem: `\`${path.path}\` ${found.problem}.` };
  return findBuiltIn(path, library);
}

function findBuiltIn(
  { path, builtInName }: WorkflowPath,
  { builtIns }: WorkflowLibrary,
): WorkflowSearchResult {
  const text =
    builtInName !== undefined && Object.hasOwn(builtIns, builtInName) ? builtIns[builtInName] : undefined;
  if (text !== undefined) return { source: `built-in ${builtInName}`, text };
  return { missing: builtInName === undefined ? [path] : [path, 'the built-in workflows'] };
}

/** The text of a prompt file, its path counted from the folder of the workflow; or a whole sentence. */
export function findPromptFile(
  path: string,
  directory: string | undefined,
  library: WorkflowLibrary,
): { readonly text: string } | { readonly problem: string } {
  const subject = `The prompt file \`${path}\``;
  if (directory === undefined)
    return { problem: `${subject} is named by a built-in workflow, which has no folder.` };
  if (/^[/~]|\\|\p{Cc}/u.test(path))
    return { problem: `${subject} must be a path from the folder of the workflow.` };
  const found = library.read(joinPaths(directory, path));
  if ('text' in found) return found;
  return { problem: 'problem' in found ? `${subject} ${found.problem}.` : `${subject} is not there.` };
}

function directoryOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}

/** With `.` and `..` worked off; what is left of `..` stands at the head. */
function joinPaths(directory: string, path: string): string {
  const parts: string[] = [];
  for (const part of `${directory}/${path}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}
