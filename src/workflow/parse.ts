/** Parses one workflow text. Called workflows and prompt files are only read if a library is given. */
import type { Diagnostic } from './diagnostic.js';
import type { WorkflowLibrary } from './find-workflow.js';
import { type LoadOptions, loadWorkflow } from './load.js';
import type { Workflow } from './workflow.js';

export interface ParseOptions extends LoadOptions {
  /** Path of the file, from the working directory. */
  readonly file: string;
  readonly library?: WorkflowLibrary | undefined;
}

export interface ParsedWorkflow {
  /** Present if and only if neither this text nor a called workflow has an error. */
  readonly workflow?: Workflow;
  /** Of this text only, in the order of the file; at most 100, then one that gives the number of the others. */
  readonly diagnostics: readonly Diagnostic[];
}

export function parseWorkflow(text: string, options: ParseOptions): ParsedWorkflow {
  const { file, library, ...rest } = options;
  const directory = file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : '';
  const { workflow, files } = loadWorkflow({ source: file, text, directory }, library, rest);
  const diagnostics = files[0]?.diagnostics ?? [];
  return workflow === undefined ? { diagnostics } : { workflow, diagnostics };
}
