/**
 * The inner parts touch no disk, no network and no process, neither themselves nor through what they import:
 * so they can be tried with data alone, and a provider cannot do more than describe.
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

/** Files in there that do touch the world, and what for. */
const exceptions: Readonly<Record<string, string>> = {
  'src/journal/journal.ts': 'appends the events to their file; what they add up to is state.ts',
};

/** Node's own modules that only compute. */
const pureModules = ['node:crypto', 'node:util', 'node:path'];
const purePackages = ['zod', 'yaml', 'picomatch', 'smol-toml', '@pydantic/genai-prices'];

interface ImpureImport {
  readonly module: string;
  /** From the file that was asked for to the one that imports it. */
  readonly importChain: readonly string[];
}

/** Imports that are there when the program runs; types are not. */
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

describe('the inner parts', () => {
  const inner = listFiles(...purePatterns).filter((file) => exceptions[file] === undefined);

  it('are found', () => expect(inner.length).toBeGreaterThan(50));

  it.each(inner)('%s touches nothing', (file) => {
    expect(impureImports(file)).toEqual([]);
  });

  it.each(Object.keys(exceptions))('%s is an exception that is needed', (file) => {
    expect(impureImports(file)).not.toEqual([]);
  });
});
