/** The gate `files`: whether a step kept to the files that its task names. Pure. */
import picomatch from 'picomatch';
import type { FileChange } from '../workspace/workspace.js';
import type { GateResult } from './gate-result.js';

/** Of every changed file one of the patterns has to speak; without patterns there is nothing to keep to. */
export function judgeFiles(
  patterns: readonly string[],
  mode: 'warn' | 'fail',
  changes: readonly FileChange[],
): GateResult {
  const usablePatterns = patterns.filter((pattern) => normalizePattern(pattern) !== '');
  const isMeant =
    usablePatterns.length === 0
      ? () => true
      : picomatch(usablePatterns.flatMap(globVariants).filter(canBeGlob), { dot: true });
  const stray = changes.map(({ path }) => path).filter((path) => !isMeant(path));
  const base = { name: 'files', type: 'files', durationMs: 0 } as const;
  if (stray.length === 0) return { ...base, status: 'passed', output: '' };
  const output = `The task names ${patterns.join(', ')}, but these were changed too: ${stray.join(', ')}`;
  return { ...base, status: mode === 'fail' ? 'failed' : 'warned', output };
}

/** A pattern without `/` is for the base name too, and one that names a folder for all that lies in it. */
function globVariants(pattern: string): readonly string[] {
  const path = normalizePattern(pattern);
  const inFolder = `${path}/**`;
  return path.includes('/') ? [path, inFolder] : [path, inFolder, `**/${path}`];
}

function normalizePattern(pattern: string): string {
  return pattern.trim().replace(/^\.\//, '').replace(/\/+$/, '');
}

/** No path is longer; the library throws for a text that is longer by far. */
function canBeGlob(text: string): boolean {
  return text.length <= 4096;
}
