/** Where workflows and prompt files are found by what a workflow calls them. Pure: it asks a library for texts. */
import { type WorkflowPlaces, workflowPlaces } from './file.js';

/** The files that a workflow may name, and the workflows of the package. */
export interface Library {
  /** A file by its path from the working directory, which may begin with `..`. Never throws. */
  read(path: string): FileText;
  /** Name → text: `tdd`, `validators/arch-review`. */
  readonly builtIns: Readonly<Record<string, string>>;
}

export type FileText =
  | { readonly text: string }
  | { readonly missing: true }
  /** Why it cannot be read, as the end of a sentence: `leads out of the repository`. */
  | { readonly fault: string };

export interface FoundWorkflow {
  /** A path from the working directory, or `built-in NAME`. */
  readonly source: string;
  readonly text: string;
  /** The folder of the file, from which prompt files count; a built-in has none. */
  readonly directory?: string;
}

export type Search =
  | FoundWorkflow
  /** Where it was looked for. */
  | { readonly missing: readonly string[] }
  /** A sentence without its subject: `is empty …`. */
  | { readonly fault: string };

/** Looks for a workflow by name or path: a file of the repository goes before a built-in. */
export function findWorkflow(reference: string, library: Library): Search {
  const places = workflowPlaces(reference);
  if ('fault' in places) return places;
  const found = library.read(places.path);
  if ('text' in found) return { source: places.path, text: found.text, directory: folderOf(places.path) };
  if ('fault' in found) return { fault: `\`${places.path}\` ${found.fault}.` };
  return builtIn(places, library);
}

function builtIn({ path, name }: WorkflowPlaces, { builtIns }: Library): Search {
  const text = name !== undefined && Object.hasOwn(builtIns, name) ? builtIns[name] : undefined;
  if (text !== undefined) return { source: `built-in ${name}`, text };
  return { missing: name === undefined ? [path] : [path, 'the built-in workflows'] };
}

/** The text of a prompt file, its path counted from the folder of the workflow; or a whole sentence. */
export function findPrompt(
  path: string,
  directory: string | undefined,
  library: Library,
): { readonly text: string } | { readonly fault: string } {
  const shown = `The prompt file \`${path}\``;
  if (directory === undefined)
    return { fault: `${shown} is named by a built-in workflow, which has no folder.` };
  if (/^[/~]|\\|\p{Cc}/u.test(path))
    return { fault: `${shown} must be a path from the folder of the workflow.` };
  const found = library.read(joined(directory, path));
  if ('text' in found) return found;
  return { fault: 'fault' in found ? `${shown} ${found.fault}.` : `${shown} is not there.` };
}

function folderOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}

/** With `.` and `..` worked off; what is left of `..` stands at the head. */
function joined(directory: string, path: string): string {
  const parts: string[] = [];
  for (const part of `${directory}/${path}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}
