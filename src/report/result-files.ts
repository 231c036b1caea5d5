/** The files of the output `results`: one for each step with a result, at the path of the step. Pure. */
import { createFileNames } from './file-names.js';
import type { StepResult } from './result-of-step.js';

export interface ResultFile {
  /** Relative to the folder, with `/`. */
  readonly name: string;
  readonly content: string;
}

/** `results`: path of the step → its result, without secrets. */
export function resultFiles(results: ReadonlyMap<string, StepResult>): readonly ResultFile[] {
  const names = createFileNames();
  // The same names in every job and phase, in whatever order the steps ran.
  const paths = [...results.keys()].sort();
  return paths.flatMap((path) => {
    const result = results.get(path);
    return result === undefined ? [] : [fileFor(path, result, names.nameFor)];
  });
}

function fileFor(
  path: string,
  { text, tasks, ...verdict }: StepResult,
  nameFor: (path: string, ending: string) => string,
): ResultFile {
  if (text !== undefined) return { name: nameFor(path, '.md'), content: withLineEnd(text) };
  return {
    name: nameFor(path, '.json'),
    content: `${JSON.stringify(tasks ?? verdict, null, 2)}\n`,
  };
}

function withLineEnd(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
