/** Collects what the templates of one attempt can read, and renders them. */

import { type Failure, textForAgent } from '../failure.js';
import { cutMiddle } from '../gates/cut-middle.js';
import { errorText, gateErrorText, maxPromptErrorCharacters } from '../gates/error-text.js';
import type { Attempt, RunState, StepState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import type { Task } from '../outputs/plan-file.js';
import { namespaceOf, roleForGet } from '../plan/calls.js';
import type { PlacedStep } from '../plan/placed-step.js';
import { agentStepOf } from '../plan/plan.js';
import {
  callPath,
  enclosingPrefixes,
  endsInPath,
  isAtOrBelow,
  isBelow,
  isInCall,
  isSameOrNestedBranch,
  ownerOf,
  pathOfPrefix,
} from '../step-path.js';
import { isEventName } from '../workflow/event-names.js';
import { type GateFields, type NameScope, resolveName, stateKeysOf } from '../workflow/resolve-name.js';
import { parseTemplate, renderTemplate, templateNames } from '../workflow/template.js';
import type { Snapshot } from '../workspace/workspace.js';
import { currentSnapshot } from './branch-context.js';
import { readEarlierNames } from './earlier-names.js';
import type { EventReading } from './engine-ports.js';
import type { EngineRun } from './engine-run.js';
import { eventFailure } from './event-obstacle.js';
import type { PreviousFailure } from './prompt.js';
import { readablePatch } from './readable-patch.js';
import { attemptFields, stateFields } from './template-fields.js';

export interface TemplateContext {
  render(template: string): string;
  /** Why the previous attempt failed, or the round that opened the step again; absent if neither failed. */
  readonly failure?: PreviousFailure;
  /** A name of the event could not be read. The attempt must not start. */
  readonly obstacle?: Failure;
}

/** Whether a template reads the error of the previous attempt. */
export function readsFailure(template: string): boolean {
  return templateNames(parseTemplate(template)).some((name) =>
    /^(?:error|diff|prev\..+|gate\..+)$/.test(name),
  );
}

const maxDiffCharacters = 3_000;

/**
 * `texts`: the templates to render; only patches that they name are created. `isReview`: a gate judges the attempt
 * that has just ended, and `{diff}` and `{output}` are those of that attempt.
 */
export async function createTemplateContext(
  run: EngineRun,
  placed: PlacedStep,
  number: number,
  texts: readonly (string | undefined)[],
  isReview = false,
): Promise<TemplateContext> {
  const wanted = texts.flatMap((text) => (text === undefined ? [] : templateNames(parseTemplate(text))));
  const failure = await findPreviousFailure(run, placed.path);
  const { values: previous, obstacle } = await readEarlierNames(run.ports.previous, wanted);
  const own = await buildNameScope(run, placed, number, { wanted, failure, isReview, previous });
  const { values: event, problems } = await readEvent(run, wanted, own);
  const scope = { ...own, event };
  return {
    render: (template) => renderTemplate(parseTemplate(template), (name) => resolveName(name, scope)),
    ...defined({ failure: failure && shortened(run, failure), obstacle: obstacle ?? eventFailure(problems) }),
  };
}

/** Only what the templates name and nothing else defines. */
async function readEvent(
  { ports }: EngineRun,
  wanted: readonly string[],
  scope: NameScope,
): Promise<EventReading> {
  const names = wanted.filter((name) => isEventName(name) && resolveName(name, scope) === undefined);
  if (names.length === 0) return { values: new Map(), problems: new Map() };
  return ports.event.read([...new Set(names)]);
}

function shortened({ errorContext }: EngineRun, failure: PreviousFailure): PreviousFailure {
  return { ...failure, diff: cutMiddle(failure.diff, errorContext?.maxDiffChars ?? maxDiffCharacters) };
}

interface NameScopeInput {
  readonly wanted: readonly string[];
  readonly failure: PreviousFailure | undefined;
  readonly isReview: boolean;
  readonly previous: ReadonlyMap<string, string>;
}

async function buildNameScope(
  run: EngineRun,
  placed: PlacedStep,
  number: number,
  { wanted, failure, isReview, previous }: NameScopeInput,
): Promise<NameScope> {
  const { path, scope } = placed;
  const visible = visibleState(run.state(), scope.branchPrefix);
  const last = visible.steps.get(path)?.attempts.findLast((attempt) => attempt.status === 'failed');
  const owner = isReview ? path : ownerOf(scope.workflowPrefix);
  const gets = getNamespaces(placed, number);
  const isNamed = createNameMatcher(wanted);
  const fields = stateFields(
    visible,
    (one) => one === owner || isNamed(one) || Object.values(gets).some((got) => isAtOrBelow(one, got)),
  );
  const review = owner === undefined ? undefined : await readReviewedWork(run, owner, wanted, fields);
  const { error = '', diff = '' } = (isReview ? undefined : failure) ?? review ?? {};
  return {
    path,
    workflowPrefix: scope.workflowPrefix,
    attempt: number,
    inputs: callInputsOf(visible, scope.workflowPrefix),
    spec: callSpecOf(visible, scope.workflowPrefix) ?? run.plan.spec,
    error,
    diff,
    step: { output: isReview || last === undefined ? review?.output : outputOf(last, diff) },
    prev: last === undefined ? {} : { ...attemptFields(last), output: outputOf(last, diff), diff, error },
    gates: Object.fromEntries((last?.gates ?? []).map((gate) => [gate.name, gateNames(gate)])),
    getPaths: gets,
    ...defined({ task: scope.task && taskFields(scope.task) }),
    vars: run.plan.vars,
    previous,
    // A written output takes precedence over the patch of the step.
    state: new Map([...(await wantedPatchFields(run, visible, wanted)), ...fields]),
  };
}

/** Hides steps in other parallel branches: how far they are differs from run to run. */
function visibleState(state: RunState, branchPrefix: string): RunState {
  const steps = [...state.steps].filter(([, step]) => isSameOrNestedBranch(step.branchPrefix, branchPrefix));
  return steps.length === state.steps.size ? state : { ...state, steps: new Map(steps) };
}

/** The inputs that the workflow of the step got from its caller. */
function callInputsOf(state: RunState, workflowPrefix: string): Readonly<Record<string, string>> {
  return state.steps.get(pathOfPrefix(workflowPrefix))?.attempts.at(-1)?.inputs ?? {};
}

/** The `spec` of the nearest enclosing workflow that got one from its caller. */
function callSpecOf(state: RunState, workflowPrefix: string): string | undefined {
  const specs = enclosingPrefixes(workflowPrefix).map((prefix) => callInputsOf(state, prefix).spec);
  return specs.find((spec) => spec !== undefined);
}

function getNamespaces({ path, step }: PlacedStep, number: number): NameScope['getPaths'] {
  const call = agentStepOf(step)?.get;
  return call === undefined ? {} : { [namespaceOf(call.path)]: callPath(path, roleForGet(call), number) };
}

async function findPreviousFailure(run: EngineRun, path: string): Promise<PreviousFailure | undefined> {
  const step = run.state().steps.get(path);
  if (step === undefined) return undefined;
  const { reopened } = step;
  const since =
    reopened === undefined ? step.attempts : step.attempts.filter((one) => one.order > reopened.order);
  const last = since.findLast((attempt) => attempt.status === 'failed' && !endedBeforeWork(attempt));
  if (last !== undefined) return attemptFailure(run, step, last);
  if (reopened === undefined) return undefined;
  const own = step.attempts.at(-1);
  return own?.status === 'failed' ? attemptFailure(run, step, own) : roundFailure(run, step);
}

/** A limit was used up before the agent started, so the attempt leaves nothing to fix. */
function endedBeforeWork({ failure, usage, changed }: Attempt): boolean {
  return failure?.kind === 'budget' && (usage.turns ?? 0) === 0 && !changed;
}

async function attemptFailure(run: EngineRun, step: StepState, last: Attempt): Promise<PreviousFailure> {
  const diff = await patchOf(run, step, last);
  const message = last.failure === undefined ? '' : textForAgent(last.failure);
  return { number: last.number, message, error: errorOf(run, last), diff };
}

/** Why the containing step opened the step again: a merge conflict of parallel branches, or failed gates. */
async function roundFailure(run: EngineRun, step: StepState): Promise<PreviousFailure | undefined> {
  const by = run.state().steps.get(step.reopened?.by ?? '');
  const last = by?.attempts.findLast((attempt) => attempt.status === 'failed');
  if (by?.conflict !== undefined) {
    const { files, branches } = by.conflict;
    const message = `your changes to ${files.map((file) => `\`${file}\``).join(', ')} conflict with those of \`${branches.earlier}\`. The files now contain the changes of \`${branches.earlier}\`, but not yours. Make your changes again, on top of the current files.`;
    const own = step.attempts.at(-1);
    const diff = own === undefined ? '' : await patchSinceOrigin(run, own);
    return { number: own?.number ?? 1, message, error: '', diff };
  }
  if (by === undefined || last === undefined) return undefined;
  const failure = await attemptFailure(run, by, last);
  return { ...failure, number: step.attempts.at(-1)?.number ?? 1 };
}

