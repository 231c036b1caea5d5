/** Where the result of the run will go: decided and checked before the first agent starts. */
import { problemsOf } from '../failure.js';
import { statusOf } from '../github/request-error.js';
import { defined } from '../optional-keys.js';
import type { Plan } from '../plan/plan.js';
import { findPull, pullOfEvent } from '../publish/find-pull.js';
import { openGitData } from '../publish/git-data.js';
import { endTemplateProblems } from '../publish/input-templates.js';
import {
  type BranchChoice,
  ownBranch,
  type PullFacts,
  pullRequestBase,
  pushBranch,
} from '../publish/publish-branch.js';
import { permissionAdvice } from '../publish/publish-failure.js';
import { systemClock } from '../system/clock.js';
import type { MainWorkspace } from '../workspace/open.js';
import type { ActionContext } from './action-context.js';
import { eventOf } from './event-checks.js';
import { openPublishApi } from './publish-place.js';
import { subjectOfRun } from './run-subject.js';

export type PublishTarget =
  | { readonly apply: 'commit' }
  | { readonly apply: 'push'; readonly branch: string }
  /** `key`: what the name of the branch ends with. */
  | { readonly apply: 'pull-request'; readonly base: string; readonly key: string };

export interface PublishPreflight {
  /** Absent: the result stays in the checkout. */
  readonly target?: PublishTarget;
  readonly problems: readonly string[];
}

/** Everything that can be known now: where to, whether that exists, and whether the token may write there. */
export async function checkPublishing(
  actionContext: ActionContext,
  plan: Plan,
  workspace: MainWorkspace | undefined,
): Promise<PublishPreflight> {
  const { apply } = actionContext.inputs;
  if (apply === 'workspace' || apply === 'none') return { problems: [] };
  const problems = [...templateProblems(actionContext, plan)];
  if (apply === 'commit') return { target: { apply }, problems };
  const subject = subjectOfRun(actionContext);
  const pull =
    subject.pull === undefined
      ? undefined
      : await pullFacts(actionContext, subject.pull).catch(
          (error) => void problems.push(...problemsOf(error)),
        );
  if (subject.pull !== undefined && pull === undefined && problems.length === 0)
    problems.push(
      `\`apply: ${apply}\`: pull request #${subject.pull} does not exist. Correct the input \`subject\`.`,
    );
  if (problems.length > 0) return { problems };
  const choice = chooseTarget(actionContext, pull);
  if ('problem' in choice) return { problems: [choice.problem] };
  const { branch } = choice;
  const target =
    apply === 'push' ? { apply, branch } : { apply, base: branch, key: branchKey(actionContext) };
  return {
    target,
    problems: [
      ...(await otherBranchProblems(apply, branch, workspace)),
      ...(await findBranchProblems(actionContext, branch)),
    ],
  };
}

/** What a run would do with the result, for a dry run. Sends no request. */
export function describePublishing(actionContext: ActionContext, plan: Plan): PublishDescription {
  const { apply } = actionContext.inputs;
  if (apply === 'workspace' || apply === 'none') return { lines: [], problems: [] };
  const problems = templateProblems(actionContext, plan);
  if (apply === 'commit') return { lines: ['commit on the checked-out branch'], problems };
  const { pull: number } = subjectOfRun(actionContext);
  const pull = number === undefined ? undefined : pullOfEvent(eventOf(actionContext), number);
  if (number !== undefined && pull === undefined) {
    const what = apply === 'push' ? 'push to the branch of' : 'pull request for';
    return { lines: [`${what} pull request #${number}`], problems };
  }
  const choice = chooseTarget(actionContext, pull);
  if ('problem' in choice) return { lines: [], problems: [...problems, choice.problem] };
  const own = ownBranch(plan.workflow, branchKey(actionContext));
  const line =
    apply === 'push' ? `push to ${choice.branch}` : `pull request from ${own} into ${choice.branch}`;
  return { lines: [line], problems };
}

export interface PublishDescription {
  readonly lines: readonly string[];
  readonly problems: readonly string[];
}

function chooseTarget(actionContext: ActionContext, pull: PullFacts | undefined): BranchChoice {
  const { job, inputs } = actionContext;
  const { isOfFork } = subjectOfRun(actionContext);
  const facts = { event: eventOf(actionContext), ref: job.ref, ...defined({ pull, isOfFork }) };
  return inputs.apply === 'push' ? pushBranch(facts) : pullRequestBase(facts);
}

/** The same in every run for one issue or pull request, and otherwise another one in every run. */
function branchKey(actionContext: ActionContext): string {
  const { inputs, job } = actionContext;
  const subject = subjectOfRun(actionContext);
  const number = subject.issue ?? subject.pull;
  if (number !== undefined) return String(number);
  return inputs.subject === undefined ? job.runId : subject.name;
}

async function pullFacts(actionContext: ActionContext, number: number): Promise<PullFacts | undefined> {
  const known = pullOfEvent(eventOf(actionContext), number);
  if (known !== undefined) return known;
  return findPull(await openPublishApi(actionContext), number, actionContext.job.apiUrl);
}

function templateProblems({ inputs }: ActionContext, plan: Plan): readonly string[] {
  const templates = {
    'commit-message': inputs.commitMessage,
    'pr-title': inputs.prTitle,
    'pr-body': inputs.prBody,
  };
  return Object.entries(templates).flatMap(([name, text]) =>
    text === undefined ? [] : endTemplateProblems(name, text, plan),
  );
}

/** Somebody who checks out another branch expects the result there. */
async function otherBranchProblems(
  apply: string,
  branch: string,
  workspace: MainWorkspace | undefined,
): Promise<readonly string[]> {
  const present = workspace?.commits.branch;
  if (present === undefined || present === branch) return [];
  if (!(await workspace?.commits.hasRemoteBranch(present))) return [];
  return [
    `\`apply: ${apply}\` publishes to \`${branch}\`, but the checkout is at branch \`${present}\`. Remove \`ref:\` from the checkout step, or start the workflow on \`${present}\`.`,
  ];
}

/** Asks for the branch, and makes an empty blob, which nobody can see: only a token that may push can. */
async function findBranchProblems(actionContext: ActionContext, branch: string): Promise<readonly string[]> {
  const { job, inputs } = actionContext;
  const where = `\`apply: ${inputs.apply}\``;
  try {
    const target = openGitData(await openPublishApi(actionContext), systemClock);
    if ((await target.head(branch)) === undefined)
      return [
        `${where}: branch \`${branch}\` does not exist in ${job.repository}. Start the workflow on a branch that exists.`,
      ];
    await target.addBlob(Buffer.alloc(0));
    return [];
  } catch (error) {
    const status = statusOf(error);
    if (status === 403 || status === 404)
      return [
        `${where}: the token may not write to ${job.repository} (status ${status}). ${permissionAdvice(['contents: write', ...(inputs.apply === 'push' ? [] : ['pull-requests: write'])])}`,
      ];
    if (status === 401)
      return [
        `${where}: the token of the input \`github-token\` is invalid or has expired. Remove the input to use the token of the job.`,
      ];
    if (typeof error === 'object' && error !== null && 'status' in error)
      return [
        `${where}: GitHub (${job.apiUrl}) did not answer whether the token may write (${error instanceof Error ? error.message : status}). No agent was started. Re-run the job.`,
      ];
    return problemsOf(error);
  }
}
