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

/** When the step waits for approval; `undefined` if this is not a value of `hitl`. */
export function readPause(value: unknown): Pause | 'never' | undefined {
  return pauses.get(value);
}

const booleanValues = new Map<unknown, boolean>([
  ...[true, 'true', '1', 1].map((value) => [value, true] as const),
  ...[false, 'false', '0', 0].map((value) => [value, false] as const),
]);

/** `undefined` if this is not a value of `parallel`. */
export function readBoolean(value: unknown): boolean | undefined {
  return booleanValues.get(value);
}
