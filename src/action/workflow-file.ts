/** Reads and checks the workflow that the input names, with all that it calls, and tells what is wrong with it. */
import { join, relative } from 'node:path';
import { UserError } from '../failure.js';
import type { Log } from '../report/log.js';
import { type Diagnostic, position, render } from '../workflow/diagnostic.js';
import { type FoundWorkflow, findWorkflow, type Library } from '../workflow/library.js';
import { type CheckedFile, loadWorkflow } from '../workflow/load.js';
import { excerpt } from '../workflow/source-line.js';
import { didYouMean } from '../workflow/suggest.js';
import type { Workflow } from '../workflow/workflow.js';
import { openLibrary } from './workflow-library.js';

export interface WorkflowRequest {
  /** The input `workflow`. */
  readonly name: string;
  /** The working directory. */
  readonly directory: string;
  /** The checkout: annotations name files from here. */
  readonly workspace: string;
  readonly providers: readonly string[];
  /** Names of the input `vars`. */
  readonly vars?: readonly string[];
  readonly log: Log;
  /** The agent of steps that name none. */
  readonly defaultAgent?: string;
}

/** Throws `UserError`, after every fault was told, when the workflow cannot run. */
export function readWorkflow(request: WorkflowRequest): Workflow {
  const { directory, workspace, providers, vars, defaultAgent } = request;
  const library = openLibrary(directory, workspace);
  const found = find(request, library);
  const { workflow, files } = loadWorkflow(found, library, { providers, vars, defaultAgent });
  for (const file of files) tellAll(request, file);
  if (workflow !== undefined) return workflow;
  const faults = files.flatMap(({ diagnostics }) => diagnostics);
  const count = faults.filter(({ severity }) => severity === 'error').length;
  const name = shownAs(request, found.source);
  throw new UserError(
    `${name}: ${count === 1 ? 'one error' : `${count} errors`}, told one by one in the log. Nothing was run.`,
  );
}

function find({ name, directory }: WorkflowRequest, library: Library): FoundWorkflow {
  const found = findWorkflow(name, library);
  if ('text' in found) return found;
  if ('fault' in found)
    throw new UserError(`Input \`workflow\` is "${excerpt(name.trim())}": ${found.fault}`);
  const hint = didYouMean(name.trim(), Object.keys(library.builtIns));
  throw new UserError(
    `Input workflow: there is no workflow \`${name}\`.${hint} Looked for: ${found.missing.join(', ')} (in ${directory}). Was the repository checked out before this step?`,
  );
}

const isBuiltIn = (source: string): boolean => source.startsWith('built-in ');

/** As the user knows it: the path from the top of the checkout. */
function shownAs({ workspace, directory }: WorkflowRequest, source: string): string {
  return isBuiltIn(source) ? source : relative(workspace, join(directory, source));
}

function tellAll(request: WorkflowRequest, { file: source, text, diagnostics }: CheckedFile): void {
  const file = shownAs(request, source);
  for (const diagnostic of diagnostics) tell(request.log, diagnostic, { file, text }, isBuiltIn(source));
}

/** Once as an annotation on the file, once in full: annotations lose line breaks in some views. */
function tell(
  log: Log,
  diagnostic: Diagnostic,
  source: { readonly file: string; readonly text: string },
  isNowhere: boolean,
): void {
  const { line, column } = position(diagnostic, source.text);
  const place = isNowhere ? undefined : { file: source.file, line, column };
  const message = `${diagnostic.message} [${diagnostic.code}]`;
  if (diagnostic.severity === 'error') log.error(message, place);
  else log.warning(message, place);
  log.info(render(diagnostic, source));
}
