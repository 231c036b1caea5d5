/** Judges an attempt by its gates, after its agent has ended. */

import { type Failure, textForAgent, withCause } from '../failure.js';
import { judgeFiles } from '../gates/files.js';
import type { GateResult } from '../gates/gate-result.js';
import type { AttemptEnded, AttemptRef } from '../journal/event.js';
import { defined } from '../optional-keys.js';
import { roleForGate } from '../plan/calls.js';
import type { PlacedStep } from '../plan/placed-step.js';
import { branchName } from '../step-path.js';
import type { Gate } from '../workflow/workflow.js';
import type { FileChange } from '../workspace/workspace.js';
import { endedWithoutVerdict, runCall } from './call.js';
import type { GatesEnd } from './engine-ports.js';
import type { EngineRun } from './engine-run.js';
import { findUnexplainedChanges } from './unexplained-changes.js';

export type AttemptVerdict = Pick<AttemptEnded, 'status' | 'failure' | 'gates' | 'files' | 'isUnjudged'>;

type ReadChanges = () => Promise<readonly FileChange[]>;

/** Runs the gates. `cancelled`: the job was cancelled, or a called workflow waits; the gates run again later. */
export async function evaluateGates(
  run: EngineRun,
  placed: PlacedStep,
  ref: AttemptRef,
  gates: readonly Gate[],
  changes: ReadChanges,
  output?: string,
): Promise<AttemptVerdict | 'cancelled'> {
  const known = changes();
  const unexplained = gates.length === 0 ? undefined : await findUnexplainedChanges(run);
  if (unexplained !== undefined) return failedBy(unexplained, [], known);
  const results: GateResult[] = await filesGate(run, placed, known);
  let brokenFailure: Failure | undefined;
  let brokenCount = 0;
  for (const batch of batches(gates)) {
    const [first] = batch;
    if (first?.type !== 'validate') {
      const end = await runCommands(run, ref.step, batch, known, output);
      results.push(...end.results);
      if (end.failure !== undefined) return failedBy(end.failure, results, known);
    } else {
      const judged = await runValidator(run, placed, ref, first.name);
      if (judged === 'cancelled') return judged;
      results.push(judged.result);
      brokenFailure ??= judged.failure;
      if (judged.failure !== undefined) brokenCount += 1;
    }
  }
  if (run.signal.aborted && results.some((result) => result.status === 'failed')) return 'cancelled';
  const files = (await known).map((change) => change.path);
  const failure = brokenFailure ?? gateFailure(results);
  if (failure === undefined) return { status: 'passed', gates: results, files };
  const isUnjudged =
    brokenFailure !== undefined && results.filter(({ status }) => status === 'failed').length === brokenCount;
  return { status: 'failed', failure, gates: results, files, ...(isUnjudged ? { isUnjudged } : {}) };
}

/** No other gate runs, and what the gates report does not count. */
async function failedBy(
  failure: Failure,
  gates: readonly GateResult[],
  known: ReturnType<ReadChanges>,
): Promise<AttemptVerdict> {
  return { status: 'failed', failure, gates, files: (await known).map((change) => change.path) };
}

/** Checks the files that an agent changed against its task. */
async function filesGate(
  run: EngineRun,
  { path, step, scope: { files } }: PlacedStep,
  changes: ReturnType<ReadChanges>,
): Promise<GateResult[]> {
  if (files === undefined || step.kind !== 'agent' || step.type !== 'code') return [];
  const result = judgeFiles(files.patterns, files.mode, await changes);
  if (result.status === 'warned') run.ports.reporter.warn(`Step \`${path}\`: ${result.output}.`);
  return [result];
}

/** Each workflow is a batch of its own; the gates between two workflows form one batch. */
function batches(gates: readonly Gate[]): readonly (readonly Gate[])[] {
  const all: Gate[][] = [];
  for (const gate of gates) {
    const last = all.at(-1);
    if (last === undefined || gate.type === 'validate' || last[0]?.type === 'validate') all.push([gate]);
    else last.push(gate);
  }
  return all;
}

function runCommands(
  run: EngineRun,
  step: string,
  gates: readonly Gate[],
  known: ReturnType<ReadChanges>,
  output: string | undefined,
): Promise<GatesEnd> {
  run.markGateFilesDue();
  return run.ports.gates.run({
    step,
    branchName: branchName(run.branchPrefix),
    directory: run.ports.workspace.directory,
    gates,
    changes: () => known,
    ...defined({ output }),
    signal: run.signal,
  });
}

interface ValidatorResult {
  readonly result: GateResult;
  /** Why the workflow failed before it had a verdict. */
  readonly failure?: Failure;
}

async function runValidator(
  run: EngineRun,
  placed: PlacedStep,
  { number }: AttemptRef,
  name: string,
): Promise<ValidatorResult | 'cancelled'> {
  const startedAt = run.ports.clock.now();
  const end = await runCall(run, placed, roleForGate(name), number);
  if (end.status === 'stopped') return 'cancelled';
  // The output of a gate is part of prompts.
  const reason = end.failure === undefined ? '' : textForAgent(end.failure);
  const output = end.comments === '' ? reason : end.comments;
  const durationMs = run.ports.clock.now() - startedAt;
  const result = { name, type: 'validate', status: end.status, output, comments: end.comments, durationMs };
  if (!endedWithoutVerdict(end) || end.failure === undefined) return { result };
  return { result, failure: withCause(`gate \`${name}\``, end.failure) };
}

/** The failure of an attempt with these results; `undefined` if no gate failed. */
export function gateFailure(results: readonly GateResult[]): Failure | undefined {
  const failed = results.filter((result) => result.status === 'failed');
  if (failed.length === 0) return undefined;
  const names = failed.map((result) => `\`${result.name}\``).join(', ');
  const why = failed.length === 1 ? lastLine(failed[0]?.output ?? '') : '';
  const message = `${failed.length === 1 ? 'gate' : 'gates'} ${names} failed`;
  return { kind: 'gate', message: why === '' ? message : `${message}: ${why}` };
}

/** The last line of a gate's output usually is the reason of the failure. */
function lastLine(output: string): string {
  return (output.trimEnd().split('\n').at(-1) ?? '').trim().slice(0, 300);
}
