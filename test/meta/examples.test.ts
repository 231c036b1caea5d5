/** Loads every example as a run does, from its own folder and with all called workflows. Expects no diagnostics. */
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

/** The input `workflow` in the GitHub workflow files of an example. */
function workflowInputs(name: string): readonly string[] {
  const jobs = listFiles(`examples/${name}/.github/workflows/*.yml`);
  const found = jobs.flatMap((path) => [...readText(path).matchAll(/^ +workflow: (\S+)/gm)]);
  return [...new Set(found.flatMap((match) => match[1] ?? []))];
}

describe('the examples', () => {
  it('are found', () => expect(names.length).toBeGreaterThan(5));

  it.each(names)('%s runs an existing workflow without problems', (name) => {
    expect(workflowInputs(name)).toHaveLength(1);
    const folder = join(repositoryRoot, 'examples', name);
    const library = openWorkflowLibrary(folder, folder);
    const found = findWorkflow(workflowInputs(name)[0] ?? '', library);
    if (!('text' in found)) throw new Error(`${name}: ${JSON.stringify(found)}`);
    const options = { providers: providers.map(({ id }) => id), vars: [] };
    const { workflow, files: checked } = loadWorkflow(found, library, options);
    const reported = checked.flatMap(({ file, text, diagnostics }) =>
      diagnostics.map((one) => renderDiagnostic(one, { file, text })),
    );
    expect(reported).toEqual([]);
    expect(workflow).toBeDefined();
  });
});
