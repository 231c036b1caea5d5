/** `dry-run: true`: shows in the log and the summary what would run, and runs nothing. */
import type { Plan } from '../plan/plan.js';
import { planSummary } from '../report/plan-summary.js';
import { planTree } from '../report/plan-tree.js';
import { stepFilesOf } from '../security/step-files.js';
import type { Workflow } from '../workflow/workflow.js';
import type { ActionContext } from './action-context.js';
import { privatePaths } from './post-state.js';
import { writeUnstartedRun } from './run-result.js';

export interface DryRunInput {
  readonly workflow: Workflow;
  readonly plan: Plan;
  /** The warnings about the workflow and the settings. */
  readonly warnings: readonly string[];
  readonly privateDirectory: string;
}

export function showPlan(
  { environment, inputs, job, log, redact }: ActionContext,
  planned: DryRunInput,
): void {
  // The steps of the plan, in which the input `agent` already replaced the agents.
  const steps = planned.plan.steps.map(({ step }) => step);
  const workflow = { ...planned.workflow, steps };
  const tree = planTree(workflow, inputs.permissions);
  for (const line of tree) log.info(line);
  const unstarted = {
    status: 'planned' as const,
    workflow: redact(workflow.name),
    runId: job.runId,
    jobAttempt: job.jobAttempt,
    report: privatePaths(planned.privateDirectory).report,
    summary: planSummary({ workflow, tree, warnings: planned.warnings }, redact),
  };
  writeUnstartedRun(unstarted, stepFilesOf(environment), log);
  log.info(`✓ ${workflow.name}: checked, nothing ran`);
}
