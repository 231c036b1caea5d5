/** The main phase, from the inputs to the exit code. Each part of it is a file in this folder. */

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { stretchEarly } from '../checkpoint/stretched-key.js';
import { UserError, UserErrors } from '../failure.js';
import { openProject } from '../gates/project.js';
import { defined } from '../optional-keys.js';
import { makePlan, type Plan, type PlanInputs } from '../plan/plan.js';
import type { Provider } from '../providers/provider.js';
import { filterEnvironment } from '../security/filter-environment.js';
import { systemClock } from '../system/clock.js';
import { suggestModel } from '../workflow/agent-hints.js';
import type { Workflow } from '../workflow/workflow.js';
import { requireDirectory } from '../workspace/repository.js';
import type { ActionContext } from './action-context.js';
import { type Clis, openClis } from './clis.js';
import { collectProblems, readRunDefinition } from './definition.js';
import { showPlan } from './dry-run.js';
import { requireAllowedActors } from './event-checks.js';
import { runPreflight } from './preflight.js';
import { findPublishProblems } from './publish-checks.js';
import { runInWorkspace } from './run-in-workspace.js';
import { startAdvice } from './start-advice.js';
import { cliCacheOf } from './state-storage.js';

/**
 * Runs the action's main phase. Resolves with the exit code.
 *
 * @throws UserError for problems that the user must fix.
 */
export async function main(
  actionContext: ActionContext,
  privateDirectory: string,
  signal: AbortSignal,
): Promise<number> {
  const startedAt = systemClock.now();
  const { job, inputs, environment, providers } = actionContext;
  if (job.runnerOs === 'Windows')
    throw new UserError(
      'This action does not run on Windows. Use a Linux or macOS runner, for example `runs-on: ubuntu-latest`.',
    );
  // A dry run starts nothing, so everybody may start it.
  if (!inputs.dryRun) await requireAllowedActors(actionContext);
  reportWeakIdentity(actionContext);
  reportMisspelledModel(actionContext);
  const directory = resolve(job.workspace, inputs.workingDirectory);
  requireDirectory(directory);
  const definition = readRunDefinition(actionContext, directory);
  const { settings } = definition;
  const planned = planRun(actionContext, definition.workflow, directory);
  const { plan } = planned;
  const advice = startAdvice(actionContext, definition.workflow, plan);
  const problems = [...planned.problems, ...advice.problems, ...findPublishProblems(inputs, plan)];
  for (const warning of advice.warnings) actionContext.log.warning(warning);
  if (inputs.dryRun) {
    if (problems.length > 0) throw new UserErrors(problems);
    const warnings = [...definition.warnings, ...advice.warnings];
    await showPlan(actionContext, { ...definition, warnings, plan, directory, privateDirectory });
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
  const { workspace, usedProviders, sealingVariables, stateStorage, publishTarget } = preflightResult;
  for (const { kind, value } of stateStorage.secrets) if (kind === 'state-key') stretchEarly(value);
  const cliCache = cliCacheOf(actionContext, stateStorage);
  if (cliCache !== undefined) clis.useCache(cliCache);
  // After all checks, because a run that cannot start installs nothing.
  return withInstallation(clis, usedProviders, signal, (install) => {
    // While the checkpoint is looked up, if there can be none of a run that still waits.
    if (job.jobAttempt === 1 && inputs.stateName === undefined) void install().catch(() => undefined);
    return runInWorkspace({
      actionContext,
      settings,
      plan,
      workflowFile: definition.workflow.source,
      project,
      workspace,
      sealingVariables,
      stateStorage,
      clis,
      install,
      privateDirectory,
      gateEnvironment,
      signal,
      ...defined({ publishTarget }),
      ...(inputs.maxTimeMs === undefined ? {} : { deadline: startedAt + inputs.maxTimeMs }),
    });
  });
}

/** `run` starts the installation of missing CLIs, once. If `run` rejects, the installation is ended first. */
async function withInstallation(
  clis: Clis,
  used: readonly Provider[],
  signal: AbortSignal,
  run: (install: () => Promise<void>) => Promise<number>,
): Promise<number> {
  const end = new AbortController();
  let installed: Promise<void> | undefined;
  const install = () => {
    installed ??= clis.ensureInstalled(used, AbortSignal.any([signal, end.signal]));
    return installed;
  };
  try {
    return await run(install);
  } finally {
    end.abort();
    await installed?.catch(() => undefined);
  }
}

interface PlanResult {
  /** Without the inputs that are invalid; those are in `problems`. */
  readonly plan: Plan;
  readonly problems: readonly string[];
}

function planRun(actionContext: ActionContext, workflow: Workflow, directory: string): PlanResult {
  const { vars, agent, until, fromStep, approve, maxBudget, fallback } = actionContext.inputs;
  const spec = collectProblems(() => readSpec(actionContext, directory));
  const known: PlanInputs = {
    vars,
    ...defined({ agent, spec: spec.value, maxUsd: maxBudget, fallback }),
  };
  const plan = collectProblems(() =>
    makePlan(workflow, { ...known, ...defined({ until, fromStep, approve }) }),
  );
  return { plan: plan.value ?? makePlan(workflow, known), problems: [...spec.problems, ...plan.problems] };
}

/** On a runner other than GitHub's, less is known about the job that a checkpoint belongs to. */
function reportWeakIdentity({ job: { missingIdentity }, log }: ActionContext): void {
  if (missingIdentity.length === 0) return;
  const names = missingIdentity.map((name) => `\`${name}\``).join(' and ');
  log.notice(
    `This runner does not set ${names}. Checkpoints are bound to the names of the repository and of the workflow instead, so a repository or workflow that takes over such a name could use them.`,
  );
}

/** The workflow file has its own check. A model that the table does not list may exist, so this is no error. */
function reportMisspelledModel({ inputs: { agent }, providers, log }: ActionContext): void {
  const meant = agent === undefined ? undefined : suggestModel(agent, providers);
  if (meant === undefined) return;
  log.warning(`Input \`agent\`: the model in \`${agent}\` looks misspelled. Did you mean \`${meant}\`?`);
}

function readSpec({ inputs }: ActionContext, directory: string): string | undefined {
  if (inputs.spec?.from !== 'file') return inputs.spec?.text;
  try {
    return readFileSync(join(directory, inputs.spec.file), 'utf8');
  } catch {
    throw new UserError(
      `Input \`spec-file\`: \`${inputs.spec.file}\` cannot be read in ${directory}. Check the path, and run \`actions/checkout\` before this step.`,
    );
  }
}
