/** What an attempt is worth once its agent is done, by its gates. */
import type { Failure } from '../failure.js';
import type { GateResult } from '../gates/gate-result.js';
import type { AttemptEnded } from '../journal/event.js';
import type { Gate } from '../workflow/workflow.js';
import type { Change } from '../workspace/workspace.js';
import type { Run } from './run.js';

export type Verdict = Pick<AttemptEnded, 'status' | 'failure' | 'gates' | 'files'>;

/** Runs the gates. `cancelled`: the job was cancelled meanwhile; the gates run again when it goes on. */
export async function judgeGates(
  run: Run,
  step: string,
  gates: readonly Gate[],
  changes: () => Promise<readonly Change[]>,
  output?: string,
): Promise<Verdict | 'cancelled'> {
  const known = changes();
  if (gates.length > 0) run.gatesWork();
  const results =
    gates.length === 0
      ? []
      : await run.ports.gates.run({
          step,
          gates,
          changes: () => known,
          ...(output === undefined ? {} : { output }),
          signal: run.signal,
        });
  if (run.signal.aborted && results.some((result) => result.status === 'failed')) return 'cancelled';
  const files = (await known).map((change) => change.path);
  const failure = gateFailure(results);
  return failure === undefined
    ? { status: 'passed', gates: results, files }
    : { status: 'failed', failure, gates: results, files };
}

function gateFailure(results: readonly GateResult[]): Failure | undefined {
  const failed = results.filter((result) => result.status === 'failed');
  if (failed.length === 0) return undefined;
  const names = failed.map((result) => `\`${result.name}\``).join(', ');
  const why = failed.length === 1 ? lastLine(failed[0]?.output ?? '') : '';
  const message = `${failed.length === 1 ? 'gate' : 'gates'} ${names} failed`;
  return { kind: 'gate', message: why === '' ? message : `${message}: ${why}` };
}

/** What a gate says last is why it failed. */
function lastLine(output: string): string {
  return (output.trimEnd().split('\n').at(-1) ?? '').trim().slice(0, 300);
}
