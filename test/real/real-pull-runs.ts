/**
 * Runs of a reviewer on pull requests, with a real CLI: each with its own run id, on a new machine, against GitHub's API
 * and artifacts on loopback. The model is asked nothing but for its review.
 */
import { startGitHub } from '../rig/github/server.js';
import { pullRequestEvent } from '../rig/machine.js';
import type { ModelRequest, ModelRule } from '../rig/model-server.js';
import type { RealCli } from './real-cli.js';
import {
  agentNameOf,
  attemptsOf,
  createRealCliHarness,
  type RealJobOptions,
  type RealJobResult,
} from './real-cli-harness.js';

/** What the prompt of every run contains. */
export const reviewPrompt = 'TOKEN-ask Review the change.';

export const reviewWorkflow = (cli: RealCli): string => `name: review
steps:
  - name: review
    type: validate
    agent: ${agentNameOf(cli)}
    session: from: review of previous run
    prompt: "${reviewPrompt}"
`;

export interface RealPushOptions extends RealJobOptions {
  /** Default: the CLI of the scene. */
  readonly cli?: RealCli;
  /** What the model writes as its review. It does not answer if this is absent. */
  readonly review?: string;
  /** The branch is made anew from `main`, as by a force-push. */
  readonly isForced?: boolean;
}

/** The verdict is written first, and said when the tool has answered. */
function createReviewer() {
  let review: string | undefined;
  const rule: ModelRule = ({ toolResults }) => {
    if (review === undefined) return { hang: true };
    if (toolResults > 0) return { say: review };
    const content = JSON.stringify({ pass: true, comments: review });
    return { write: { path: '.gump/out/validate.json', content } };
  };
  return {
    rule,
    write: (text: string | undefined) => {
      review = text;
    },
  };
}

export async function startRealPullRuns(cli: RealCli) {
  const reviewer = createReviewer();
  const harness = await createRealCliHarness(reviewWorkflow(cli), [reviewer.rule]);
  const { repository, cache } = harness;
  const github = await startGitHub({ git: repository, shelf: cache.shelf });
  const commitTo = (number: number, runId: string) =>
    repository.commit({ [`src/${runId}.ts`]: `// pushed before ${runId}\n` }, { branch: `pull-${number}` });
  return {
    ...harness,
    github,
    /** Somebody pushes a file to the pull request, and the workflow runs. */
    async push(number: number, runId: string, options: RealPushOptions = {}): Promise<RealJobResult> {
      const { review, isForced = false, cli: other = cli, ...job } = options;
      reviewer.write(review);
      const headRef = `pull-${number}`;
      if (isForced) await repository.git('update-ref', '-d', `refs/heads/${headRef}`);
      const head = await commitTo(number, runId);
      return harness.runJob(other, 1, {
        runId,
        apiUrl: github.url,
        event: pullRequestEvent({ number, head, headRef }),
        checkout: { ref: `refs/heads/${headRef}` },
        ...job,
        inputs: { 'state-store': 'artifact', ...job.inputs },
      });
    },
  };
}

/** `resumed previous passed` */
export function reviewLine(result: RealJobResult): string {
  const attempt = attemptsOf(result, 'review').at(-1);
  return [attempt?.session?.effective, attempt?.session?.reason, attempt?.status].join(' ');
}

/** All warnings of the job. */
export const warningsOf = ({ main, post }: RealJobResult): readonly string[] => [
  ...main.warnings,
  ...(post?.warnings ?? []),
];

/** The questions to the reviewer in this request, one for each run. */
export const questionsIn = (request: ModelRequest | undefined): readonly string[] =>
  request?.userTexts.filter((text) => text.includes(reviewPrompt)) ?? [];

/** Everything that was sent. */
export const textOf = (requests: readonly ModelRequest[] | ModelRequest | undefined): string =>
  JSON.stringify([requests].flat().map((request) => request?.body));
