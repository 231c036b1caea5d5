import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openWorkflowLibrary } from '../../src/action/workflow-library.js';
import { positionOf, renderDiagnostic } from '../../src/workflow/diagnostic.js';
import { findWorkflow, type WorkflowLibrary, type WorkflowSource } from '../../src/workflow/find-workflow.js';
import { type LoadedWorkflow, loadWorkflow } from '../../src/workflow/load.js';
import { fixtures, providers } from './fixtures.js';

const folder = join(fixtures, 'load');

const builtIns = {
  sample: 'name: sample\nsteps:\n  - {name: a, gate: [test]}\n',
  'validators/arch-review':
    'name: arch\nsteps:\n  - {name: judge, type: validate, agent: claude, prompt: "{topic} {diff}"}\n',
};

const root = 'root';

function load(library: WorkflowLibrary, name = root, vars: readonly string[] = ['known']): LoadedWorkflow {
  return loadWorkflow(findWorkflow(name, library) as WorkflowSource, library, { providers, vars });
}

function fromFolder(name: string): WorkflowLibrary {
  const directory = join(folder, name);
  return { ...openWorkflowLibrary(directory, directory), builtIns };
}

function fromTexts(texts: Readonly<Record<string, string>>): WorkflowLibrary {
  const read = (path: string) => {
    const text = Object.hasOwn(texts, path) ? texts[path] : undefined;
    return text === undefined ? ({ missing: true } as const) : { text };
  };
  return { builtIns, read };
}

/** The first line of the root workflow lists the expected problems: `# expect: CODE FILE:LINE:COLUMN, …`. */
function expected(name: string): readonly string[] {
  const text = readFileSync(join(folder, name, '.gump/workflows/root.yaml'), 'utf8');
  const [, list = ''] = /^# expect: (.+)$/m.exec(text) ?? [];
  return list === 'nothing' ? [] : list.split(', ').sort();
}

describe('a workflow of several files', () => {
  it.each(readdirSync(folder).filter((name) => !name.includes('.')))('%s', async (name) => {
    const { workflow, files } = load(fromFolder(name));
    const all = files.flatMap(({ file, text, diagnostics }) =>
      diagnostics.map((one) => ({ one, file, text, ...positionOf(one, text) })),
    );
    const found = all.map(({ one, file, line, column }) => `${one.code} ${file}:${line}:${column}`);
    expect(found.sort()).toEqual(expected(name));
    expect(workflow === undefined).toBe(all.some(({ one }) => one.severity === 'error'));
    const shown = all.map(({ one, file, text }) => renderDiagnostic(one, { file, text })).join('\n');
    await expect(`${shown}\n`).toMatchFileSnapshot(join(folder, `${name}.txt`));
  });

  it('contains the workflows that it calls, and reads each file once', () => {
    const { workflow, files } = load(fromFolder('valid'));
    expect(files.map(({ file }) => file)).toEqual([
      '.gump/workflows/root.yaml',
      'built-in validators/arch-review',
      '.gump/validators/own.yaml',
      '.gump/workflows/team/inner.yaml',
      'lib/inner.yml',
    ]);
    const [shared, tasks, path, again] = workflow?.steps ?? [];
    expect(workflow?.source).toBe('.gump/workflows/root.yaml');
    expect(shared).toMatchObject({
      prompt: 'Build {spec}.\n',
      gates: [
        { name: 'review', call: { path: 'validators/arch-review', workflow: { name: 'arch' } } },
        { name: 'own', call: { workflow: { name: 'own', source: '.gump/validators/own.yaml' } } },
      ],
    });
    expect(tasks).toMatchObject({ call: { inputs: { what: '{shared.diff}' }, workflow: { name: 'inner' } } });
    const called = [path, again].map((step) => (step?.kind === 'call' ? step.call.workflow : undefined));
    expect(called[0]?.name).toBe('by path');
    expect(called[1]).toBe(called[0]);
  });

  it('prefers a file of the repository to a built-in', () => {
    const own = 'name: own sample\nsteps:\n  - {name: a, gate: [test]}\n';
    const text = `name: r\nsteps:\n  - {name: a, workflow: sample}\n`;
    const path = '.gump/workflows/root.yaml';
    const names = [{ [path]: text }, { [path]: text, '.gump/workflows/sample.yaml': own }].map((texts) => {
      const step = load(fromTexts(texts)).workflow?.steps[0];
      return step?.kind === 'call' ? [step.call.workflow.name, step.call.workflow.source] : [];
    });
    expect(names).toEqual([
      ['sample', 'built-in sample'],
      ['own sample', '.gump/workflows/sample.yaml'],
    ]);
  });

  it('may be a built-in, which cannot have prompt files', () => {
    expect(load(fromTexts({}), 'sample').workflow).toMatchObject({ source: 'built-in sample' });
    const library = { read: fromTexts({}).read, builtIns: { bad: withPromptFile } };
    expect(codesOf(load(library, 'bad'))).toEqual(['unreadable-file']);
  });

  it('finds no built-in with the name of an object property', () => {
    for (const name of ['constructor', '__proto__', 'toString'])
      expect(findWorkflow(name, fromTexts({}))).toHaveProperty('missing');
  });
});

