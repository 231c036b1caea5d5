/** What must hold between the steps of a workflow: their names, and whose session each goes on with. */
import type { ScopeRule } from './check.js';
import { type Diagnostic, fault } from './diagnostic.js';
import type { StepOutline } from './outline.js';
import { excerpt } from './source-line.js';
import { isGateOnly } from './step-rules.js';
import { didYouMean } from './suggest.js';

export const duplicateNames: ScopeRule = (steps) => {
  const seen = new Set<string>();
  return steps.flatMap(({ name }) => {
    if (name === undefined) return [];
    if (seen.has(name.value)) {
      return [
        fault(
          'duplicate-step',
          name.at,
          `There is a step \`${excerpt(name.value)}\` before this one: give it another name.`,
        ),
      ];
    }
    seen.add(name.value);
    return [];
  });
};

/** S3: a step only sees those of its own scope. */
export const sessionTargets: ScopeRule = (steps, names) => {
  return steps.flatMap((step, index) => {
    if (step.session?.value.mode !== 'from') return [];
    const before = steps.slice(0, index).find(({ name }) => name?.value === targetOf(step));
    const isBeside = steps.some(({ name }) => name?.value === targetOf(step));
    return sessionTarget(step, before, isBeside, names);
  });
};

function targetOf({ session }: StepOutline): string {
  return session?.value.mode === 'from' ? session.value.step : '';
}

function sessionTarget(
  step: StepOutline,
  before: StepOutline | undefined,
  isBeside: boolean,
  all: readonly string[],
): readonly Diagnostic[] {
  const target = targetOf(step);
  const at = step.session?.at ?? step.at;
  const shown = `\`${excerpt(target)}\``;
  if (target === step.name?.value) {
    return [
      fault(
        'session-from-itself',
        at,
        `Step ${shown} cannot go on from its own session; retries keep it anyway.`,
      ),
    ];
  }
  if (!all.includes(target)) {
    return [fault('unknown-step', at, `There is no step ${shown} to go on from.${didYouMean(target, all)}`)];
  }
  const never = 'the session is always new';
  if (!isBeside) {
    const message = `Step ${shown} is not in the same scope (the steps of one task see only each other), so ${never}.`;
    return [fault('session-out-of-scope', at, message)];
  }
  if (before === undefined)
    return [fault('session-out-of-scope', at, `Step ${shown} runs only after this one, so ${never}.`)];
  return isGateOnly(before)
    ? [fault('session-out-of-scope', at, `Step ${shown} only runs gates and has no session, so ${never}.`)]
    : [];
}
