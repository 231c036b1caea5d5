/** Loads a built-in workflow as a run does in a repository without workflows. */
import { builtIns } from '../../src/builtin/builtin-workflows.js';
import { providers } from '../../src/providers/provider-registry.js';
import { findWorkflow, type WorkflowLibrary } from '../../src/workflow/find-workflow.js';
import { type LoadedWorkflow, loadWorkflow } from '../../src/workflow/load.js';
import type { Workflow } from '../../src/workflow/workflow.js';

const library: WorkflowLibrary = { builtIns, read: () => ({ missing: true }) };

export function loadBuiltIn(name: string): LoadedWorkflow {
  const found = findWorkflow(name, library);
  if (!('text' in found)) throw new Error(`There is no built-in ${name}.`);
  // A validator gets additional variables from its caller, so they are unknown here.
  const vars = name.includes('/') ? undefined : [];
  return loadWorkflow(found, library, { providers: providers.map(({ id }) => id), vars });
}

export function builtIn(name: string): Workflow {
  const { workflow } = loadBuiltIn(name);
  if (workflow === undefined) throw new Error(`${name} has errors.`);
  return workflow;
}
