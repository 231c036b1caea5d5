/** Which names a step may have. They become parts of paths, of file names and of branch names. */

const longest = 100;
const allowed = /^[\p{L}\p{M}\p{N}_.-]+(?: +[\p{L}\p{M}\p{N}_.-]+)*$/u;

/** What is wrong with the name, as the end of a sentence; `undefined` when nothing is (or it is blank). */
export function stepNameProblem(name: string): string | undefined {
  if (name === '.' || name === '..')
    return 'must be something else than `.` and `..`, which stand for folders';
  if (name.length > longest) return `must be at most ${longest} characters long`;
  if (name.trim() === '' || allowed.test(name)) return undefined;
  return 'must be made of letters, digits, `_`, `-`, `.` and blanks between them';
}

/** Words that begin names of another kind in templates: `{gate.test}`, `{prev.output}`. */
export const reservedStepNames: readonly string[] = ['prev', 'gate', 'task', 'steps', 'item', 'run'];
