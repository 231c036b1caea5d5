/** `dry-run: true`: what would run is shown in the log and the summary, and nothing is run. */
import type { Plan } from '../plan/plan.js';
import { planSummary } from '../report/plan-summary.js';
import { planTree } from '../report/plan-tree.js';
import type { Workflow } from '../workflow/workflow.js';
import type { ActionContext } from './action-context.js';
import { writeUnstartedRun } from './finish.js';
import { privatePaths } from './post-state.js';

export interface DryRunInput {
  readonly workflow: Workflow;
  readonly plan: Plan;
  /** What was warned of. */
  readonly warnings: readonly string[];
  readonly privateDirectory: string;
}

export async function showPlan(
  { inputs, job, log, redact }: ActionContext,
  planned: DryRunInput,
): Promise<void> {
  // With the agents that the inputs put in.
  const steps = planned.plan.steps.map(({ step }) => step);
  const workflow = { ...planned.workflow, steps };
  const tree = planTree(workflow, inputs.permissions);
  for (const line of tree) log.info(line);
  await writeUnstartedRun({
    status: 'planned',
    workflow: redact(workflow.name),
    runId: job.runId,
    jobAttempt: job.jobAttempt,
    report: privatePaths(planned.privateDirectory).report,
    summary: planSummary({ workflow, tree, warnings: planned.warnings }, redact),
  });
  log.info(`✓ ${workflow.name}: checked, nothing was run`);
}
