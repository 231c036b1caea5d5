/** What a step depends on, by its definition and the inputs, as hashes that two jobs can compare (S11). Pure. */
import { createHash } from 'node:crypto';
import type { Fingerprint } from '../journal/event.js';
import { parseTemplate, templateNames } from '../workflow/template.js';
import type { Step, WorkflowCall } from '../workflow/workflow.js';
import { callsOf } from './calls.js';
import { callTexts, ownTexts } from './step-texts.js';
import { storedDefinition } from './stored-definition.js';

export interface FingerprintInputs {
  readonly spec?: string;
  readonly vars: Readonly<Record<string, string>>;
}

/** Of the step alone: the steps below it have their own fingerprints. */
export function fingerprintOf(step: Step, inputs: FingerprintInputs): Fingerprint {
  const used = templateNamesIn(step);
  const vars = Object.entries(inputs.vars).filter(([name]) => used.has(name));
  return {
    definition: hash(storedDefinition(step)),
    agent: hash(step.kind === 'split' ? step.planner.agent : step.kind === 'agent' ? step.agent : ''),
    spec: hash(used.has('spec') ? (inputs.spec ?? '') : ''),
    vars: hash(vars.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** Every name in the templates of the step and in those of the workflows that its attempts call. */
function templateNamesIn(step: Step): ReadonlySet<string> {
  const own = step.kind === 'split' ? step.planner : step;
  const called = callsOf(step).flatMap(({ call }) => [...callTexts(call), ...allTexts(call)]);
  return namesOf([...ownTexts(own), ...called]);
}

/** The result of a called workflow depends on every name in its templates. */
function allTexts({ workflow }: WorkflowCall): readonly string[] {
  return workflow.steps.flatMap(textsBelow);
}

function textsBelow(step: Step): readonly string[] {
  const own = step.kind === 'split' ? step.planner : step;
  const inner = step.kind === 'split' ? step.each : step.kind === 'group' ? step.steps : [];
  const calls = [...callsOf(step).map(({ call }) => call), ...(step.kind === 'call' ? [step.call] : [])];
  return [
    ...ownTexts(own),
    ...inner.flatMap(textsBelow),
    ...calls.flatMap((call) => [...callTexts(call), ...allTexts(call)]),
  ];
}

function namesOf(texts: readonly string[]): ReadonlySet<string> {
  return new Set(texts.flatMap((text) => templateNames(parseTemplate(text))));
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}
