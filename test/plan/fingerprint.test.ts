/**
 * The hashes in stored journals. If a hash changes, a re-run with a newer release pays again for steps that passed.
 * Never regenerate these values: if a test fails here, the code is wrong.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makePlan, type PlannedStep } from '../../src/plan/plan.js';
import { loadWorkflow } from '../../src/workflow/load.js';

const folder = join(import.meta.dirname, '../fixtures/fingerprints');
const golden: Readonly<Record<string, Readonly<Record<string, string>>>> = JSON.parse(
  readFileSync(join(folder, 'golden.json'), 'utf8'),
);

const library = {
  builtIns: {},
  read(path: string) {
    const file = join(folder, path.replace(/^\.gump\/(?:workflows\/)?/, ''));
    return existsSync(file) ? { text: readFileSync(file, 'utf8') } : ({ missing: true } as const);
  },
};

/** The hashes of every step of a plan by path, including steps of called workflows. */
function hashesOf(steps: readonly PlannedStep[], prefix = ''): Readonly<Record<string, string>> {
  return Object.assign(
    {},
    ...steps.map(({ name, fingerprint, inner, calls }) => {
      const { definition, agent, spec, vars } = fingerprint;
      return {
        [`${prefix}${name}`]: [definition, agent, spec, vars].join(' '),
        ...hashesOf(inner, `${prefix}${name}/`),
        ...hashesOf(
          calls.map(({ step }) => step),
          `${prefix}${name}/`,
        ),
      };
    }),
  );
}

function planned(file: string, agent?: string) {
  const text = readFileSync(join(folder, file), 'utf8');
  const { workflow, files } = loadWorkflow({ source: file, text, directory: '' }, library, {
    defaultAgent: 'claude',
  });
  const errors = files.flatMap(({ diagnostics }) =>
    diagnostics.filter(({ severity }) => severity === 'error'),
  );
  expect(errors).toEqual([]);
  if (workflow === undefined) throw new Error(`${file} has errors.`);
  const inputs = { spec: 'Build it.', vars: { colour: 'red', topic: 'tests', unused: 'x' } };
  return hashesOf(makePlan(workflow, agent === undefined ? inputs : { ...inputs, agent }).steps);
}

const roots = [
  'steps.yaml',
  'calls.yaml',
  'each.yaml',
  'permissions.yaml',
  'validators/done.yaml',
  'tdd.yaml',
];

describe('fingerprints', () => {
  it.each(roots)('%s has the hashes that earlier releases stored', (file) => {
    expect(planned(file)).toEqual(golden[file]);
  });

  it.each(roots)('%s has the stored hashes with the input `agent` too', (file) => {
    expect(planned(file, 'codex')).toEqual(golden[`${file} with codex`]);
  });

  it('change with `optional: true` of a context entry only', () => {
    const hashOf = (entry: string) => {
      const text = `name: w\nsteps: [{name: a, type: code, agent: claude, prompt: x, context: [${entry}]}]`;
      const { workflow } = loadWorkflow({ source: 'w.yaml', text, directory: '' }, undefined, {});
      return workflow && hashesOf(makePlan(workflow, { vars: {} }).steps).a;
    };
    expect(hashOf('{bash: x, optional: false}')).toBe(hashOf('{bash: x}'));
    expect(hashOf('{bash: x, optional: true}')).not.toBe(hashOf('{bash: x}'));
  });

  it('do not change with `fallback`, so that results of passed steps are kept', () => {
    const hashesWith = (extra: string) => {
      const text = `name: w\nsteps: [{name: a, type: code, agent: claude, prompt: x${extra}}]`;
      const { workflow } = loadWorkflow({ source: 'w.yaml', text, directory: '' }, undefined, {});
      return workflow && hashesOf(makePlan(workflow, { vars: {}, fallback: 'qwen' }).steps);
    };
    expect(hashesWith('')).toBeDefined();
    expect(hashesWith(', fallback: codex')).toEqual(hashesWith(''));
  });

  it('cover at least 20 steps', () => {
    expect(new Set(Object.values(golden).flatMap(Object.values)).size).toBeGreaterThan(40);
  });
});
