/** What a commit message or a pull request says about the run. Pure. */
import { totalCost } from '../journal/ledger.js';
import type { RunState } from '../journal/run-state.js';
import { formatCost } from '../providers/money.js';
import { resultOfStep } from '../report/result-of-step.js';
import { isInCall } from '../step-path.js';

export interface PublishedRun {
  /** Name of the workflow. */
  readonly workflow: string;
  /** Address of the workflow run at GitHub, without the job attempt. */
  readonly runUrl: string;
  /** A hash of the change, from `changeId`. */
  readonly change: string;
  readonly state: RunState;
  /** The issue that the run is for. */
  readonly issue?: { readonly number: number; readonly title?: string };
}

export interface RanStep {
  readonly path: string;
  readonly agent: string;
  /** More than one if it was retried. */
  readonly attempts: number;
  readonly session?: { readonly provider: string; readonly id: string };
}

/** The steps that ran an agent, in the order of their first attempts. */
export function ranSteps({ state }: Pick<PublishedRun, 'state'>): readonly RanStep[] {
  return [...state.steps.values()]
    .filter(({ path }) => !isInCall(path))
    .sort((one, other) => one.order - other.order)
    .flatMap(({ path, attempts }) => {
      const last = attempts.findLast(({ agent, provider }) => agent !== undefined && provider !== undefined);
      if (last?.agent === undefined || last.provider === undefined) return [];
      const id = last.session?.id;
      const session = id === undefined ? {} : { session: { provider: last.provider, id } };
      return [{ path, agent: last.agent, attempts: last.number, ...session }];
    });
}

/** `build (claude-sonnet, 2 attempts)` */
export function stepText({ path, agent, attempts }: RanStep): string {
  return `${path} (${agent}${attempts > 1 ? `, ${attempts} attempts` : ''})`;
}

/** `undefined` if no agent reported a cost. */
export function costText({ state }: Pick<PublishedRun, 'state'>): string | undefined {
  const cost = totalCost(state.ledger);
  return cost.costUsd === undefined ? undefined : formatCost(cost);
}

/** The text of the last step that passed and has one, not redacted. Empty if there is none. */
export function lastResult({ state }: Pick<PublishedRun, 'state'>): string {
  const results = [...state.steps.values()]
    .filter(({ path, status }) => status === 'passed' && !isInCall(path))
    .sort((one, other) => one.order - other.order)
    .map((step) => resultOfStep(step)?.text?.trim() ?? '');
  return results.findLast((text) => text !== '') ?? '';
}
