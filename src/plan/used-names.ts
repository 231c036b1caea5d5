/** The names of the event that a run of the plan may need. Pure. */
import { namesIn } from '../step-path.js';
import { eventNamesInCommand, eventNamespaceOf, isEventName } from '../workflow/event-names.js';
import { parseTemplate, templateNames } from '../workflow/template.js';
import type { Step } from '../workflow/workflow.js';
import { callsOf } from './calls.js';
import { allSteps, type Plan } from './plan.js';
import { callTexts, commandsOfStep, ownTexts } from './step-texts.js';

/**
 * In templates, and as variables in commands; `commands`: those that other settings contain. Without names that a step or
 * a variable of the run hides.
 */
export function usedEventNames(plan: Plan, commands: readonly string[] = []): readonly string[] {
  const steps = allSteps(plan);
  const hidden = new Set(steps.map(({ path }) => namesIn(path).at(-1)));
  const inTemplates = steps
    .flatMap(({ step }) => templatesOfStep(step))
    .flatMap((text) => templateNames(parseTemplate(text)))
    .filter((name) => isEventName(name) && !Object.hasOwn(plan.vars, name))
    .filter((name) => !hidden.has(eventNamespaceOf(name)));
  const inCommands = [...commands, ...steps.flatMap(({ step }) => commandsOfStep(step))];
  return [...new Set([...inTemplates, ...inCommands.flatMap(eventNamesInCommand)])];
}

function templatesOfStep(step: Step): readonly string[] {
  const own = step.kind === 'split' ? step.planner : step;
  return [...ownTexts(own), ...callsOf(step).flatMap(({ call }) => callTexts(call))];
}
