/** `dry-run: true`: shows in the log and the summary what would run, and runs nothing. */
import { UserErrors } from '../failure.js';
import { knownText } from '../plan/known-text.js';
import { agentStepOf, allSteps, type Plan } from '../plan/plan.js';
import { planSummary } from '../report/plan-summary.js';
import { planTree } from '../report/plan-tree.js';
import { stepFilesOf } from '../security/step-files.js';
import type { Settings } from '../workflow/settings.js';
import type { Workflow } from '../workflow/workflow.js';
import type { ActionContext } from './action-context.js';
import { gatherDryRunFacts } from './dry-run-facts.js';
import { privatePaths } from './post-state.js';
import { writeUnstartedRun } from './run-result.js';

export interface DryRunInput {
  readonly workflow: Workflow;
  readonly plan: Plan;
  readonly settings: Settings;
  readonly directory: string;
  /** The warnings about the workflow and the settings. */
  readonly warnings: readonly string[];
  readonly privateDirectory: string;
}

/** @throws UserErrors if a run could not start whatever the machine has. */
export async function showPlan(actionContext: ActionContext, planned: DryRunInput): Promise<void> {
  const { environment, inputs, job, log, redact } = actionContext;
  const facts = await gatherDryRunFacts(actionContext, planned);
  if (facts.problems.length > 0) throw new UserErrors(facts.problems);
  // The steps of the plan, in which the input `agent` already replaced the agents.
  const steps = planned.plan.steps.map(({ step }) => step);
  const workflow = { ...planned.workflow, steps };
  const tree = [...planTree(workflow, inputs.permissions), '', ...facts.lines];
  for (const line of tree) log.info(line);
  const unstarted = {
    status: 'planned' as const,
    workflow: redact(workflow.name),
    runId: job.runId,
    jobAttempt: job.jobAttempt,
    report: privatePaths(planned.privateDirectory).report,
    summary: planSummary({ workflow, tree, warnings: planned.warnings }, redact),
  };
  for (const { path, step } of allSteps(planned.plan)) {
    const own = agentStepOf(step);
    if (own !== undefined) log.debug(`Prompt of ${path}:\n${knownText(own.prompt, planned.plan)}`);
  }
  writeUnstartedRun(unstarted, stepFilesOf(environment), log);
  log.info(`✓ ${workflow.name}: checked, nothing ran`);
}
