/** Every example as a run would read it: from its own folder, with all that it calls, and without a word. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLibrary } from '../../src/action/workflow-library.js';
import { providers } from '../../src/providers/registry.js';
import { render } from '../../src/workflow/diagnostic.js';
import { findWorkflow } from '../../src/workflow/library.js';
import { loadWorkflow } from '../../src/workflow/load.js';
import { files, read, top } from './project.js';

const names = readdirSync(join(top, 'examples'));

/** What the workflow files of GitHub ask the action to run. */
function asked(name: string): readonly string[] {
  const jobs = files(`examples/${name}/.github/workflows/*.yml`);
  const found = jobs.flatMap((path) => [...read(path).matchAll(/^ +workflow: (\S+)/gm)]);
  return [...new Set(found.flatMap((match) => match[1] ?? []))];
}

describe('the examples', () => {
  it('are found', () => expect(names.length).toBeGreaterThan(5));

  it.each(names)('%s runs a workflow that is there and has no fault', (name) => {
    expect(asked(name)).toHaveLength(1);
    const folder = join(top, 'examples', name);
    const library = openLibrary(folder, folder);
    const found = findWorkflow(asked(name)[0] ?? '', library);
    if (!('text' in found)) throw new Error(`${name}: ${JSON.stringify(found)}`);
    const known = { providers: providers.map(({ id }) => id), vars: [] };
    const { workflow, files: checked } = loadWorkflow(found, library, known);
    const told = checked.flatMap(({ file, text, diagnostics }) =>
      diagnostics.map((one) => render(one, { file, text })),
    );
    expect(told).toEqual([]);
    expect(workflow).toBeDefined();
  });
});
