/** Runs a process of an agent with the settings files of the start tree (docs/security.md). */
import type { AttemptRef } from '../journal/event.js';
import type { SetAsideOptions } from '../workspace/workspace.js';
import type { EngineRun } from './engine-run.js';

/** The log names at most this many files. */
const maxNamedFiles = 10;

/**
 * What earlier processes changed in these files is back in the worktree when this resolves. Rejects with a `UserError`
 * if they cannot be set aside.
 */
export async function withStartSettings<T>(
  run: EngineRun,
  ref: AttemptRef,
  options: SetAsideOptions,
  runProcess: () => Promise<T>,
): Promise<T> {
  const { workspace, reporter } = run.ports;
  const { paths, putBack } = await workspace.setAsideSettings(options);
  if (paths.length > 0) reporter.log(setAsideText(ref, paths));
  return runProcess().finally(putBack);
}

function setAsideText({ step }: AttemptRef, paths: readonly string[]): string {
  const more = paths.length > maxNamedFiles ? ` and ${paths.length - maxNamedFiles} more` : '';
  const names = paths.slice(0, maxNamedFiles).map((path) => `\`${path}\``);
  return `The agent of step \`${step}\` runs with these files as they were at the start: ${names.join(', ')}${more}`;
}
