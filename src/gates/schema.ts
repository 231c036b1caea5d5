/** The gate `schema`: whether the agent's output file meets its contract. Pure. */
import { planGap, readPlan } from '../outputs/plan-file.js';
import { readVerdict } from '../outputs/verdict-file.js';
import type { GateResult } from './gate-result.js';

export function judgeSchema(
  contract: 'plan' | 'review',
  output: string | undefined,
): Pick<GateResult, 'status' | 'output'> {
  const problem = contract === 'plan' ? planProblem(output) : reviewProblem(output);
  return problem === undefined ? { status: 'passed', output: '' } : { status: 'failed', output: problem };
}

function planProblem(output: string | undefined): string | undefined {
  const tasks = readPlan(output);
  return typeof tasks === 'string' ? tasks : planGap(tasks);
}

function reviewProblem(output: string | undefined): string | undefined {
  const verdict = readVerdict(output);
  return typeof verdict === 'string' ? verdict : undefined;
}
