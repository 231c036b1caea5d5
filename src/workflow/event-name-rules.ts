/** Problems of template names that stand for the event of the run, in templates and in commands. */
import { type Diagnostic, problem, type Span } from './diagnostic.js';
import type { DiagnosticCode } from './diagnostic-codes.js';
import {
  type EventNamespace,
  eventNames,
  eventNamesInCommand,
  eventNamespaceOf,
  eventVariable,
  isEventName,
} from './event-names.js';
import type { StepOutline } from './outline.js';
import type { CheckOptions, StepRule } from './rule.js';
import { excerpt } from './source-line.js';
import { commandsOf, spanOfName, templatesOf } from './step-templates.js';
import { didYouMean } from './suggest.js';
import { parseTemplate, templateNames } from './template.js';

export interface NameProblem {
  readonly code: DiagnosticCode;
  /** A sentence without its subject, and what to do. */
  readonly text: string;
}

/** `undefined` if the name has a value, or if no event has such a name. */
export function eventNameProblem(
  name: string,
  { eventNamespaces, vars = [] }: Pick<CheckOptions, 'eventNamespaces' | 'vars'>,
): NameProblem | undefined {
  const namespace = eventNamespaceOf(name);
  if (namespace === undefined || vars.includes(name)) return undefined;
  if (!isEventName(name)) return { code: 'unknown-name', text: unknownText(name, namespace) };
  if (eventNamespaces === undefined || eventNamespaces.includes(namespace)) return undefined;
  return { code: 'unavailable-name', text: `is empty: ${missing[namespace]}` };
}

/**
 * A step that resumes a session of an earlier run has one prompt for several kinds of events: first an issue, later
 * comments on its pull request. The names that this event does not have are empty on purpose if it has others of them.
 */
export function isForSeveralEvents(
  step: StepOutline,
  { eventNamespaces = [] }: Pick<CheckOptions, 'eventNamespaces'>,
): boolean {
  if (step.session?.value.mode !== 'previous') return false;
  const used = templatesOf(step).flatMap(({ value }) => templateNames(parseTemplate(value)));
  return used
    .filter(isEventName)
    .map(eventNamespaceOf)
    .some((one) => one !== undefined && one !== 'run' && eventNamespaces.includes(one));
}

function unknownText(name: string, namespace: EventNamespace): string {
  const known = eventNames.filter((one) => eventNamespaceOf(one) === namespace);
  const list = known.map((one) => `\`${one}\``).join(', ');
  return `is not defined and will be empty.${didYouMean(name, known) || ` Use one of: ${list}.`}`;
}

const missing: Readonly<Record<EventNamespace, string>> = {
  pr: 'this run is not about a pull request. Use an event of a pull request, or name one in the input `subject`.',
  issue: 'this run is not about an issue. Use an event of an issue, or name one in the input `subject`.',
  comment: 'the event of this run has no comment. Use an event of a comment or a review.',
  run: 'the run is unknown.',
};

/** Commands get variables. A name in the text of a command would be a part of it, and its value comes from strangers. */
export const commandNamesRule: StepRule = (step, options) =>
  commandsOf(step).flatMap(({ value, at }) => {
    const inBraces = templateNames(parseTemplate(value)).filter(isEventName);
    const replaced = inBraces.map((name) =>
      problem(
        'name-in-command',
        spanOfName(name, at, options.text),
        `\`{${name}}\` is not replaced in commands. Write \`"$${eventVariable(name)}"\`.`,
      ),
    );
    return [...replaced, ...unavailableVariables(value, at, options)];
  });

function unavailableVariables(
  command: string,
  at: Span,
  options: Pick<CheckOptions, 'eventNamespaces'>,
): readonly Diagnostic[] {
  return eventNamesInCommand(command).flatMap((name) => {
    const found = eventNameProblem(name, options);
    return found === undefined
      ? []
      : [problem(found.code, at, `\`$${excerpt(eventVariable(name))}\` ${found.text}`)];
  });
}
