/**
 * The inputs `commit-message`, `pr-title` and `pr-body`: templates as prompts, read at the end of the run, when every
 * step has its result. Pure.
 */
import { stateFields } from '../engine/template-fields.js';
import type { RunState } from '../journal/run-state.js';
import { allSteps, type Plan } from '../plan/plan.js';
import { agentMessage } from '../report/agent-markdown.js';
import { resultsOf, resultText } from '../report/result-of-step.js';
import { pathOf } from '../step-path.js';
import { eventNames, eventNamespaceOf, isEventName } from '../workflow/event-names.js';
import { resolveName, stateKeysOf } from '../workflow/resolve-name.js';
import { didYouMean } from '../workflow/suggest.js';
import { parseTemplate, renderTemplate, templateNames } from '../workflow/template.js';

export interface EndOfRun {
  readonly plan: Pick<Plan, 'spec' | 'vars'>;
  readonly state: RunState;
  /** All changes of the run, as `{diff}`. */
  readonly diff: string;
  /** `<step>.diff` of the steps that a template names. */
  readonly stepDiffs: ReadonlyMap<string, string>;
  /** The values of the names of the event that a template reads. */
  readonly event: ReadonlyMap<string, string>;
  /** Takes the secrets out of a value, before characters are put into it. */
  redact(text: string): string;
}

/** Without secrets. Values of the run cannot mention people or close issues. The text of the template itself can. */
export function renderAtEnd(template: string, end: EndOfRun): string {
  const { plan, state, diff } = end;
  const results = [...resultsOf(state)].map(
    ([path, result]) => [`${path}.result`, resultText(result)] as const,
  );
  const scope = {
    path: '',
    workflowPrefix: '',
    attempt: 1,
    inputs: {},
    spec: plan.spec,
    error: '',
    diff,
    step: {},
    prev: {},
    gates: {},
    getPaths: {},
    vars: plan.vars,
    event: end.event,
    state: new Map([...results, ...end.stepDiffs, ...stateFields(state, () => true)]),
  };
  const read = (name: string) => {
    const value = resolveName(name, scope);
    return value === undefined ? undefined : agentMessage(end.redact(value));
  };
  return renderTemplate(parseTemplate(template), read);
}

/** The steps whose `diff` a template reads. */
export function stepsWithDiff(templates: readonly string[], state: RunState): readonly string[] {
  const keys = templates.flatMap((one) => templateNames(parseTemplate(one))).flatMap(stateKeysOf);
  return [...state.steps.keys()].filter((path) => keys.includes(`${path}.diff`));
}

/** Names that are defined at the end of a run, without those with a dot. */
const endVariables = ['spec', 'diff'];

/** The names of the event that the templates read. */
export function eventNamesIn(templates: readonly string[]): readonly string[] {
  return [...new Set(templates.flatMap((one) => templateNames(parseTemplate(one))))].filter(isEventName);
}

/** Why a template cannot be filled, as sentences. */
export function endTemplateProblems(input: string, template: string, plan: Plan): readonly string[] {
  const names = [...new Set(templateNames(parseTemplate(template)))];
  return names.flatMap((name) => {
    const why = nameProblem(name, plan);
    return why === undefined ? [] : [`Input \`${input}\`: \`{${name}}\` is not defined.${why}`];
  });
}

function nameProblem(name: string, plan: Plan): string | undefined {
  if (isEventName(name)) return undefined;
  const why = name.includes('.') ? stepNameProblem(name, plan) : variableProblem(name, plan);
  if (why === undefined || eventNamespaceOf(name) === undefined) return why;
  return didYouMean(name, eventNames) || why;
}

function variableProblem(name: string, { vars }: Plan): string | undefined {
  const known = [...endVariables, ...Object.keys(vars)];
  if (known.includes(name)) return undefined;
  return didYouMean(name, known) || ' Define it in the input `vars`, or name a result as `{STEP.result}`.';
}

/** A step name may contain dots, so any dot may be the one that ends it. Names of tasks are known only in the run. */
function stepNameProblem(name: string, plan: Plan): string | undefined {
  if (Object.hasOwn(plan.vars, name)) return undefined;
  const paths = new Set(allSteps(plan).map(({ path }) => path));
  const splits = allSteps(plan).filter(({ step }) => step.kind === 'split');
  const starts = stateKeysOf(name).flatMap((key) =>
    [...key.matchAll(/\./g)].map(({ index }) => key.slice(0, index)),
  );
  const isKnown = starts.some(
    (start) => paths.has(start) || splits.some(({ path }) => start.startsWith(pathOf(`${path}/`, ''))),
  );
  if (isKnown) return undefined;
  const namespace = eventNamespaceOf(name);
  if (namespace !== undefined && !paths.has(namespace)) return didYouMean(name, eventNames) || seeEventNames;
  const [step = ''] = name.split('.', 1);
  return didYouMean(step, paths) || ` There is no step \`${step}\`.`;
}

const seeEventNames = ' docs/pull-requests.md lists the names of events.';
