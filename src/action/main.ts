/** The main phase, from the inputs to the exit code. Each part of it is a file beside this one. */

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { problemsOf, UserError, UserErrors } from '../failure.js';
import type { Project } from '../gates/project.js';
import { openProject } from '../gates/project.js';
import { defined } from '../optional-keys.js';
import { allSteps, makePlan, type Plan, type PlanInputs } from '../plan/plan.js';
import type { Provider } from '../providers/provider.js';
import { escapeText } from '../report/summary.js';
import { filterEnvironment } from '../security/filter-environment.js';
import { requireWritePermission } from '../security/permission.js';
import { isUntrustedPullRequest, requiredActors } from '../security/trust.js';
import { systemClock } from '../system/clock.js';
import type { Settings } from '../workflow/settings.js';
import type { Workflow } from '../workflow/workflow.js';
import { openWorkspace } from '../workspace/open.js';
import { requireDirectory } from '../workspace/repository.js';
import type { Workspace } from '../workspace/workspace.js';
import type { ActionContext } from './action-context.js';
import { type Clis, openClis } from './clis.js';
import { collectProblems, readRunDefinition } from './definition.js';
import { showPlan } from './dry-run.js';
import { writeUnstartedRun } from './finish.js';
import { commandSources } from './gate-runner.js';
import { gitEnvironment } from './git-environment.js';
import { privatePaths } from './post-state.js';
import { checkRequirements } from './requirements.js';
import { runInWorkspace } from './run-in-workspace.js';
import { findStateStoreProblems } from './state-storage.js';

/** Exit code. Throws `UserError` for what the user has to mend. */
export async function main(
  actionContext: ActionContext,
  privateDirectory: string,
  signal: AbortSignal,
): Promise<number> {
  const startedAt = systemClock.now();
  const { job, inputs, environment, providers } = actionContext;
  if (job.runnerOs === 'Windows')
    throw new UserError(
      'This action runs on Linux and macOS runners, not on Windows. Set `runs-on: ubuntu-latest`, for example.',
    );
  // Where nothing is started anybody may ask to see it.
  if (!inputs.dryRun) await requireAllowedActors(actionContext);
  const directory = resolve(job.workspace, inputs.workingDirectory);
  requireDirectory(directory);
  const definition = readRunDefinition(actionContext, directory);
  const { settings } = definition;
  const { plan, problems } = planRun(actionContext, definition.workflow, directory);
  if (inputs.dryRun) {
    if (problems.length > 0) throw new UserErrors(problems);
    await showPlan(actionContext, { ...definition, plan, privateDirectory });
    return 0;
  }
  const gateEnvironment = filterEnvironment({ environment, providers, passEnv: inputs.passEnv });
  const project = openProject(directory, gateEnvironment.env.PATH);
  const clis = openClis(actionContext, { directory, canInstall: true });
  const preflightResult = await runPreflight(actionContext, {
    plan,
    problems,
    settings,
    directory,
    project,
    privateDirectory,
    clis,
  });
  if (preflightResult === 'skipped') return 0;
  // After all that can be found wrong without it: a run that cannot begin installs nothing.
  await clis.ensureInstalled(preflightResult.usedProviders, signal);
  return runInWorkspace({
    actionContext,
    settings,
    plan,
    project,
    workspace: preflightResult.workspace,
    clis,
    privateDirectory,
    gateEnvironment,
    signal,
    ...(inputs.maxTimeMs === undefined ? {} : { deadline: startedAt + inputs.maxTimeMs }),
  });
}

interface PlanResult {
  /** As far as the inputs allow: what they name wrongly is left out of it. */
  readonly plan: Plan;
  readonly problems: readonly string[];
}

function planRun(actionContext: ActionContext, workflow: Workflow, directory: string): PlanResult {
  const { vars, agent, until, fromStep, approve, maxBudget } = actionContext.inputs;
  const spec = collectProblems(() => readSpec(actionContext, directory));
  const known: PlanInputs = {
    vars,
    ...defined({ agent, spec: spec.value, maxUsd: maxBudget }),
  };
  const plan = collectProblems(() =>
    makePlan(workflow, { ...known, ...defined({ until, fromStep, approve }) }),
  );
  return { plan: plan.value ?? makePlan(workflow, known), problems: [...spec.problems, ...plan.problems] };
}

