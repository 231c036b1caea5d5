/** Reads one workflow text. The workflows that it calls, and its prompt files, are read only if a library is given. */
import type { Diagnostic } from '../../src/workflow/diagnostic.js';
import type { WorkflowLibrary } from '../../src/workflow/find-workflow.js';
import { type LoadOptions, loadWorkflow } from '../../src/workflow/load.js';
import type { Workflow } from '../../src/workflow/workflow.js';

export interface ParseOptions extends LoadOptions {
  /** Path of the file, relative to the working directory. */
  readonly file: string;
  readonly library?: WorkflowLibrary | undefined;
}

export interface ParsedWorkflow {
  /** Present if neither this text nor a workflow that it calls has an error. */
  readonly workflow?: Workflow;
  /** Of this text alone, in the order of the file: at most 100, and one more that reports the cut. */
  readonly diagnostics: readonly Diagnostic[];
}

export function parseWorkflow(text: string, options: ParseOptions): ParsedWorkflow {
  const { file, library, ...rest } = options;
  const directory = file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : '';
  const { workflow, files } = loadWorkflow({ source: file, text, directory }, library, rest);
  const diagnostics = files[0]?.diagnostics ?? [];
  return workflow === undefined ? { diagnostics } : { workflow, diagnostics };
}