const withPromptFile = 'name: a\nsteps:\n  - {name: a, type: code, agent: claude, prompt: {file: p.md}}\n';

function codesOf({ files }: LoadedWorkflow): readonly string[] {
  return files.flatMap(({ diagnostics }) => diagnostics.map(({ code }) => code));
}

describe('hostile files', () => {
  const path = (name: string) => `.gump/workflows/${name}.yaml`;
  const calling = (...names: readonly string[]) =>
    `name: w\nsteps:\n${names.map((name, index) => `  - {name: s${index}, workflow: ${name}}\n`).join('')}`;
  const leaf = 'name: leaf\nsteps:\n  - {name: a, gate: [test]}\n';

  function chain(length: number, times: number): WorkflowLibrary {
    const texts = Array.from({ length }, (_, index) => {
      const next = `w${index + 1}`;
      return [path(index === 0 ? root : `w${index}`), calling(...Array(times).fill(next))] as const;
    });
    return fromTexts({ ...Object.fromEntries(texts), [path(`w${length}`)]: leaf });
  }

  it('may nest calls up to 20 levels', () => {
    expect(codesOf(load(chain(20, 1)))).toEqual([]);
    expect(new Set(codesOf(load(chain(21, 1))))).toEqual(new Set(['too-large']));
  });

  it('may multiply to at most 1000 calls', () => {
    expect(codesOf(load(chain(8, 2)))).toEqual([]);
    expect(codesOf(load(chain(19, 2)))).toContain('too-large');
  });

  it('may have at most 2 MB in total', () => {
    const comment = `# ${'x'.repeat(500_000)}\n`;
    const names = ['a', 'b', 'c', 'd'];
    const texts = Object.fromEntries(names.map((name) => [path(name), comment + leaf]));
    const loaded = load(fromTexts({ ...texts, [path(root)]: calling(...names) }));
    expect(loaded.files).toHaveLength(4);
    expect(codesOf(loaded)).toEqual(['too-large']);
  });

  it('may be at most 100', () => {
    const many = Array.from({ length: 120 }, (_, index) => `w${index}`);
    const texts = Object.fromEntries(many.map((name) => [path(name), leaf]));
    const loaded = load(fromTexts({ ...texts, [path(root)]: calling(...many) }));
    expect(loaded.files).toHaveLength(100);
    expect(new Set(codesOf(loaded))).toEqual(new Set(['too-large']));
  });
});

describe('files on disk', () => {
  function checkout(): { readonly directory: string; readonly library: WorkflowLibrary } {
    const directory = realpathSync(mkdtempSync(join(tmpdir(), 'gump-library-')));
    return { directory, library: openWorkflowLibrary(directory, directory) };
  }

  it('are read only if their real path is in the checkout', () => {
    const { directory, library } = checkout();
    const other = checkout().directory;
    writeFileSync(join(other, 'secret'), 'secret');
    writeFileSync(join(directory, 'file'), 'text');
    symlinkSync(join(other, 'secret'), join(directory, 'out'));
    symlinkSync('file', join(directory, 'in'));
    expect(library.read('out')).toEqual({ problem: 'leads out of the repository' });
    expect(library.read(`../${other.split('/').at(-1)}/secret`)).toEqual({
      problem: 'leads out of the repository',
    });
    expect(library.read('in')).toEqual({ text: 'text' });
  });

  it('may be missing, a folder, too large or binary', () => {
    const { directory, library } = checkout();
    writeFileSync(join(directory, 'binary'), Buffer.from([0xff, 0xfe, 0x00]));
    writeFileSync(join(directory, 'large'), 'x'.repeat(2 * 1024 * 1024 + 1));
    expect(library.read('nothing/here')).toEqual({ missing: true });
    expect(library.read('.')).toHaveProperty('problem');
    expect(library.read('binary')).toEqual({ problem: 'is not UTF-8 text' });
    expect(library.read('large')).toEqual({ problem: 'is larger than 2 MB' });
    expect(library.read('a\0b')).toHaveProperty('problem');
  });

  it('may be outside of the working directory, but within the checkout', () => {
    const { directory } = checkout();
    writeFileSync(join(directory, 'shared.md'), 'shared');
    const inner = join(directory, 'package');
    mkdirSync(inner);
    expect(openWorkflowLibrary(inner, directory).read('../shared.md')).toEqual({ text: 'shared' });
    expect(openWorkflowLibrary(inner, inner).read('../shared.md')).toHaveProperty('problem');
  });
});
