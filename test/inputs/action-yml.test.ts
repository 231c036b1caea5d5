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
  it('starts a bundle for `main` and one for `post`, and `post` always runs', () => {
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

  it('has defaults that are text and mean the same as an input that is not set', () => {
    const unset = readInputs((name) => (name === 'workflow' ? 'tdd' : ''));
    const set = readInputs((name) => {
      const value = metadata.inputs[name]?.default ?? '';
      expect(typeof value).toBe('string');
      // The test does not evaluate expressions.
      if (name === 'workflow') return 'tdd';
      return String(value).startsWith('$' + '{{') ? '' : String(value);
    });
    expect(set).toEqual(unset);
  });

  it('requires only the workflow, and describes everything', () => {
    const required = Object.entries(metadata.inputs).filter(([, input]) => input.required);
    expect(required.map(([name]) => name)).toEqual(['workflow']);
    for (const { description } of [...Object.values(metadata.inputs), ...Object.values(metadata.outputs)]) {
      expect(description.length).toBeGreaterThan(10);
    }
  });

  it('declares every output', () => {
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
      'result',
      'results',
      'resume-at',
      'commit',
      'pull-request',
    ]);
  });
});
