/** What the templates of one attempt can read, and their rendering. */
import { cutMiddle } from '../gates/cut-middle.js';
import { errorText, gateErrorText, promptCharacters } from '../gates/error-text.js';
import type { Attempt, StepState } from '../journal/state.js';
import type { Task } from '../outputs/plan-file.js';
import type { PlacedStep } from '../plan/place.js';
import { type GateNames, type NameScope, resolveName } from '../workflow/resolve-name.js';
import { names, parseTemplate, render } from '../workflow/template.js';
import { attemptFields, stateFields } from './fields.js';
import type { PreviousFailure } from './prompt.js';
import type { Run } from './run.js';

export interface View {
  render(template: string): string;
  /** `{error}` and the beginning and end of `{diff}` of the step's last failed attempt; empty where there is none. */
  readonly failure: Omit<PreviousFailure, 'number'>;
}

/** Whether a template reads what went wrong before. */
export function speaksOfFailure(template: string): boolean {
  return names(parseTemplate(template)).some((name) => /^(?:error|diff|prev\..+|gate\..+)$/.test(name));
}

const diffCharacters = 3_000;

/** `texts`: what is going to be rendered; only the patches that these speak of are made. */
export async function openView(
  run: Run,
  { path, scope: { task } }: PlacedStep,
  number: number,
  texts: readonly (string | undefined)[],
): Promise<View> {
  const wanted = texts.flatMap((text) => (text === undefined ? [] : names(parseTemplate(text))));
  const step = run.state().steps.get(path);
  const last = step?.attempts.findLast((attempt) => attempt.status === 'failed');
  const diff = last === undefined ? '' : await patchOf(run, step, last);
  const { maxErrorChars = promptCharacters, maxDiffChars = diffCharacters } = run.errorContext ?? {};
  const error = last === undefined ? '' : errorOf(last, maxErrorChars);
  const scope: NameScope = {
    path,
    attempt: number,
    spec: run.plan.spec,
    error,
    diff,
    step: { output: last === undefined ? undefined : outputOf(last, diff) },
    prev: last === undefined ? {} : { ...attemptFields(last), output: outputOf(last, diff), diff, error },
    gates: Object.fromEntries((last?.gates ?? []).map((gate) => [gate.name, gateNames(gate)])),
    ...(task === undefined ? {} : { task: taskFields(task) }),
    vars: run.plan.vars,
    state: new Map([...stateFields(run.state()), ...(await patches(run, wanted))]),
  };
  return {
    render: (template) => render(parseTemplate(template), (name) => resolveName(name, scope)),
    failure: { message: last?.failure?.message ?? '', error, diff: cutMiddle(diff, maxDiffChars) },
  };
}

function taskFields({ name, description, files }: Task): Readonly<Record<string, string>> {
  return { name, description, files: files.join(', ') };
}

/** A verdict, or for a code step its patch. */
function outputOf(attempt: Attempt, diff: string): string {
  return attemptFields(attempt).output ?? diff;
}

/** The failed gates' words; where no gate spoke, why the attempt failed. */
function errorOf(attempt: Attempt, max: number): string {
  const text = errorText(attempt.gates, max);
  return text === '' ? cutMiddle(attempt.comments ?? attempt.failure?.message ?? '', max) : text;
}

function gateNames(gate: Attempt['gates'][number]): GateNames {
  const pass = gate.status !== 'failed';
  return pass ? { pass } : { pass, error: gateErrorText(gate) };
}

/** `<step>.diff`, and `<step>.output` of code steps, for the steps that the templates name. */
async function patches(run: Run, wanted: readonly string[]): Promise<readonly (readonly [string, string])[]> {
  const named = wanted.flatMap((name) => /^(.+)\.(?:diff|output)$/.exec(name)?.[1] ?? []);
  const steps = [...run.state().steps.values()].filter((step) => named.some((name) => isNamed(step, name)));
  const made = await Promise.all(steps.map((step) => patchFields(run, step)));
  return made.flat();
}

function isNamed(step: StepState, name: string): boolean {
  return step.path === name || step.path.endsWith(`/${name}`);
}

async function patchFields(run: Run, step: StepState): Promise<readonly (readonly [string, string])[]> {
  const last = step.attempts.at(-1);
  if (last === undefined) return [];
  const patch = await patchOf(run, step, last);
  const fields: (readonly [string, string])[] = [[`${step.path}.diff`, patch]];
  if (last.output === undefined) fields.push([`${step.path}.output`, patch]);
  return fields;
}

/** What the step had changed, from its start, by the end of that attempt (contract 5.5). */
async function patchOf(run: Run, step: StepState | undefined, attempt: Attempt): Promise<string> {
  if (step === undefined || attempt.snapshot === undefined) return '';
  return run.ports.workspace.patch(step.from, attempt.snapshot);
}
