/** What about a run is probably a mistake, as far as workflow and inputs show it. */

import { eventNamespacesOf } from '../event/event-subject.js';
import { allSteps, type Plan } from '../plan/plan.js';
import { eventNameProblem } from '../workflow/event-name-rules.js';
import { isEventName } from '../workflow/event-names.js';
import { usesSpec } from '../workflow/spec-use.js';
import { parseTemplate, templateNames } from '../workflow/template.js';
import type { Workflow } from '../workflow/workflow.js';
import type { ActionContext } from './action-context.js';
import { eventOf } from './event-checks.js';
import { subjectOfRun } from './run-subject.js';

export interface StartAdvice {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export function startAdvice(
  actionContext: Pick<ActionContext, 'inputs' | 'job'>,
  workflow: Workflow,
  plan: Plan,
): StartAdvice {
  const { inputs } = actionContext;
  const pause = pauseWarning(inputs, plan);
  const spec = specText(inputs, workflow, plan);
  const isBuiltIn = workflow.source.startsWith('built-in ');
  // The built-in workflows do nothing without a task. Another workflow may have its own.
  return {
    problems: spec !== undefined && isBuiltIn ? [spec] : [],
    warnings: [
      ...(spec !== undefined && !isBuiltIn ? [spec] : []),
      ...(pause === undefined ? [] : [pause]),
      ...emptyNameWarnings(actionContext),
    ],
  };
}

/** The same warnings for inputs that are templates as for prompts. */
function emptyNameWarnings(actionContext: Pick<ActionContext, 'inputs' | 'job'>): readonly string[] {
  const { vars, commitMessage, prTitle, prBody } = actionContext.inputs;
  const eventNamespaces = eventNamespacesOf(eventOf(actionContext), subjectOfRun(actionContext));
  const templates = { 'commit-message': commitMessage, 'pr-title': prTitle, 'pr-body': prBody };
  return Object.entries(templates).flatMap(([input, text = '']) =>
    templateNames(parseTemplate(text))
      .filter(isEventName)
      .flatMap((name) => {
        const found = eventNameProblem(name, { eventNamespaces, vars: Object.keys(vars) });
        return found === undefined ? [] : [`Input \`${input}\`: \`{${name}}\` ${found.text}`];
      }),
  );
}

function specText(
  { spec: input }: ActionContext['inputs'],
  workflow: Workflow,
  { spec }: Plan,
): string | undefined {
  const isFile = input?.from === 'file';
  // A file that cannot be read has an error of its own.
  if (isFile && spec === undefined) return undefined;
  if ((spec ?? '').trim() !== '' || !usesSpec(workflow)) return undefined;
  const what = `Workflow \`${workflow.name}\`: \`{spec}\` is in a prompt and is empty.`;
  if (isFile)
    return `${what} The file of the input \`spec-file\` has no text. Write the task into it, or name another file.`;
  return `${what} Set the input \`spec\` to the text of the task, or the input \`spec-file\` to a file with it.`;
}

/** Without a name, only this job can continue, and only with an input that approves the step. */
function pauseWarning({ stateName, approve }: ActionContext['inputs'], plan: Plan): string | undefined {
  if (stateName !== undefined || approve !== undefined) return undefined;
  const waiting = allSteps(plan).filter(({ step }) => 'hitl' in step && step.hitl !== undefined);
  const [first] = waiting;
  if (first === undefined) return undefined;
  return `Step \`${first.path}\` waits for approval (\`hitl\`), and neither \`state-name\` nor \`approve\` is set. Set \`state-name\` here and in the job that approves, or set \`approve: \${{ vars.GUMP_APPROVE }}\` in this job and use the variable when the step waits.`;
}
