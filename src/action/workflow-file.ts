/** Reads and checks the workflow that the input names, and tells what is wrong with it. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { UserError } from '../failure.js';
import type { Log } from '../report/log.js';
import { type Diagnostic, position, render } from '../workflow/diagnostic.js';
import { workflowCandidates } from '../workflow/file.js';
import { parseWorkflow } from '../workflow/parse.js';
import type { Workflow } from '../workflow/workflow.js';

export interface WorkflowRequest {
  /** The input `workflow`. */
  readonly name: string;
  /** The working directory. */
  readonly directory: string;
  /** The checkout: annotations name files from here. */
  readonly workspace: string;
  readonly providers: readonly string[];
  readonly log: Log;
  /** The agent of steps that name none. */
  readonly defaultAgent?: string;
}

/** Throws `UserError`, after every fault was told, when the workflow cannot run. */
export function readWorkflow(request: WorkflowRequest): Workflow {
  const path = findFile(request);
  const text = readFileSync(join(request.directory, path), 'utf8');
  const file = relative(request.workspace, join(request.directory, path));
  const { providers, defaultAgent } = request;
  const options = { file, providers, ...(defaultAgent === undefined ? {} : { defaultAgent }) };
  const { workflow, diagnostics } = parseWorkflow(text, options);
  for (const diagnostic of diagnostics) tell(request.log, diagnostic, { file, text });
  if (workflow !== undefined) return workflow;
  const count = diagnostics.filter((diagnostic) => diagnostic.severity === 'error').length;
  throw new UserError(
    `${file}: ${count === 1 ? 'one error' : `${count} errors`}, told one by one in the log. Nothing was run.`,
  );
}

function findFile({ name, directory }: WorkflowRequest): string {
  const candidates = workflowCandidates(name);
  if ('fault' in candidates) throw new UserError(candidates.fault);
  const found = candidates.paths.find((path) => isFile(join(directory, path)));
  if (found !== undefined) return found;
  throw new UserError(
    `Input workflow: there is no workflow \`${name}\`. Looked for: ${candidates.paths.join(', ')} (in ${directory}). Was the repository checked out before this step?`,
  );
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

/** Once as an annotation on the file, once in full: annotations lose line breaks in some views. */
function tell(
  log: Log,
  diagnostic: Diagnostic,
  source: { readonly file: string; readonly text: string },
): void {
  const { line, column } = position(diagnostic, source.text);
  const place = { file: source.file, line, column };
  const message = `${diagnostic.message} [${diagnostic.code}]`;
  if (diagnostic.severity === 'error') log.error(message, place);
  else log.warning(message, place);
  log.info(render(diagnostic, source));
}
