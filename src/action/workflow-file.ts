/** Reads and checks the workflow that the input names, with everything it calls, and reports all problems. */
import { join, relative } from 'node:path';
import { UserError, UserErrors } from '../failure.js';
import type { Log } from '../report/log.js';
import { type Diagnostic, describeDiagnostic, positionOf, renderDiagnostic } from '../workflow/diagnostic.js';
import type { EventNamespace } from '../workflow/event-names.js';
import { findWorkflow, type WorkflowLibrary, type WorkflowSource } from '../workflow/find-workflow.js';
import { type CheckedFile, loadWorkflow } from '../workflow/load.js';
import { excerpt } from '../workflow/source-line.js';
import type { Workflow } from '../workflow/workflow.js';
import { isGithubWorkflow, missingWorkflowText } from './missing-workflow.js';
import { openWorkflowLibrary } from './workflow-library.js';

export interface WorkflowRequest {
  /** The input `workflow`. */
  readonly name: string;
  /** The working directory. */
  readonly directory: string;
  /** The checkout: annotations name files relative to it. */
  readonly workspace: string;
  readonly providers: readonly string[];
  /** Names of the input `vars`. */
  readonly vars?: readonly string[];
  /** What the event of the run is about. Absent: not checked. */
  readonly eventNamespaces?: readonly EventNamespace[];
  readonly log: Log;
  /** The agent of steps that do not name one. */
  readonly defaultAgent?: string;
}

/** @throws UserErrors if the workflow cannot run, after every problem was reported. */
export function readWorkflow(request: WorkflowRequest): Workflow {
  const { directory, workspace, log, providers, vars, eventNamespaces, defaultAgent } = request;
  const library = openWorkflowLibrary(directory, workspace);
  const found = findRequestedWorkflow(request, library);
  const { workflow, files } = loadWorkflow(found, library, {
    providers,
    vars,
    eventNamespaces,
    defaultAgent,
  });
  const errors = files.flatMap((file) => reportDiagnostics(request, file));
  if (workflow !== undefined) return workflow;
  const count = errors.length === 1 ? '1 error' : `${errors.length} errors`;
  log.info(`${displayPath(request, found.source)}: ${count}, listed above. Nothing ran.`);
  throw new UserErrors([], errors);
}

function findRequestedWorkflow(
  { name, directory, workspace }: WorkflowRequest,
  library: WorkflowLibrary,
): WorkflowSource {
  const found = findWorkflow(name, library);
  if ('text' in found) return requireGumpWorkflow(found);
  if ('problem' in found)
    throw new UserError(`Input \`workflow\` is "${excerpt(name.trim())}": ${found.problem}`);
  const builtIns = Object.keys(library.builtIns);
  throw new UserError(missingWorkflowText({ name, directory, workspace, searched: found.missing, builtIns }));
}

function requireGumpWorkflow(found: WorkflowSource): WorkflowSource {
  if (!isGithubWorkflow(found.text)) return found;
  throw new UserError(
    `Input \`workflow\`: \`${found.source}\` is a GitHub Actions workflow, not a Gump workflow. Give the name or the path of a Gump workflow, for example \`.gump/workflows/flow.yaml\`, or a built-in.`,
  );
}

const isBuiltIn = (source: string): boolean => source.startsWith('built-in ');

/** The path relative to the top of the checkout, as users know it. */
function displayPath({ workspace, directory }: WorkflowRequest, source: string): string {
  return isBuiltIn(source) ? source : relative(workspace, join(directory, source));
}

/** Returns the errors. */
function reportDiagnostics(
  request: WorkflowRequest,
  { file: source, text, diagnostics }: CheckedFile,
): readonly string[] {
  const file = displayPath(request, source);
  for (const diagnostic of diagnostics)
    reportDiagnostic(request.log, diagnostic, { file, text }, isBuiltIn(source));
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  return errors.map((error) => renderDiagnostic(error, { file, text }));
}

/**
 * One annotation with the source line and its caret. The text begins with the place, because the log shows nothing
 * else of an annotation.
 */
function reportDiagnostic(
  log: Log,
  diagnostic: Diagnostic,
  source: { readonly file: string; readonly text: string },
  hasNoFile: boolean,
): void {
  const { line, column } = positionOf(diagnostic, source.text);
  const location = { file: source.file, line, column, title: `gump: ${diagnostic.code}` };
  const message = `${source.file}:${line}:${column}: ${describeDiagnostic(diagnostic, source)}`;
  const kind = diagnostic.severity === 'error' ? 'error' : 'warning';
  log[kind](message, hasNoFile ? undefined : location);
}
