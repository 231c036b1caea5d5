/** The values of `hitl` and of `parallel`. */
import type { Pause } from './workflow.js';

const pauses = new Map<unknown, Pause | 'never'>([
  [true, 'before-gate'],
  ['true', 'before-gate'],
  ['before_gate', 'before-gate'],
  ['after_gate', 'after-gate'],
  [false, 'never'],
  ['false', 'never'],
]);

/** Whether this is a valid value of `hitl`. */
export function isPauseValue(value: unknown): boolean {
  return pauses.has(value);
}

/** Where the step waits for approval; `undefined` if it does not wait. */
export function readPause(value: unknown): Pause | undefined {
  const pause = pauses.get(value);
  return pause === 'never' ? undefined : pause;
}

const booleanValues = new Map<unknown, boolean>([
  ...[true, 'true', '1', 1].map((value) => [value, true] as const),
  ...[false, 'false', '0', 0].map((value) => [value, false] as const),
]);

/** Whether this is a valid value of `parallel`. */
export function isBooleanValue(value: unknown): boolean {
  return booleanValues.has(value);
}

export function readBoolean(value: unknown): boolean {
  return booleanValues.get(value) ?? false;
}
