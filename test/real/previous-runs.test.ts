/**
 * Runs on one pull request are one conversation, with the real CLIs and the mock model, through `dist/`. What the model
 * received is read in the bodies of its requests.
 */
import { describe, expect, test } from 'vitest';
import { currentClis, fastClis, sessionIds, titleOf } from './real-cli-harness.js';
import {
  questionsIn,
  type RealPushOptions,
  reviewLine,
  reviewPrompt,
  reviewWorkflow,
  startRealPullRuns,
  textOf,
  warningsOf,
} from './real-pull-runs.js';

const firstReview = 'REVIEW-first Rename a.ts.';
const secondReview = 'REVIEW-second Add a test.';
const otherReview = 'REVIEW-other Fine.';

test.each(currentClis.map((cli) => [titleOf(cli), cli] as const))(
  'three pushes to one pull request with %s are one conversation, of which another pull request sees nothing',
  async (_name, cli) => {
    const { push } = await startRealPullRuns(cli);
    const first = await push(7, '1001', { review: firstReview });
    expect(reviewLine(first), first.main.log).toBe('new previous-not-found passed');
    const second = await push(7, '1002', { review: secondReview });
    const third = await push(7, '1003', { review: 'REVIEW-third Fine.' });
    for (const result of [second, third])
      expect(reviewLine(result), result.main.log).toBe('resumed previous passed');
    expect([first, second, third].flatMap(warningsOf)).toEqual([]);
    expect(new Set([first, second, third].map((result) => sessionIds(result).review)).size).toBe(1);

    const [request] = third.requests;
    const questions = questionsIn(request);
    expect(questions).toHaveLength(3);
    expect(questions[0]).not.toContain('earlier run');
    expect(questions[1]).toContain('This conversation continues from an earlier run (run 1001');
    expect(questions[2]).toContain('This conversation continues from an earlier run (run 1002');
    expect(questions[2]).toContain('`src/1003.ts`');
    // The answers of the model belong to the conversation, too.
    for (const review of [firstReview, secondReview]) expect(textOf(request)).toContain(review);

    const other = await push(8, '1004', { review: otherReview });
    expect(reviewLine(other), other.main.log).toBe('new previous-not-found passed');
    expect(warningsOf(other)).toEqual([]);
    expect(other.requests.flatMap(({ userTexts }) => userTexts).join()).toContain(reviewPrompt);
    for (const text of [
      'REVIEW-first',
      'REVIEW-second',
      'REVIEW-third',
      'from an earlier run',
      'src/1003.ts',
    ])
      expect(textOf(other.requests)).not.toContain(text);
    expect(questionsIn(other.requests[0])).toHaveLength(1);
  },
  // Some CLIs take seconds to start, and these are four runs.
  600_000,
);

interface ReasonCase {
  readonly name: string;
  readonly line: string;
  readonly warning: string;
  readonly options?: RealPushOptions;
  /** The new session gets the results of the earlier run in its prompt. */
  readonly handsOver?: boolean;
  /** Between the two runs. */
  prepare?(scene: Awaited<ReturnType<typeof startRealPullRuns>>): Promise<unknown> | unknown;
}

/** The CLI finds no session of its own. */
const loseSessions = 'rm -rf "$HOME/.claude/projects" "$HOME/.codex/sessions"';

describe.each(fastClis.map((cli) => [titleOf(cli), cli] as const))('%s', (_name, cli) => {
  const [otherCli = cli] = fastClis.filter((one) => one !== cli);
  const reasons: readonly ReasonCase[] = [
    {
      name: 'a force-push',
      line: 'resumed previous passed',
      warning: 'was rewritten since run 1001 (force-push)',
      options: { isForced: true },
    },
    {
      name: 'an expired artifact',
      line: 'new previous-not-found passed',
      warning: 'The entry of run 1001 is not used: it has expired.',
      prepare: ({ cache }) => {
        for (const artifact of cache.shelf.artifacts) artifact.expired = true;
      },
    },
    {
      name: 'a changed agent',
      line: 'new from-other-agent passed',
      warning: 'ran with a different agent in run 1001',
      options: { cli: otherCli },
      handsOver: true,
      prepare: ({ repository }) =>
        repository.commit({ '.gump/workflows/flow.yaml': reviewWorkflow(otherCli) }, { branch: 'pull-7' }),
    },
    {
      name: 'a lost session',
      line: 'new session-lost passed',
      warning: 'the session of step `review` from run 1001 is missing',
      options: { commandsAtStart: loseSessions },
      handsOver: true,
    },
  ];

  test.each(reasons)('$name: the reason and one warning', async (reason) => {
    const { line, warning, options, handsOver = false, prepare } = reason;
    const scene = await startRealPullRuns(cli);
    const first = await scene.push(7, '1001', { review: firstReview });
    expect(warningsOf(first), first.main.log).toEqual([]);
    await prepare?.(scene);
    const second = await scene.push(7, '1002', { review: secondReview, ...options });
    expect(reviewLine(second), second.main.log).toBe(line);
    expect(warningsOf(second)).toEqual([expect.stringContaining(warning)]);
    const [request] = second.requests;
    const isResumed = line.startsWith('resumed');
    expect(questionsIn(request)).toHaveLength(isResumed ? 2 : 1);
    // What a new session knows of the first review is the hand-over in its prompt.
    expect(textOf(request).includes(firstReview)).toBe(isResumed || handsOver);
    expect(questionsIn(request)[0]?.includes(firstReview)).toBe(handsOver);
  });

  test('a cancelled run: its conversation continues, with one warning', async () => {
    const scene = await startRealPullRuns(cli);
    const until = () => scene.model.requests.length > 0;
    const cancelled = await scene.push(7, '1001', { stop: { how: 'cancel', when: { until } } });
    expect(cancelled.main.isStopped, cancelled.main.log).toBe(true);
    const next = await scene.push(7, '1002', { review: secondReview });
    expect(reviewLine(next), next.main.log).toBe('resumed previous passed');
    expect(warningsOf(next)).toEqual([expect.stringContaining('was interrupted in that run')]);
    const questions = questionsIn(next.requests[0]);
    expect(questions).toHaveLength(2);
    expect(questions[1]).toContain('You were interrupted in that run');
    expect(sessionIds(next)).toEqual(sessionIds(cancelled));
  });
});
