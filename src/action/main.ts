/** The main phase, from the inputs to the exit code. Each part of it is a file beside this one. */

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { faultsOf, UserError, UserErrors } from '../failure.js';
import type { Project } from '../gates/project.js';
import { openProject } from '../gates/project.js';
import { defined } from '../optional-keys.js';
import { allSteps, makePlan, type Plan, type PlanInputs } from '../plan/plan.js';
import type { Provider } from '../providers/provider.js';
import { escapeText } from '../report/summary.js';
import { environmentFor } from '../security/environment.js';
import { requireWritePermission } from '../security/permission.js';
import { isUntrustedPullRequest, requiredActors } from '../security/trust.js';
import { systemClock } from '../system/clock.js';
import type { Settings } from '../workflow/settings.js';
import type { Workflow } from '../workflow/workflow.js';
import { openWorkspace } from '../workspace/open.js';
import { requireDirectory } from '../workspace/repository.js';
import type { Workspace } from '../workspace/workspace.js';
import { type Clis, openClis } from './clis.js';
import { readDefinition, tried } from './definition.js';
import { showPlan } from './dry-run.js';
import { writeUnstarted } from './finish.js';
import { commandSources } from './gates.js';
import { gitEnvironment } from './git-environment.js';
import { privatePaths } from './handover.js';
import { preflight } from './preflight.js';
import { runInWorkspace } from './run.js';
import type { Setting } from './setting.js';
import { storeFaults } from './state.js';

/** Exit code. Throws `UserError` for what the user has to mend. */
export async function main(setting: Setting, privateDirectory: string, signal: AbortSignal): Promise<number> {
  const startedAt = systemClock.now();
  const { job, inputs, environment, providers } = setting;
  if (job.runnerOs === 'Windows')
    throw new UserError(
      'This action runs on Linux and macOS runners, not on Windows. Set `runs-on: ubuntu-latest`, for example.',
    );
  // Where nothing is started anybody may ask to see it.
  if (!inputs.dryRun) await checkStarter(setting);
  const directory = resolve(job.workspace, inputs.workingDirectory);
  requireDirectory(directory);
  const definition = readDefinition(setting, directory);
  const { settings } = definition;
  const { plan, faults } = planRun(setting, definition.workflow, directory);
  if (inputs.dryRun) {
    if (faults.length > 0) throw new UserErrors(faults);
    await showPlan(setting, { ...definition, plan, privateDirectory });
    return 0;
  }
  const gateEnvironment = environmentFor({ environment, providers, passEnv: inputs.passEnv });
  const project = openProject(directory, gateEnvironment.env.PATH);
  const clis = openClis(setting, { directory, mayInstall: true });
  const seen = await lookAtAll(setting, {
    plan,
    faults,
    settings,
    directory,
    project,
    privateDirectory,
    clis,
  });
  if (seen === 'skipped') return 0;
  // After all that can be found wrong without it: a run that cannot begin installs nothing.
  await clis.provide(seen.used, signal);
  return runInWorkspace({
    setting,
    settings,
    plan,
    project,
    workspace: seen.workspace,
    clis,
    privateDirectory,
    gateEnvironment,
    signal,
    ...(inputs.maxTimeMs === undefined ? {} : { endsBy: startedAt + inputs.maxTimeMs }),
  });
}

interface PlannedRun {
  /** As far as the inputs allow: what they name wrongly is left out of it. */
  readonly plan: Plan;
  readonly faults: readonly string[];
}

function planRun(setting: Setting, workflow: Workflow, directory: string): PlannedRun {
  const { vars, agent, until, fromStep, approve, maxBudget } = setting.inputs;
  const spec = tried(() => readSpec(setting, directory));
  const known: PlanInputs = {
    vars,
    ...defined({ agent, spec: spec.value, maxUsd: maxBudget }),
  };
  const plan = tried(() => makePlan(workflow, { ...known, ...defined({ until, fromStep, approve }) }));
  return { plan: plan.value ?? makePlan(workflow, known), faults: [...spec.faults, ...plan.faults] };
}

