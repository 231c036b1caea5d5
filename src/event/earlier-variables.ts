/** Environment variables in which commands get facts of the earlier run on the same subject. */
import { readEarlierNames } from '../engine/earlier-names.js';
import type { PreviousRuns } from '../engine/previous-run.js';
import { previousNamesInCommand, previousVariable } from '../workflow/previous-names.js';
import { type ReadCommandVariables, variableText } from './command-variables.js';

/** `used`: the names that the workflow uses. Each command gets them, and those that it uses itself. */
export function withEarlierVariables(
  readOther: ReadCommandVariables,
  previous: PreviousRuns | undefined,
  used: ReadonlySet<string>,
): ReadCommandVariables {
  if (previous === undefined) return readOther;
  return async (commands) => {
    const other = await readOther(commands);
    const own = commands.flatMap(previousNamesInCommand);
    const names = [...new Set([...used, ...own])].filter((name) => previousVariable(name) !== undefined);
    const { values, obstacle } = await readEarlierNames(previous, names);
    const env = { ...other.env };
    for (const name of names)
      env[previousVariable(name) ?? ''] = variableText(values.get(name.replace(/^previous\./, '')) ?? '');
    const problem = own.length > 0 && obstacle !== undefined ? obstacle.message : other.problem;
    return problem === undefined ? { env } : { env, problem };
  };
}
