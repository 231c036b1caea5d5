import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { UserErrors } from '../../src/failure.js';
import { chosenWorkflows } from '../../src/resume-runs/chosen-workflows.js';
import { readResumeInputs } from '../../src/resume-runs/resume-inputs.js';
import { hour } from './sample-runs.js';

interface ResumeMetadata {
  readonly runs: object;
  readonly inputs: Readonly<Record<string, { description: string; default?: unknown }>>;
  readonly outputs: Readonly<Record<string, { description: string }>>;
}

const file = join(import.meta.dirname, '../../resume/action.yml');
const metadata: ResumeMetadata = parse(readFileSync(file, 'utf8'));

const read = (inputs: Readonly<Record<string, string>> = {}) =>
  readResumeInputs((name) => ({ 'github-token': 't', ...inputs })[name] ?? '');

function problemsOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof UserErrors) return error.problems;
    throw error;
  }
  return [];
}

describe('resume/action.yml', () => {
  it('starts a file of the same dist, with the same Node', () => {
    expect(metadata.runs).toEqual({ using: 'node24', main: '../dist/resume-runs.js' });
  });

  it('declares exactly the inputs that are read, with the same defaults', () => {
    const names = new Set<string>();
    const unset = readResumeInputs((name) => {
      names.add(name);
      return name === 'github-token' ? 't' : '';
    });
    expect(Object.keys(metadata.inputs).sort()).toEqual([...names].sort());
    const set = readResumeInputs((name) =>
      name === 'github-token' ? 't' : String(metadata.inputs[name]?.default ?? ''),
    );
    expect(set).toEqual(unset);
    expect(metadata.inputs['github-token']?.default).toBe('$' + '{{ github.token }}');
  });

  it('describes everything', () => {
    expect(Object.keys(metadata.outputs)).toEqual(['resumed', 'next']);
    for (const { description } of [...Object.values(metadata.inputs), ...Object.values(metadata.outputs)])
      expect(description.length).toBeGreaterThan(10);
  });
});

describe('docs/resume-action.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/resume-action.md'), 'utf8');
  const cells = [...page.matchAll(/^\| `([a-z-]+)` \| (.*?) \|/gm)].map(([, name = '', value = '']) => [
    name,
    value,
  ]);

  it('has every input with its default, and every output', () => {
    const defaults = Object.entries(metadata.inputs).map(([name, input]) => {
      if (name === 'github-token') return [name, 'the token of the job'];
      return [name, input.default === '' ? 'empty' : `\`${input.default}\``];
    });
    expect(cells).toEqual(expect.arrayContaining(defaults));
    for (const name of Object.keys(metadata.outputs)) expect(page).toContain(`| \`${name}\` | `);
  });
});

describe('the inputs of resume/', () => {
  it('have defaults', () => {
    expect(read()).toEqual({
      workflows: [],
      maxAgeMs: 72 * hour,
      maxAttempts: 10,
      reasons: ['limit', 'time', 'lost'],
      dryRun: false,
      githubToken: 't',
    });
  });

  it('accept their other forms', () => {
    expect(read({ workflows: 'agents.yml, nightly\n\n  Build, test  ' }).workflows).toEqual([
      'agents.yml, nightly',
      'Build, test',
    ]);
    expect(read({ 'max-age': '90m' }).maxAgeMs).toBe(1.5 * hour);
    expect(read({ 'max-age': '7d12h' }).maxAgeMs).toBe(180 * hour);
    expect(read({ 'max-age': '30d' }).maxAgeMs).toBe(720 * hour);
    expect(read({ 'max-attempts': '51' }).maxAttempts).toBe(51);
    expect(read({ reasons: 'lost\nlimit' }).reasons).toEqual(['limit', 'lost']);
    expect(read({ reasons: 'time,time' }).reasons).toEqual(['time']);
    expect(read({ 'dry-run': 'true' }).dryRun).toBe(true);
  });

  it.each([
    ['max-age', '31d'],
    ['max-age', '0d'],
    ['max-age', '3'],
    ['max-age', '12h3d'],
    ['max-attempts', '1'],
    ['max-attempts', '52'],
    ['max-attempts', 'ten'],
    ['reasons', 'limits'],
    ['dry-run', 'yes'],
    ['github-token', ' '],
  ])('%s: "%s" is an error that names it', (name, text) => {
    const problems = problemsOf(() => read({ [name]: text }));
    expect(problems).toEqual([expect.stringContaining(`Input \`${name}\``)]);
  });

  it('have all errors reported together', () => {
    const inputs = {
      'max-age': 'x',
      'max-attempts': '0',
      reasons: 'a, b',
      'dry-run': '1',
      'github-token': '',
    };
    expect(problemsOf(() => read(inputs))).toHaveLength(6);
  });
});

describe('the workflows of the input `workflows`', () => {
  const known = [
    { id: 1, name: 'agents', path: '.github/workflows/agents.yml' },
    { id: 2, name: 'Build, test', path: '.github/workflows/build.yml' },
    { id: 3, name: 'agents', path: '.github/workflows/other.yml' },
  ];

  it('are found by name, file name and path', () => {
    expect(chosenWorkflows(['build.yml'], known)).toEqual([2]);
    expect(chosenWorkflows(['.github/workflows/other.yml'], known)).toEqual([3]);
    expect(chosenWorkflows(['agents'], known)).toEqual([1, 3]);
    expect(chosenWorkflows(['Build, test', 'agents.yml, build.yml'], known)).toEqual([2, 1]);
  });

  it('are all reported if they do not exist', () => {
    const problems = problemsOf(() => chosenWorkflows(['agnets.yml, nightly', 'build.yml'], known));
    expect(problems).toEqual([
      expect.stringContaining('no workflow "agnets.yml". Did you mean `agents.yml`?'),
      expect.stringContaining('no workflow "nightly"'),
    ]);
  });
});
