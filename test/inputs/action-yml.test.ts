import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readInputs } from '../../src/inputs/inputs.js';

interface Metadata {
  readonly runs: Readonly<Record<string, string>>;
  readonly inputs: Readonly<Record<string, { description: string; required: boolean; default?: unknown }>>;
  readonly outputs: Readonly<Record<string, { description: string }>>;
}

const metadata: Metadata = parse(readFileSync(join(import.meta.dirname, '../../action.yml'), 'utf8'));

describe('action.yml', () => {
  it('starts the bundle for both halves by names of their own, and the second in every case', () => {
    expect(metadata.runs).toEqual({
      using: 'node24',
      main: 'dist/index.js',
      post: 'dist/post.js',
      'post-if': 'always()',
    });
  });

  it('declares exactly the inputs that are read', () => {
    const inputNames = new Set<string>();
    readInputs((name) => {
      inputNames.add(name);
      return name === 'workflow' ? 'tdd' : '';
    });
    expect(Object.keys(metadata.inputs).sort()).toEqual([...inputNames].sort());
  });

  it('has defaults that mean the same as leaving the input out, and are texts', () => {
    const left = readInputs((name) => (name === 'workflow' ? 'tdd' : ''));
    const set = readInputs((name) => {
      const value = metadata.inputs[name]?.default ?? '';
      expect(typeof value).toBe('string');
      // What the runner puts in for its own contexts is not known here.
      if (name === 'workflow') return 'tdd';
      return String(value).startsWith('$' + '{{') ? '' : String(value);
    });
    expect(set).toEqual(left);
  });

  it('requires only the workflow, and describes everything', () => {
    const required = Object.entries(metadata.inputs).filter(([, input]) => input.required);
    expect(required.map(([name]) => name)).toEqual(['workflow']);
    for (const { description } of [...Object.values(metadata.inputs), ...Object.values(metadata.outputs)]) {
      expect(description.length).toBeGreaterThan(10);
    }
  });

  it('declares the outputs of the contract, and whether the cost is an estimate', () => {
    expect(Object.keys(metadata.outputs)).toEqual([
      'status',
      'failed-step',
      'resumed',
      'persisted',
      'checkpoint',
      'sessions',
      'cost-usd',
      'cost-is-estimate',
      'tokens',
      'turns',
      'report',
      'patch',
      'tasks',
      'commit',
    ]);
  });
});
