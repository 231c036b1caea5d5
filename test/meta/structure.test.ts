/** Files import in one direction: no cycles between files, and no import from a lower folder to a higher one. */
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listFiles, readText } from './project-files.js';

/** Folders and files of `src`, the lowest first. Each may import itself and the entries above it in this list. */
const layers = [
  'optional-keys.ts',
  'failure.ts',
  'step-path.ts',
  'system',
  'github',
  'artifacts',
  'providers',
  'workflow',
  'builtin',
  'outputs',
  'workspace',
  'security',
  'gates',
  'journal',
  'plan',
  'install',
  'sessions',
  'engine',
  'event',
  'checkpoint',
  'cli-cache',
  'report',
  'previous',
  'publish',
  'inputs',
  'job.ts',
  'resume-runs',
  'action',
  'local',
  'start.ts',
  'entry.ts',
  'index.ts',
  'post.ts',
  'resume-runs.ts',
  'cli.ts',
];

const sources = listFiles('src/*.ts');

/** Imports of a file from `src`, including types, because readers follow those too. */
function importsOf(file: string): readonly string[] {
  const found = readText(file).matchAll(/\b(?:from|import) ?\(?(?:\/\*.*?\*\/ )?'(\.[^']+)'/g);
  return [...found]
    .map(([, path = '']) => join(dirname(file), path).replace(/\.js$/, '.ts'))
    .filter((path) => path.startsWith('src/'));
}

const graph = new Map(sources.map((file) => [file, importsOf(file)]));

/** The import path from a file back to itself; `undefined` if the file is in no cycle. */
function cycleThrough(start: string): readonly string[] | undefined {
  const open: (readonly string[])[] = [[start]];
  const seen = new Set<string>();
  for (const path of open) {
    for (const next of graph.get(path.at(-1) ?? '') ?? []) {
      if (next === start) return [...path, start];
      if (!seen.has(next)) open.push([...path, next]);
      seen.add(next);
    }
  }
  return undefined;
}

const layerOf = (file: string) => layers.indexOf(file.split('/')[1] ?? '');

function repeated(names: readonly string[]): readonly string[] {
  return names.filter((name, index) => names.indexOf(name) !== index);
}

describe('the structure of src', () => {
  it('is read completely', () => {
    expect(sources.length).toBeGreaterThan(200);
    expect([...graph.values()].flat().length).toBeGreaterThan(600);
    for (const file of [...graph.values()].flat()) expect(sources).toContain(file);
  });

  it('has no cycle between files', () => {
    const cycles = sources.flatMap((file) => cycleThrough(file)?.join(' → ') ?? []);
    expect(cycles).toEqual([]);
  });

  it('has each folder in the list of layers', () => {
    expect(sources.filter((file) => layerOf(file) < 0)).toEqual([]);
    expect(layers.filter((layer) => !sources.some((file) => file.split('/')[1] === layer))).toEqual([]);
  });

  it('gives each file and each type a name of its own', () => {
    const names = sources.map((file) => basename(file));
    expect(repeated(names)).toEqual([]);
    const types = sources.flatMap((file) => [
      ...readText(file).matchAll(/^(?:export )?(?:abstract )?(?:type|interface|class) (\w+)/gm),
    ]);
    expect(types.length).toBeGreaterThan(300);
    expect(repeated(types.map(([, name = '']) => name))).toEqual([]);
  });

  it('has no import from a lower folder to a higher one', () => {
    const up = [...graph].flatMap(([file, imports]) =>
      imports.filter((one) => layerOf(one) > layerOf(file)).map((one) => `${file} → ${one}`),
    );
    expect(up).toEqual([]);
  });
});

it('asks the list of users in one file only, because containers run users that are not in it', () => {
  const files = listFiles('src/**/*.ts', 'src/*.ts').filter((file) =>
    /\b(?:userInfo|homedir)\b\(/.test(readText(file)),
  );
  expect(files).toEqual(['src/system/user-home.ts']);
});
