/**
 * The state fields that templates read (`<step>.status`, `<step>.gate.test.error`, …), made from the fold.
 * Names and values are the reference's, so that prompts written for it read the same. `diff`, and `output`
 * of a code step, are patches: they are made when a template asks for them (`view.ts`).
 */
import { gateErrorText } from '../gates/error-text.js';
import type { GateResult } from '../gates/gate-result.js';
import type { Attempt, RunState, StepState } from '../journal/state.js';

/** `<step path>.<field>` → value, for every step that has run. */
export function stateFields(state: RunState): ReadonlyMap<string, string> {
  const entries = [...state.steps.values()].flatMap((step) =>
    Object.entries(fieldsOf(step)).map(([field, value]) => [`${step.path}.${field}`, value] as const),
  );
  return new Map(entries);
}

function fieldsOf(step: StepState): Readonly<Record<string, string>> {
  const last = step.attempts.at(-1);
  return last === undefined ? {} : attemptFields(last);
}

/** The fields of one attempt; absent numbers have no field. */
export function attemptFields(attempt: Attempt): Readonly<Record<string, string>> {
  const { usage } = attempt;
  const fields: Record<string, string | undefined> = {
    status: attempt.status === 'passed' ? 'pass' : 'fail',
    agent: attempt.agent,
    session_id: attempt.session?.id,
    attempt: String(attempt.number),
    retries: String(attempt.number - 1),
    duration: text(attempt.durationMs),
    files: attempt.files.join(', '),
    output: outputOf(attempt),
    comments: attempt.comments,
    cost: usage.costUsd === undefined ? undefined : money(usage.costUsd),
    turns: text(usage.turns),
    tokens_in: text(usage.inputTokens),
    tokens_out: text(usage.outputTokens),
    cache_read: text(usage.cacheReadTokens),
    cache_write: text(usage.cacheWriteTokens),
    check_result: attempt.gates.length === 0 ? 'none' : attempt.gates.some(hasFailed) ? 'fail' : 'pass',
    ...Object.assign({}, ...attempt.gates.map(gateFields)),
  };
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** A verdict reads as `true` or `false`, a plan as it was written. */
function outputOf({ output, status }: Attempt): string | undefined {
  return output?.name === 'validate.json' ? String(status === 'passed') : output?.text;
}

function gateFields(gate: GateResult): Readonly<Record<string, string>> {
  const passed = { [`gate.${gate.name}`]: String(!hasFailed(gate)) };
  return hasFailed(gate) ? { ...passed, [`gate.${gate.name}.error`]: gateErrorText(gate) } : passed;
}

function hasFailed(gate: GateResult): boolean {
  return gate.status === 'failed';
}

function text(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

/** Dollars as the reference writes them: cents, or four decimals below one. */
function money(usd: number): string {
  return usd < 0.01 ? usd.toFixed(4) : usd.toFixed(2);
}
