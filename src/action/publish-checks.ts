/** What is wrong with the inputs that publish, before any agent starts. */
import type { Inputs } from '../inputs/inputs.js';
import { agentStepOf, checkStepPath, findStep, type Plan } from '../plan/plan.js';
import type { Subject } from '../security/subject.js';

type PublishInputs = Pick<Inputs, 'comment' | 'commentResults' | 'review' | 'githubToken'>;

/** One sentence or two for each problem. */
export function findPublishProblems(inputs: PublishInputs, { steps }: Plan): readonly string[] {
  const { comment, commentResults, review, githubToken } = inputs;
  const wanted = [...(comment === 'never' ? [] : ['comment']), ...(review === undefined ? [] : ['review'])];
  const unusable = wanted.filter(() => githubToken === undefined);
  return [
    ...unusable.map(
      (name) =>
        `Input \`${name}\` needs \`github-token\`, which is empty. Remove the input \`github-token\` to use the token of the job.`,
    ),
    ...(commentResults.length > 0 && comment === 'never'
      ? [
          'Input `comment-results` has no effect without `comment`. Set `comment: always` or `comment: on-failure`.',
        ]
      : []),
    ...commentResults.flatMap((path) => checkStepPath('comment-results', path, steps)),
    ...checkStepPath('review', review, steps),
    ...checkReviewType(review, steps),
  ];
}

function checkReviewType(review: string | undefined, steps: Plan['steps']): readonly string[] {
  const step = review === undefined ? undefined : findStep(review, steps);
  if (step === undefined || agentStepOf(step)?.type === 'validate') return [];
  return [
    `Input \`review\`: step \`${review}\` is not of type \`validate\`, so it has no findings. Name a \`validate\` step.`,
  ];
}

/** What a run would post, for a dry run. */
export function publishLines(
  { comment, commentResults, review }: PublishInputs,
  { pull, issue }: Subject,
): readonly string[] {
  const number = pull ?? issue;
  const target =
    number === undefined ? 'nothing: the event is not about a pull request or an issue' : `#${number}`;
  const results = commentResults.length === 0 ? '' : `, with the results of ${commentResults.join(', ')}`;
  const when = comment === 'on-failure' ? ' if the run does not pass' : '';
  return [
    ...(review === undefined
      ? []
      : [
          `review of step ${review}: on ${pull === undefined ? 'nothing: the event is not about a pull request' : `#${pull}`}`,
        ]),
    ...(comment === 'never' ? [] : [`comment${when}: on ${target}${results}`]),
  ];
}