/** The patch of an attempt whose step has started over since: compared with the origin of the branch. */
async function patchSinceOrigin(run: EngineRun, { snapshot }: Attempt): Promise<string> {
  return snapshot === undefined ? '' : patchBetween(run, run.origin, snapshot);
}

interface ReviewedWork {
  readonly error: string;
  readonly diff: string;
  readonly output: string;
}

/** A workflow that an attempt calls sees the work of the step that calls it. */
async function readReviewedWork(
  run: EngineRun,
  owner: string,
  wanted: readonly string[],
  fields: ReadonlyMap<string, string>,
): Promise<ReviewedWork | undefined> {
  const step = run.state().steps.get(owner);
  const work = step === undefined ? undefined : workRange(run, step);
  if (step === undefined || work === undefined) return undefined;
  const isWanted = wanted.includes('diff') || wanted.includes('output');
  const diff = isWanted ? await patchBetween(run, work.from, work.to) : '';
  const failed = step.attempts.findLast((attempt) => attempt.status === 'failed');
  return {
    error: failed === undefined ? '' : errorOf(run, failed),
    diff,
    output: fields.get(`${owner}.output`) ?? diff,
  };
}

/** The snapshots before and after its work: of an agent its last attempt, of other steps everything up to now. */
function workRange(run: EngineRun, { path, startSnapshot, attempts }: StepState) {
  if (attempts.at(-1)?.agent === undefined) {
    const hasInnerSteps = [...run.state().steps.keys()].some(
      (one) => isBelow(one, path) && !isInCall(one, path),
    );
    // A step that runs only gates judges all changes of the run.
    return {
      from: hasInnerSteps ? startSnapshot : run.ports.workspace.startSnapshot,
      to: currentSnapshot(run),
    };
  }
  const last = attempts.findLast((attempt) => attempt.snapshot !== undefined);
  return last?.snapshot === undefined ? undefined : { from: startSnapshot, to: last.snapshot };
}

