/** The allowed step names. They become parts of paths, file names and branch names. */

const longest = 100;
const allowed = /^[\p{L}\p{M}\p{N}_.-]+(?: +[\p{L}\p{M}\p{N}_.-]+)*$/u;

/** What is wrong with the name, as the end of a sentence; `undefined` if the name is valid or blank. */
export function stepNameProblem(name: string): string | undefined {
  if (name === '.' || name === '..') return 'must not be `.` or `..`, which are names of folders';
  if (name.length > longest) return `must be at most ${longest} characters long`;
  if (name.trim() === '' || allowed.test(name)) return undefined;
  return 'must consist of letters, digits, `_`, `-`, `.` and single spaces between them';
}

/** Words with another meaning at the start of a template name: `{gate.test}`, `{prev.output}`. */
export const reservedStepNames: readonly string[] = ['prev', 'gate', 'task', 'steps', 'item', 'run'];
