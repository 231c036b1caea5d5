/** Everything that can be known before the first agent starts: checked together, reported together. */

import { problemsOf, UserErrors } from '../failure.js';
import type { Project } from '../gates/project.js';
import { defined } from '../optional-keys.js';
import { allSteps, type Plan } from '../plan/plan.js';
import type { Provider } from '../providers/provider.js';
import { escapeText } from '../report/summary.js';
import { stepFilesOf } from '../security/step-files.js';
import { isUntrustedPullRequest } from '../security/trust.js';
import type { Settings } from '../workflow/settings.js';
import type { AgentFileNames } from '../workspace/agent-files.js';
import { type MainWorkspace, openWorkspace } from '../workspace/open.js';
import type { Workspace } from '../workspace/workspace.js';
import type { ActionContext } from './action-context.js';
import type { Clis } from './clis.js';
import { eventOf, findCheckoutProblems, requireAllowedForkActor } from './event-checks.js';
import { commandSources } from './gate-runner.js';
import { gitEnvironment } from './git-environment.js';
import { privatePaths } from './post-state.js';
import { checkPublishing, type PublishTarget } from './publish-target.js';
import { checkRequirements } from './requirements.js';
import { writeUnstartedRun } from './run-result.js';
import {
  findStateStoreProblems,
  openStateStorage,
  openStateStorageEarly,
  type StateStorage,
} from './state-storage.js';

export interface PreflightInput {
  readonly plan: Plan;
  /** The problems found so far. */
  readonly problems: readonly string[];
  readonly settings: Settings;
  readonly directory: string;
  readonly project: Project;
  readonly privateDirectory: string;
  readonly clis: Clis;
}

/** What the run needs from the checks. */
export interface PreflightResult {
  readonly workspace: MainWorkspace;
  readonly usedProviders: readonly Provider[];
  /** The variables that may seal the state. */
  readonly sealingVariables: readonly string[];
  readonly stateStorage: StateStorage;
  /** Absent: the result stays in the checkout. */
  readonly publishTarget?: PublishTarget;
}

/**
 * Checks everything and opens the workspace. `skipped`: credentials are missing and the run may be skipped.
 *
 * @throws UserErrors with all problems together.
 */
export async function runPreflight(
  actionContext: ActionContext,
  input: PreflightInput,
): Promise<PreflightResult | 'skipped'> {
  const { inputs, providers, environment, log } = actionContext;
  const commands = commandSources(inputs, input.settings);
  const requirements = checkRequirements({ ...input, providers, environment, commands });
  if (requirements.missingCredentials.length > 0 && canSkip(actionContext)) {
    log.notice(`Nothing ran: ${requirements.missingCredentials.join(' ')}`);
    reportSkipped(actionContext, input);
    return 'skipped';
  }
  if (requirements.hasCredential) await requireAllowedForkActor(actionContext);
  const { usedProviders, sealingVariables, missingCredentials } = requirements;
  const { privateDirectory } = input;
  const hasProblems = [missingCredentials, requirements.problems, input.problems].some(
    (list) => list.length > 0,
  );
  // The checkpoint is on its way while git looks at the checkout. It has no effect if a check below fails.
  const early = hasProblems
    ? undefined
    : await openStateStorageEarly(actionContext, privateDirectory, sealingVariables);
  const git = privatePaths(privateDirectory).git;
  const opened = await openWorkspace({
    directory: input.directory,
    privateDirectory: git,
    env: gitEnvironment(environment),
    agentFiles: agentFileNames(providers),
  }).catch(problemsOf);
  const gitProblems =
    'root' in opened
      ? [
          ...(await findCheckoutProblems(actionContext, opened)),
          ...(await findStateStoreProblems(actionContext, opened)),
        ]
      : opened;
  const branchProblems = 'root' in opened ? await findParallelProblems(input.plan, opened) : [];
  const publishing = await checkPublishing(actionContext, input.plan, 'root' in opened ? opened : undefined);
  const cliProblems = await input.clis.findProblems(usedProviders);
  // The credentials come first: without them, nothing else helps.
  const problems = [
    ...missingCredentials,
    ...gitProblems,
    ...branchProblems,
    ...publishing.problems,
    ...input.problems,
    ...cliProblems,
    ...requirements.problems,
  ];
  if (problems.length > 0 || !('root' in opened)) throw new UserErrors(problems);
  const stateStorage = early ?? (await openStateStorage(actionContext, privateDirectory, sealingVariables));
  const publishTarget = defined({ publishTarget: publishing.target });
  return { workspace: opened, usedProviders, sealingVariables, stateStorage, ...publishTarget };
}

/** Of all providers: a step may start any of them. */
function agentFileNames(providers: readonly Provider[]): AgentFileNames {
  return {
    settings: providers.flatMap(({ projectFiles }) => projectFiles.settings),
    instructions: providers.flatMap(({ projectFiles }) => projectFiles.instructions),
    completed: providers.flatMap(({ projectFiles }) => projectFiles.completedByCli ?? []),
  };
}

function reportSkipped(
  { environment, job, redact, log }: ActionContext,
  { plan, privateDirectory }: PreflightInput,
): void {
  const { runId, jobAttempt } = job;
  const workflow = redact(plan.workflow);
  const summary = `### ${escapeText(workflow)}: skipped\n\nA credential for an agent of this workflow is missing, as on pull requests of forks.\n`;
  const { report } = privatePaths(privateDirectory);
  writeUnstartedRun(
    { status: 'skipped', workflow, runId, jobAttempt, report, summary },
    stepFilesOf(environment),
    log,
  );
}

function canSkip(actionContext: ActionContext): boolean {
  const { onNoCredentials } = actionContext.inputs;
  if (onNoCredentials !== 'auto') return onNoCredentials === 'skip';
  return isUntrustedPullRequest(eventOf(actionContext));
}

/** Parallel branches need a git that can merge trees. */
async function findParallelProblems(plan: Plan, workspace: Workspace): Promise<readonly string[]> {
  const isParallel = allSteps(plan).some(({ step }) => 'parallel' in step && step.parallel);
  if (!isParallel) return [];
  return workspace.branchWorktrees.requireMergeSupport().then(() => [], problemsOf);
}