function taskFields({ name, description, files }: Task): Readonly<Record<string, string>> {
  return { name, description, files: files.join(', ') };
}

/** The output file; of a code step its patch. */
function outputOf(attempt: Attempt, diff: string): string {
  return attemptFields(attempt).output ?? diff;
}

/** The output of the failed gates; if no gate failed, why the attempt failed. */
function errorOf({ errorContext }: EngineRun, attempt: Attempt): string {
  const max = errorContext?.maxErrorChars ?? maxPromptErrorCharacters;
  const text = errorText(attempt.gates, max);
  const reason = attempt.failure === undefined ? '' : textForAgent(attempt.failure);
  return text === '' ? cutMiddle(attempt.comments ?? reason, max) : text;
}

function gateNames(gate: Attempt['gates'][number]): GateFields {
  const pass = gate.status !== 'failed';
  const commentsField = defined({ comments: gate.comments });
  return pass ? { pass, ...commentsField } : { pass, ...commentsField, error: gateErrorText(gate) };
}

/** `<step>.diff`, and `<step>.output` of code steps, for the steps that the templates name. */
async function wantedPatchFields(
  run: EngineRun,
  visible: RunState,
  wanted: readonly string[],
): Promise<readonly (readonly [string, string])[]> {
  const isNamed = createNameMatcher(wanted.filter((name) => /\.(?:diff|output)$/.test(name)));
  const steps = [...visible.steps.values()].filter(({ path }) => isNamed(path));
  const made = await Promise.all(steps.map((step) => patchFields(run, step)));
  return made.flat();
}

/** Whether one of the names may belong to the step at a path: `check.gate.lint` belongs to the step `check`. */
function createNameMatcher(wanted: readonly string[]): (path: string) => boolean {
  const ends = new Set(wanted.flatMap(stateKeysOf).flatMap(partsBeforeDots));
  return (path) => [...ends].some((end) => endsInPath(path, end));
}

function partsBeforeDots(key: string): readonly string[] {
  return [...key.matchAll(/\./g)].map(({ index }) => key.slice(0, index));
}

async function patchFields(run: EngineRun, step: StepState): Promise<readonly (readonly [string, string])[]> {
  const last = step.attempts.at(-1);
  if (last === undefined) return [];
  const patch = await patchOf(run, step, last);
  const fields: (readonly [string, string])[] = [[`${step.path}.diff`, patch]];
  if (last.output === undefined) fields.push([`${step.path}.output`, patch]);
  return fields;
}

/** All changes of the step, from its start to the end of that attempt. */
async function patchOf(run: EngineRun, step: StepState, attempt: Attempt): Promise<string> {
  if (attempt.snapshot === undefined) return '';
  return patchBetween(run, step.startSnapshot, attempt.snapshot);
}

async function patchBetween(run: EngineRun, from: Snapshot, to: Snapshot): Promise<string> {
  return readablePatch(await run.ports.workspace.patch(from, to));
}