/** Contract 8: who may start agents by an event that anybody can cause. */
async function requireAllowedActors({ job, inputs }: ActionContext): Promise<void> {
  const { logins } = requiredActors({ ...job, payload: job.payload() });
  await requireWritePermission(logins, {
    repository: job.repository,
    token: inputs.githubToken,
    apiUrl: job.apiUrl,
  });
}

function readSpec({ inputs }: ActionContext, directory: string): string | undefined {
  if (inputs.spec?.from !== 'file') return inputs.spec?.text;
  try {
    return readFileSync(join(directory, inputs.spec.file), 'utf8');
  } catch {
    throw new UserError(
      `Input spec-file: ${inputs.spec.file} cannot be read in ${directory}. It is a path of the repository; was it checked out before this step?`,
    );
  }
}

interface PreflightInput {
  readonly plan: Plan;
  /** What is wrong so far. */
  readonly problems: readonly string[];
  readonly settings: Settings;
  readonly directory: string;
  readonly project: Project;
  readonly privateDirectory: string;
  readonly clis: Clis;
}

/** What a run can begin with. */
interface PreflightResult {
  readonly workspace: Workspace;
  readonly usedProviders: readonly Provider[];
}

/** All that is missing, at once; opening the work tree is part of it. */
async function runPreflight(
  actionContext: ActionContext,
  input: PreflightInput,
): Promise<PreflightResult | 'skipped'> {
  const { inputs, providers, environment, log } = actionContext;
  const commands = commandSources(inputs, input.settings);
  const requirements = checkRequirements({ ...input, providers, environment, commands });
  if (requirements.missingCredentials.length > 0 && canSkip(actionContext)) {
    log.notice(`Nothing was run: ${requirements.missingCredentials.join(' ')}`);
    await reportSkipped(actionContext, input);
    return 'skipped';
  }
  const git = privatePaths(input.privateDirectory).git;
  const opened = await openWorkspace({
    directory: input.directory,
    privateDirectory: git,
    env: gitEnvironment(environment),
  }).catch(problemsOf);
  const gitProblems =
    'root' in opened
      ? [
          ...findCheckoutProblems(actionContext, opened),
          ...(await findStateStoreProblems(actionContext, opened)),
        ]
      : opened;
  const branchProblems = 'root' in opened ? await findParallelProblems(input.plan, opened) : [];
  const cliProblems = await input.clis.findProblems(requirements.usedProviders);
  const problems = [
    ...gitProblems,
    ...branchProblems,
    ...input.problems,
    ...cliProblems,
    ...requirements.problems,
    ...requirements.missingCredentials,
  ];
  if (problems.length > 0 || !('root' in opened)) throw new UserErrors(problems);
  return { workspace: opened, usedProviders: requirements.usedProviders };
}

function reportSkipped(
  { job, redact }: ActionContext,
  { plan, privateDirectory }: PreflightInput,
): Promise<void> {
  const { runId, jobAttempt } = job;
  const workflow = redact(plan.workflow);
  const summary = `### ${escapeText(workflow)}: skipped\n\nNo credential for an agent of this workflow was there, as on pull requests of forks.\n`;
  const { report } = privatePaths(privateDirectory);
  return writeUnstartedRun({ status: 'skipped', workflow, runId, jobAttempt, report, summary });
}

function canSkip({ inputs, job }: ActionContext): boolean {
  if (inputs.onNoCredentials !== 'auto') return inputs.onNoCredentials === 'skip';
  return isUntrustedPullRequest({ ...job, payload: job.payload() });
}

/** Contract 8: configuration in a checkout is code, so it must be the event's own. */
function findCheckoutProblems({ job }: ActionContext, workspace: Workspace): readonly string[] {
  const { requiresEventCommit } = requiredActors({ ...job, payload: job.payload() });
  if (!requiresEventCommit || workspace.startCommit === job.sha) return [];
  return [
    `The checkout is at ${workspace.startCommit}, not at the commit of the event (${job.sha}): on \`${job.eventName}\` agents run only on the repository's own code. Check out without \`ref:\`.`,
  ];
}

/** What runs side by side is put together by a git that can do so. */
async function findParallelProblems(plan: Plan, workspace: Workspace): Promise<readonly string[]> {
  const isParallel = allSteps(plan).some(({ step }) => 'parallel' in step && step.parallel);
  if (!isParallel) return [];
  return workspace.branchWorktrees.requireMergeSupport().then(() => [], problemsOf);
}
