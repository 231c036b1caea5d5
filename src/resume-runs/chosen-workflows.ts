/** Finds the workflows that the input `workflows` names. Pure. */
import { UserErrors } from '../failure.js';
import { quoted } from '../inputs/quote.js';
import { didYouMean } from '../workflow/suggest.js';
import type { RepositoryWorkflow } from './run-source.js';

/**
 * The ids of the workflows. A line is one name, or several with commas between them; a name may contain a comma itself.
 * Throws `UserErrors` with every name that is unknown.
 */
export function chosenWorkflows(
  lines: readonly string[],
  known: readonly RepositoryWorkflow[],
): readonly number[] {
  const find = (name: string) => known.filter((workflow) => namesOf(workflow).includes(name));
  const names = lines.flatMap((line) => (find(line).length > 0 ? [line] : namesIn(line)));
  const unknown = names.filter((name) => find(name).length === 0);
  if (unknown.length > 0) throw new UserErrors(unknown.map((name) => unknownText(name, known)));
  return [...new Set(names.flatMap((name) => find(name).map(({ id }) => id)))];
}

function namesIn(line: string): readonly string[] {
  return line
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Name, path and file name. */
function namesOf({ name, path }: RepositoryWorkflow): readonly string[] {
  return [name, path, path.split('/').at(-1) ?? path];
}

function unknownText(name: string, known: readonly RepositoryWorkflow[]): string {
  const hint = didYouMean(name, known.flatMap(namesOf));
  return `Input \`workflows\`: this repository has no workflow ${quoted(name)}.${hint} Give the name of a workflow, or its file name, such as \`agents.yml\`.`;
}
