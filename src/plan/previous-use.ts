/** What a plan uses of an earlier run on the same subject. Pure. */
import { isPreviousName, previousNamesInCommand } from '../workflow/previous-names.js';
import { parseTemplate, templateNames } from '../workflow/template.js';
import { callsOf } from './calls.js';
import { agentStepOf, allSteps, type Plan } from './plan.js';
import { callTexts, commandsOfStep, ownTexts } from './step-texts.js';

export interface PreviousUse {
  /** The names of the steps whose session of an earlier run is resumed. */
  readonly sessions: ReadonlySet<string>;
  /** The template names of an earlier run, also those that only commands use. */
  readonly names: ReadonlySet<string>;
}

/** Also in the workflows that the plan calls. `undefined` if it uses nothing of an earlier run. */
export function previousUseOf(plan: Plan): PreviousUse | undefined {
  const steps = allSteps(plan).map(({ step }) => step);
  const sessions = steps.flatMap((step) => agentStepOf(step)?.session ?? []);
  const named = sessions.flatMap((session) => (session.mode === 'previous' ? [session.step] : []));
  const texts = steps.flatMap((step) => [
    ...ownTexts(step.kind === 'split' ? step.planner : step),
    ...callsOf(step).flatMap(({ call }) => callTexts(call)),
  ]);
  const inTexts = texts.flatMap((text) => templateNames(parseTemplate(text))).filter(isPreviousName);
  const names = [...inTexts, ...steps.flatMap(commandsOfStep).flatMap(previousNamesInCommand)];
  if (named.length === 0 && names.length === 0) return undefined;
  return { sessions: new Set(named), names: new Set(names) };
}
