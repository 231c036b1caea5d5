/** The gates `touched` and `untouched`: whether a step changed files that match a pattern. Pure. */
import picomatch from 'picomatch';
import type { FileChange } from '../workspace/workspace.js';

export interface TouchVerdict {
  readonly passed: boolean;
  /** The files that led to the result, for people and for the next attempt of the agent. */
  readonly explanation: string;
}

/** `changes`: those since the start of the step. */
export function judgeTouch(
  gate: { readonly type: 'touched' | 'untouched'; readonly pattern: string },
  changes: readonly FileChange[],
): TouchVerdict {
  const matches = matcher(gate.pattern);
  const hits = changes.filter((change) => matches(change.path));
  if (gate.type === 'touched') return judgeTouched(gate.pattern, hits, changes);
  return hits.length === 0
    ? { passed: true, explanation: `This step changed no file that matches \`${gate.pattern}\`.` }
    : {
        passed: false,
        explanation: `This step must not change files that match \`${gate.pattern}\`, but changed:\n${list(hits)}`,
      };
}

function judgeTouched(
  pattern: string,
  hits: readonly FileChange[],
  changes: readonly FileChange[],
): TouchVerdict {
  if (hits.length > 0) {
    return { passed: true, explanation: `Changed files that match \`${pattern}\`:\n${list(hits)}` };
  }
  const instead = changes.length === 0 ? 'It changed nothing.' : `It changed only:\n${list(changes)}`;
  return { passed: false, explanation: `This step changed no file that matches \`${pattern}\`. ${instead}` };
}

/**
 * A pattern without `/` matches base names; any other pattern matches the path from the working directory. A
 * pattern that ends with `/` matches every file in the folder. `*` and `**` also match names that begin with a dot.
 */
function matcher(pattern: string): (path: string) => boolean {
  const glob = pattern.replace(/^(!?)\.\//, '$1').replace(/\/$/, '/**');
  const matches = picomatch(glob, { dot: true });
  if (glob.includes('/')) return (path) => matches(path);
  return (path) => matches(path.slice(path.lastIndexOf('/') + 1));
}

const maxShownFiles = 50;

function list(changes: readonly FileChange[]): string {
  const lines = changes.slice(0, maxShownFiles).map((change) => `- ${change.path} (${change.kind})`);
  const more = changes.length - maxShownFiles;
  return [...lines, ...(more > 0 ? [`- and ${more} more`] : [])].join('\n');
}
