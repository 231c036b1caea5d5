/** Every example as a run would read it: from its own folder, with all that it calls, and without a word. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openWorkflowLibrary } from '../../src/action/workflow-library.js';
import { providers } from '../../src/providers/provider-registry.js';
import { renderDiagnostic } from '../../src/workflow/diagnostic.js';
import { findWorkflow } from '../../src/workflow/find-workflow.js';
import { loadWorkflow } from '../../src/workflow/load.js';
import { listFiles, readText, repositoryRoot } from './project-files.js';

const names = readdirSync(join(repositoryRoot, 'examples'));

/** What the workflow files of GitHub ask the action to run. */
function workflowInputs(name: string): readonly string[] {
  const jobs = listFiles(`examples/${name}/.github/workflows/*.yml`);
  const found = jobs.flatMap((path) => [...readText(path).matchAll(/^ +workflow: (\S+)/gm)]);
  return [...new Set(found.flatMap((match) => match[1] ?? []))];
}

describe('the examples', () => {
  it('are found', () => expect(names.length).toBeGreaterThan(5));

  it.each(names)('%s runs a workflow that is there and has no fault', (name) => {
    expect(workflowInputs(name)).toHaveLength(1);
    const folder = join(repositoryRoot, 'examples', name);
    const library = openWorkflowLibrary(folder, folder);
    const found = findWorkflow(workflowInputs(name)[0] ?? '', library);
    if (!('text' in found)) throw new Error(`${name}: ${JSON.stringify(found)}`);
    const known = { providers: providers.map(({ id }) => id), vars: [] };
    const { workflow, files: checked } = loadWorkflow(found, library, known);
    const reported = checked.flatMap(({ file, text, diagnostics }) =>
      diagnostics.map((one) => renderDiagnostic(one, { file, text })),
    );
    expect(reported).toEqual([]);
    expect(workflow).toBeDefined();
  });
});
