/** Finds workflows and prompt files by the names that a workflow uses. Reads texts from a library only. */
import { parseWorkflowPath, type WorkflowPath } from './workflow-path.js';

/** The files that a workflow may refer to, and the built-in workflows. */
export interface WorkflowLibrary {
  /** A file by its path from the working directory, which may begin with `..`. Never throws. */
  read(path: string): FileText;
  /** Name → text: `tdd`, `validators/arch-review`. */
  readonly builtIns: Readonly<Record<string, string>>;
}

export type FileText =
  | { readonly text: string }
  | { readonly missing: true }
  /** Why the file cannot be read, as the end of a sentence: `leads out of the repository`. */
  | { readonly problem: string };

export interface WorkflowSource {
  /** A path from the working directory, or `built-in NAME`. */
  readonly source: string;
  readonly text: string;
  /** The folder of the file, to which paths of prompt files are relative. A built-in has none. */
  readonly directory?: string;
}

export type WorkflowSearchResult =
  | WorkflowSource
  /** The places that were searched. */
  | { readonly missing: readonly string[] }
  /** A sentence about the reference: `it is empty. …`. */
  | { readonly problem: string };

/** Finds a workflow by name or path. A file of the repository takes precedence over a built-in. */
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

/** The text of a prompt file, whose path is relative to the folder of the workflow; or the problem as a sentence. */
export function findPromptFile(
  path: string,
  directory: string | undefined,
  library: WorkflowLibrary,
): { readonly text: string } | { readonly problem: string } {
  const subject = `The prompt file \`${path}\``;
  if (directory === undefined)
    return {
      problem: `${subject} belongs to a built-in workflow, which has no folder. Write the prompt as text.`,
    };
  if (/^[/~]|\\|\p{Cc}/u.test(path))
    return { problem: `${subject} must be a path relative to the folder of the workflow.` };
  const found = library.read(joinPaths(directory, path));
  if ('text' in found) return found;
  return {
    problem:
      'problem' in found
        ? `${subject} ${found.problem}.`
        : `${subject} was not found. Check the path, which is relative to the folder of the workflow.`,
  };
}

function directoryOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}

/** Resolves `.` and `..`; any remaining `..` is at the start. */
function joinPaths(directory: string, path: string): string {
  const parts: string[] = [];
  for (const part of `${directory}/${path}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}
