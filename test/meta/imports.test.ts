/**
 * The pure modules use no disk, no network and no process, neither directly nor through their imports. Therefore
 * data is enough to test them, and a provider can only describe its CLI.
 */
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listFiles, readText } from './project-files.js';

const purePatterns = [
  'src/workflow/*.ts',
  'src/builtin/*.ts',
  'src/plan/*.ts',
  'src/journal/*.ts',
  'src/engine/*.ts',
  'src/providers/*.ts',
  'src/report/*.ts',
  'src/failure.ts',
  'src/install/{choose,npm-environment,npm-failure}.ts',
];

/** Impure files in these folders, and the reason. */
const exceptions: Readonly<Record<string, string>> = {
  'src/journal/journal.ts': 'appends the events to their file; run-state.ts folds them',
};

/** Modules of Node that only compute. */
const pureModules = ['node:crypto', 'node:util', 'node:path'];
const purePackages = ['zod', 'yaml', 'picomatch', 'smol-toml', '@pydantic/genai-prices'];

interface ImpureImport {
  readonly module: string;
  /** From the checked file to the file with the import. */
  readonly importChain: readonly string[];
}

/** Imports at run time; type imports do not count. */
function importsOf(file: string): readonly string[] {
  const text = readText(file);
  const fixed = text.matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'|^import '([^']+)'/gm);
  const lazy = text.matchAll(/\bimport\((?:\/\*.*?\*\/ )?'([^']+)'\)/g);
  return [...fixed, ...lazy].flatMap((match) => match[1] ?? match[2] ?? []);
}

function impureImports(
  file: string,
  importChain: readonly string[] = [],
  seen = new Set<string>(),
): readonly ImpureImport[] {
  if (seen.has(file)) return [];
  seen.add(file);
  return importsOf(file).flatMap((module) => {
    if (module.startsWith('.')) {
      const next = join(dirname(file), module).replace(/\.js$/, '.ts');
      return impureImports(next, [...importChain, file], seen);
    }
    const isHarmless = pureModules.includes(module) || purePackages.includes(module);
    return isHarmless ? [] : [{ module, importChain: [...importChain, file] }];
  });
}

describe('pure modules', () => {
  const pureFiles = listFiles(...purePatterns).filter((file) => exceptions[file] === undefined);

  it('are found', () => expect(pureFiles.length).toBeGreaterThan(50));

  it.each(pureFiles)('%s has no impure import', (file) => {
    expect(impureImports(file)).toEqual([]);
  });

  it.each(Object.keys(exceptions))('%s needs its exception', (file) => {
    expect(impureImports(file)).not.toEqual([]);
  });
});
