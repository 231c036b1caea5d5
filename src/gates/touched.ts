/** The gates `touched` and `untouched`: whether a step changed files that a pattern names. Pure. */
import picomatch from 'picomatch';
import type { FileChange } from '../workspace/workspace.js';

export interface TouchVerdict {
  readonly passed: boolean;
  /** Which files decided, for people and for the agent's next attempt. */
  readonly explanation: string;
}

/** `changes`: what differs from the start of the step to now. */
export function judgeTouch(
  gate: { readonly type: 'touched' | 'untouched'; readonly pattern: string },
  changes: readonly FileChange[],
): TouchVerdict {
  const matches = matcher(gate.pattern);
  const hits = changes.filter((change) => matches(change.path));
  if (gate.type === 'touched') return judgeTouched(gate.pattern, hits, changes);
  return hits.length === 0
    ? { passed: true, explanation: `Nothing that matches \`${gate.pattern}\` was changed.` }
    : {
        passed: false,
        explanation: `This step must not change what matches \`${gate.pattern}\`, but did:\n${list(hits)}`,
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
  const instead = changes.length === 0 ? 'It changed nothing at all.' : `It changed only:\n${list(changes)}`;
  return { passed: false, explanation: `This step changed no file that matches \`${pattern}\`. ${instead}` };
}

/**
 * A pattern without `/` is for the base name, any other for the whole path from the working directory; one
 * that ends in `/` means all that lies in the folder. `*` and `**` take names that begin with a dot too.
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
