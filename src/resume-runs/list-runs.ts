/** Lists the runs about which a round decides. */
import { defined } from '../optional-keys.js';
import { chosenWorkflows } from './chosen-workflows.js';
import type { ResumeInputs } from './resume-inputs.js';
import type { RunSource, WorkflowRun } from './run-source.js';

/**
 * The runs that failed or were cancelled, the newest first. `ownPath`: the workflow file that runs this action, left out
 * unless the input `workflows` names it. Throws `UserErrors` if that input names an unknown workflow.
 */
export async function listRuns(
  source: RunSource,
  { workflows, maxAgeMs }: Pick<ResumeInputs, 'workflows' | 'maxAgeMs'>,
  ownPath: string,
  now: number,
): Promise<readonly WorkflowRun[]> {
  const isForAll = workflows.length === 0;
  const ids = isForAll ? [undefined] : chosenWorkflows(workflows, await source.workflows());
  const found = new Map<number, WorkflowRun>();
  for (const workflowId of ids) {
    for (const conclusion of ['failure', 'cancelled'] as const) {
      const query = { conclusion, createdSince: now - maxAgeMs, ...defined({ workflowId }) };
      for (const run of await source.runs(query)) found.set(run.id, run);
    }
  }
  const listed = [...found.values()].filter(({ path }) => !isForAll || path !== ownPath);
  return listed.sort((one, other) => other.createdAt - one.createdAt);
}
