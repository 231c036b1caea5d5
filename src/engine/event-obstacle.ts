/** What an attempt lacks if GitHub does not report a name of the event that it needs. */
import type { Failure } from '../failure.js';
import { commandsOfStep } from '../plan/step-texts.js';
import { eventNamesInCommand, eventVariable } from '../workflow/event-names.js';
import type { Step } from '../workflow/workflow.js';
import type { EngineRun } from './engine-run.js';

/**
 * The failure of an attempt, before its agent starts: an agent would work without the text that it is about. A further
 * attempt would most likely fail for the same reason; a re-run may not.
 */
export function eventFailure(problems: ReadonlyMap<string, string>): Failure | undefined {
  const [first] = problems;
  if (first === undefined) return undefined;
  const [name, problem] = first;
  return { kind: 'crash', message: `\`{${name}}\` could not be read. ${problem}`, isFinal: true };
}

/** The same for the commands of the step, which get the names as variables. */
export async function commandObstacle(run: EngineRun, step: Step): Promise<Failure | undefined> {
  const names = commandsOfStep(step).flatMap(eventNamesInCommand);
  if (names.length === 0) return undefined;
  const { problems } = await run.ports.event.read([...new Set(names)]);
  const [first] = problems;
  if (first === undefined) return undefined;
  const message = `\`$${eventVariable(first[0])}\` could not be read. ${first[1]}`;
  return { kind: 'crash', message, isFinal: true };
}