/** Contract 8: who may start agents by an event that anybody can cause. */
async function checkStarter({ job, inputs }: Setting): Promise<void> {
  const { logins } = requiredActors({ ...job, payload: job.payload() });
  await requireWritePermission(logins, {
    repository: job.repository,
    token: inputs.githubToken,
    apiUrl: job.apiUrl,
  });
}

function readSpec({ inputs }: Setting, directory: string): string | undefined {
  if (inputs.spec?.from !== 'file') return inputs.spec?.text;
  try {
    return readFileSync(join(directory, inputs.spec.file), 'utf8');
  } catch {
    throw new UserError(
      `Input spec-file: ${inputs.spec.file} cannot be read in ${directory}. It is a path of the repository; was it checked out before this step?`,
    );
  }
}

interface Scene {
  readonly plan: Plan;
  /** What is wrong so far. */
  readonly faults: readonly string[];
  readonly settings: Settings;
  readonly directory: string;
  readonly project: Project;
  readonly privateDirectory: string;
  readonly clis: Clis;
}

/** What a run can begin with. */
interface Seen {
  readonly workspace: Workspace;
  readonly used: readonly Provider[];
}

/** All that is missing, at once; opening the work tree is part of it. */
async function lookAtAll(setting: Setting, scene: Scene): Promise<Seen | 'skipped'> {
  const { inputs, providers, environment, log } = setting;
  const commands = commandSources(inputs, scene.settings);
  const seen = preflight({ ...scene, providers, environment, commands });
  if (seen.withoutCredential.length > 0 && maySkip(setting)) {
    log.notice(`Nothing was run: ${seen.withoutCredential.join(' ')}`);
    await tellSkipped(setting, scene);
    return 'skipped';
  }
  const git = privatePaths(scene.privateDirectory).git;
  const opened = await openWorkspace({
    directory: scene.directory,
    privateDirectory: git,
    env: gitEnvironment(environment),
  }).catch(faultsOf);
  const gitFaults =
    'root' in opened ? [...checkoutFaults(setting, opened), ...(await storeFaults(setting, opened))] : opened;
  const unitFaults = 'root' in opened ? await parallelFaults(scene.plan, opened) : [];
  const cliFaults = await scene.clis.faults(seen.used);
  const faults = [
    ...gitFaults,
    ...unitFaults,
    ...scene.faults,
    ...cliFaults,
    ...seen.faults,
    ...seen.withoutCredential,
  ];
  if (faults.length > 0 || !('root' in opened)) throw new UserErrors(faults);
  return { workspace: opened, used: seen.used };
}

function tellSkipped({ job, redact }: Setting, { plan, privateDirectory }: Scene): Promise<void> {
  const { runId, jobAttempt } = job;
  const workflow = redact(plan.workflow);
  const summary = `### ${escapeText(workflow)}: skipped\n\nNo credential for an agent of this workflow was there, as on pull requests of forks.\n`;
  const { report } = privatePaths(privateDirectory);
  return writeUnstarted({ status: 'skipped', workflow, runId, jobAttempt, report, summary });
}

function maySkip({ inputs, job }: Setting): boolean {
  if (inputs.onNoCredentials !== 'auto') return inputs.onNoCredentials === 'skip';
  return isUntrustedPullRequest({ ...job, payload: job.payload() });
}

/** Contract 8: configuration in a checkout is code, so it must be the event's own. */
function checkoutFaults({ job }: Setting, workspace: Workspace): readonly string[] {
  const { needsOwnCheckout } = requiredActors({ ...job, payload: job.payload() });
  if (!needsOwnCheckout || workspace.startCommit === job.sha) return [];
  return [
    `The checkout is at ${workspace.startCommit}, not at the commit of the event (${job.sha}): on \`${job.eventName}\` agents run only on the repository's own code. Check out without \`ref:\`.`,
  ];
}

/** What runs side by side is put together by a git that can do so. */
async function parallelFaults(plan: Plan, workspace: Workspace): Promise<readonly string[]> {
  const isParallel = allSteps(plan).some(({ step }) => 'parallel' in step && step.parallel);
  if (!isParallel) return [];
  return workspace.units.requireGit().then(() => [], faultsOf);
}
