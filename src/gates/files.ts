/** The gate `files`: whether a step changed only files that its task names. Pure. */
import picomatch from 'picomatch';
import type { FileChange } from '../workspace/workspace.js';
import type { GateResult } from './gate-result.js';

/** Every changed file must match one of the patterns. Without a usable pattern every file is allowed. */
export function judgeFiles(
  patterns: readonly string[],
  mode: 'warn' | 'fail',
  changes: readonly FileChange[],
): GateResult {
  const usablePatterns = patterns.filter((pattern) => normalizePattern(pattern) !== '');
  const isAllowed =
    usablePatterns.length === 0
      ? () => true
      : picomatch(usablePatterns.flatMap(globVariants).filter(canBeGlob), { dot: true });
  const otherFiles = changes.map(({ path }) => path).filter((path) => !isAllowed(path));
  const base = { name: 'files', type: 'files', durationMs: 0 } as const;
  if (otherFiles.length === 0) return { ...base, status: 'passed', output: '' };
  const output = `The task names ${patterns.join(', ')}, but these files changed too: ${otherFiles.join(', ')}`;
  return { ...base, status: mode === 'fail' ? 'failed' : 'warned', output };
}

/** A pattern without `/` also matches base names. A pattern that names a folder matches every file in it. */
function globVariants(pattern: string): readonly string[] {
  const path = normalizePattern(pattern);
  const inFolder = `${path}/**`;
  return path.includes('/') ? [path, inFolder] : [path, inFolder, `**/${path}`];
}

function normalizePattern(pattern: string): string {
  return pattern.trim().replace(/^\.\//, '').replace(/\/+$/, '');
}

/** No path is longer, and the library throws an error for very long texts. */
function canBeGlob(text: string): boolean {
  return text.length <= 4096;
}
