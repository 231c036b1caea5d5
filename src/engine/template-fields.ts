/**
 * The state fields that templates read (`<step>.status`, `<step>.gate.test.error`, …), derived from the run state.
 * Names and values are those of the Gump reference, so that its prompts work unchanged. `diff`, and `output` of a
 * code step, are patches: `template-context.ts` creates them if a template names them.
 */
import { gateErrorText } from '../gates/error-text.js';
import type { GateResult } from '../gates/gate-result.js';
import type { Attempt, RunState, StepState } from '../journal/run-state.js';
import { readVerdict } from '../outputs/verdict-file.js';
import type { Usage } from '../providers/provider.js';
import { addUsage } from '../providers/usage.js';
import { isBelow, isChildOf, isInCall } from '../step-path.js';

/** `<step path>.<field>` → value, for every wanted step that has run. */
export function stateFields(
  state: RunState,
  isWanted: (path: string) => boolean,
): ReadonlyMap<string, string> {
  const steps = [...state.steps.values()];
  const wanted = steps.filter(({ path }) => isWanted(path));
  const entries = wanted.flatMap((step) =>
    Object.entries(fieldsOf(step, steps)).map(([field, value]) => [`${step.path}.${field}`, value] as const),
  );
  return new Map(entries);
}

function fieldsOf(step: StepState, all: readonly StepState[]): Readonly<Record<string, string>> {
  const last = step.attempts.at(-1);
  if (last === undefined) return {};
  // Only steps that contain others and steps that run only gates have attempts without an agent.
  return last.agent === undefined
    ? { ...attemptFields(last), ...innerStepFields(step, all) }
    : attemptFields(last);
}

/** Of a group or a call: the usage of its steps together, and the output of the last one. */
function innerStepFields({ path }: StepState, all: readonly StepState[]): Readonly<Record<string, string>> {
  const below = all.filter((step) => isBelow(step.path, path));
  if (below.length === 0) return {};
  const usage = below
    .flatMap(({ attempts }) => attempts)
    .reduce<Usage>((sum, one) => addUsage(sum, one.usage), {});
  // Workflows that judge the step write comments about it, not its output.
  const own = below.filter((step) => !isInCall(step.path, path));
  const last = own.findLast((step) => isChildOf(step.path, path));
  const { output } = last === undefined ? {} : fieldsOf(last, all);
  const allComments = own.map(({ attempts }) => attempts.at(-1)?.comments);
  const comments = allComments.findLast((one) => one !== undefined);
  return texts({ ...usageFields(usage), output, comments });
}

/** The fields of one attempt. Unknown values have no field. */
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
    ...usageFields(usage),
    check_result: attempt.gates.length === 0 ? 'none' : attempt.gates.some(hasFailed) ? 'fail' : 'pass',
    ...Object.assign({}, ...attempt.gates.map(gateFields)),
  };
  return texts(fields);
}

function usageFields(usage: Usage): Readonly<Record<string, string | undefined>> {
  return {
    cost: usage.costUsd === undefined ? undefined : money(usage.costUsd),
    turns: text(usage.turns),
    tokens_in: text(usage.inputTokens),
    tokens_out: text(usage.outputTokens),
    cache_read: text(usage.cacheReadTokens),
    cache_write: text(usage.cacheWriteTokens),
  };
}

function texts(fields: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** A verdict is `true` or `false`, whatever the result of the gates; a plan is its text. */
function outputOf({ output }: Attempt): string | undefined {
  if (output?.name !== 'validate.json') return output?.text;
  const verdict = readVerdict(output.text);
  return String(typeof verdict === 'object' && verdict.pass);
}

function gateFields(gate: GateResult): Readonly<Record<string, string>> {
  const passed = { [`gate.${gate.name}`]: String(!hasFailed(gate)) };
  const commentsField = gate.comments === undefined ? {} : { [`gate.${gate.name}.comments`]: gate.comments };
  const fields = { ...passed, [`gate.${gate.name}.pass`]: String(!hasFailed(gate)), ...commentsField };
  return hasFailed(gate) ? { ...fields, [`gate.${gate.name}.error`]: gateErrorText(gate) } : fields;
}

function hasFailed(gate: GateResult): boolean {
  return gate.status === 'failed';
}

function text(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

/** Dollars in the format of the Gump reference: two decimals, or four below one cent. */
function money(usd: number): string {
  return usd < 0.01 ? usd.toFixed(4) : usd.toFixed(2);
}
