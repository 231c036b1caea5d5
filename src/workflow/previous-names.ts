/**
 * The template names of an earlier run on the same subject: `{previous.review.result}`, `{previous.commit}`,
 * `{pr.diff_since_previous}`. Pure.
 */
import { didYouMean } from './suggest.js';

/** Facts of the earlier run itself. */
export const previousRunNames: readonly string[] = ['commit', 'range'];

/** What is known of a step of the earlier run. */
export const previousStepFields: readonly string[] = ['result', 'comments', 'diff'];

/** What changed in the pull request since the earlier run. */
export const diffSincePrevious = 'pr.diff_since_previous';

/** The names that commands get as variables. A result of a step is a name that only a template can have. */
const namesInCommands: Readonly<Record<string, string>> = {
  'previous.commit': 'GUMP_PREVIOUS_COMMIT',
  'previous.range': 'GUMP_PREVIOUS_RANGE',
  [diffSincePrevious]: 'GUMP_PR_DIFF_SINCE_PREVIOUS',
};

/** The variable in which commands get the value; `undefined` if they do not. */
export function previousVariable(name: string): string | undefined {
  return namesInCommands[name];
}

/** The names whose variables the text of a command contains. */
export function previousNamesInCommand(command: string): readonly string[] {
  const words = new Set(command.match(/\bGUMP_P[A-Z_]+\b/g) ?? []);
  return Object.keys(namesInCommands).filter((name) => words.has(namesInCommands[name] ?? ''));
}

export function isPreviousName(name: string): boolean {
  return name.startsWith('previous.') || name === diffSincePrevious;
}

/**
 * Why the name is never defined, as a sentence without its subject. `rest`: what follows `previous.`. `steps`: the names
 * of all steps of the workflow.
 */
export function previousNameProblem(rest: string, steps: ReadonlySet<string>): string | undefined {
  if (previousRunNames.includes(rest)) return undefined;
  const dot = rest.lastIndexOf('.');
  if (dot < 0) {
    const hint =
      didYouMean(rest, previousRunNames) || ' Use `{previous.STEP.result}`, or one of these names.';
    return `The previous run has only ${listed(previousRunNames)}.${hint}`;
  }
  const [path, field] = [rest.slice(0, dot), rest.slice(dot + 1)];
  if (!previousStepFields.includes(field)) {
    const hint = didYouMean(field, previousStepFields);
    return `A step of the previous run has only ${listed(previousStepFields)}.${hint}`;
  }
  // The names of tasks are known only in a run.
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (steps.has(name)) return undefined;
  return `There is no step \`${path}\` in this workflow.${didYouMean(name, steps) || ' Name a step.'}`;
}

function listed(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}
