/** The review of a pull request: jobs with GitHub's API on loopback, whose diffs come from real commits. */
import { describe, expect, it } from 'vitest';
import { reply } from '../rig/github/reviews.js';
import { actionsBot } from '../rig/github/state.js';
import { type PublishScene, type PublishSceneOptions, publishScene, verdict } from './publish-scene.js';

const workflow = `
name: flow
steps:
  - name: review
    type: validate
    agent: claude-haiku
    prompt: review it
`;

const lines = (count: number, change: Readonly<Record<number, string>> = {}) =>
  `${Array.from({ length: count }, (_, at) => change[at + 1] ?? `line ${at + 1}`).join('\n')}\n`;

const files = { 'src/a.txt': lines(40), 'src/other.txt': 'other\n' };
const changes = { 'src/a.txt': lines(40, { 20: 'const a = 1', 21: 'const b = 2' }) };
const scene = (options: Partial<PublishSceneOptions> = {}) =>
  publishScene({ workflow, files, changes, ...options });

const onA = { path: 'src/a.txt', line: 20, severity: 'error', message: 'The value of `a` is never used.' };
const onB = { path: 'src/a.txt', line: 21, severity: 'warning', message: 'The name says nothing.' };
const outside = {
  path: 'src/other.txt',
  line: 1,
  severity: 'notice',
  message: 'This file has no test. @octocat',
};

const review = { review: 'review' };
const finds = (...findings: readonly object[]) => ({
  rules: [verdict({ pass: findings.length === 0, comments: 'See the findings.', findings })],
});
const inline = ({ github }: PublishScene) => github.state.reviewComments;
const writes = ({ github }: PublishScene) =>
  github.requests().filter(({ method, path, body }) => {
    return method !== 'GET' && (path !== '/graphql' || JSON.stringify(body).includes('mutation'));
  });

describe('the review of a run', () => {
  it('has comments on lines of the diff, and everything else in its body', async () => {
    const one = await scene({ code: 'dist' });
    const suggestion = 'const unused = 1';
    const { main } = await one.run(review, finds({ ...onA, endLine: 21, suggestion }, outside));
    expect(main.outputs.status).toBe('failed');
    const [posted] = one.github.state.reviews;
    expect(posted).toMatchObject({ author: actionsBot, state: 'COMMENTED', commit: one.pull.head });
    expect(posted?.body).toMatch(/\*\*flow\*\* · <code>review<\/code> · 2 new findings · \[run\]/);
    expect(posted?.body).toContain('ℹ️ <code>src/other.txt:1</code> This file has no test. @&#8203;octocat');
    expect(inline(one)).toMatchObject([{ path: 'src/a.txt', startLine: 20, line: 21, side: 'RIGHT' }]);
    expect(inline(one)[0]?.body).toContain('```suggestion\nconst unused = 1\n```');
    expect(main.summary).toContain('): 2 new');
    // The token reaches neither the agent nor the log.
    const [call] = await one.harness.calls();
    expect(call?.environment.filter((name) => /TOKEN|^INPUT_/i.test(name))).toEqual([]);
    expect(main.log).not.toContain('ghs_token');
  });

  it('is not posted again when the lines of a finding move or an agent words it differently', async () => {
    const one = await scene();
    await one.run(review, finds(onA, onB, outside));
    await one.push({ 'src/a.txt': `new first line\n${changes['src/a.txt']}` });
    const moved = [
      { ...onA, line: 21 },
      { ...onB, line: 22, message: 'This name says nothing about the value.' },
      outside,
    ];
    const { main } = await one.run(review, finds(...moved));
    expect(one.github.state.reviews).toHaveLength(1);
    expect(inline(one)).toHaveLength(2);
    expect(main.log).toContain('Review of #7: 3 already posted');
  });

  it('marks and resolves what is gone, and posts it again if it comes back', async () => {
    const one = await scene();
    await one.run(review, finds(onA, onB, outside));
    const head = await one.push({ 'README.md': 'more\n' });
    const second = await one.run(review, finds(onB));
    const [first, other] = inline(one);
    expect([...one.github.state.resolvedThreads]).toEqual([first?.thread]);
    expect(first?.body).toContain(`✅ Fixed in ${head.slice(0, 7)}.`);
    expect(other?.body).not.toContain('Fixed');
    expect(one.github.state.reviews[0]?.body).toContain(`- ✅ Fixed in ${head.slice(0, 7)}: ℹ️`);
    expect(second.main.log).toContain('1 already posted, 2 fixed');
    await one.push({ 'README.md': 'even more\n' });
    await one.run(review, finds(onA, onB));
    expect(inline(one)).toHaveLength(3);
    expect(inline(one)[2]?.body).toContain('never used');
    expect([...one.github.state.resolvedThreads]).toEqual([first?.thread]);
  });

  it('only marks what is gone if the token may not resolve threads', async () => {
    const one = await scene();
    one.github.state.missingPermissions.add('contents: write');
    await one.run(review, finds(onA, onB));
    await one.push({ 'README.md': 'more\n' });
    const { main } = await one.run({ ...review, comment: 'always' }, finds());
    expect(inline(one).map(({ body }) => /✅ Fixed in [0-9a-f]{7}\./.test(body))).toEqual([true, true]);
    expect(one.github.state.resolvedThreads.size).toBe(0);
    expect(main.warnings).toEqual([]);
    expect(main.notices).toContainEqual(
      expect.stringMatching(/^2 fixed findings are marked .*`contents: write`/),
    );
    expect(one.github.state.reviews).toHaveLength(1);
    expect(one.github.state.comments[0]?.body).toContain('Review: 2 fixed');
  });

  it('leaves alone what a person resolved, and the replies of people', async () => {
    const one = await scene();
    await one.run(review, finds(onA, onB));
    const [first, second] = inline(one);
    if (first === undefined || second === undefined) throw new Error('no comments');
    one.github.state.resolvedThreads.add(first.thread);
    const answer = reply(one.github.state, second, { login: 'ada', type: 'User' }, 'I like it.');
    await one.push({ 'README.md': 'more\n' });
    await one.run(review, finds(onA, onB));
    await one.push({ 'README.md': 'even more\n' });
    await one.run(review, finds());
    expect(one.github.state.reviews).toHaveLength(1);
    expect(first.body).not.toContain('Fixed');
    expect([answer.body, inline(one).length]).toEqual(['I like it.', 3]);
  });

  it('says nothing about earlier findings if the verdict is negative without any', async () => {
    const one = await scene();
    await one.run(review, finds(onA));
    await one.run(review, { rules: [verdict({ pass: false, comments: 'It does not build.' })] });
    expect(inline(one)[0]?.body).not.toContain('Fixed');
    expect(one.github.state.reviews).toHaveLength(1);
  });

  it('is not posted if there is nothing to say', async () => {
    const one = await scene();
    const { main } = await one.run(review, finds());
    expect(main.outputs.status).toBe('passed');
    expect(writes(one)).toEqual([]);
  });

  it('is posted once by a run and its re-runs', async () => {
    const one = await scene();
    const job = { runId: '3000', ...finds(onA, outside) };
    await one.run(review, job);
    // A person deleted the comment, so only the journal knows that it was posted.
    one.github.state.reviewComments.splice(0);
    one.github.state.reviews.splice(0);
    await one.run(review, { ...job, jobAttempt: 2 });
    expect(one.github.state.reviews).toHaveLength(0);
  });

  it('is posted once if the machine is lost before its outcome is recorded', async () => {
    const one = await scene({ code: 'dist' });
    const job = { runId: '3000', ...finds(onA, outside) };
    const isPosted = () => one.github.state.reviews.length > 0;
    await one.run(review, { ...job, stop: { how: 'lose', when: { until: isPosted } } });
    const { main } = await one.run(review, { ...job, jobAttempt: 2 });
    expect(main.outputs.status).toBe('failed');
    expect([one.github.state.reviews.length, inline(one).length]).toEqual([1, 1]);
  });

  it('is on the commit that was reviewed if somebody pushed in the meantime', async () => {
    const one = await scene();
    const pushed = finds(onA, outside);
    await one.run(review, {
      ...pushed,
      prepare: async () => void (await one.push({ 'src/a.txt': `new\n${changes['src/a.txt']}` })),
    });
    expect(one.github.state.reviews).toMatchObject([{ commit: one.pull.head }]);
    expect(inline(one)).toMatchObject([{ line: 20, commit: one.pull.head }]);
  });

  it('has everything in its body if GitHub does not accept a line', async () => {
    const one = await scene();
    one.github.inject({ method: 'POST', path: '/pulls/7/reviews', status: 422, times: 1 });
    await one.run(review, finds(onA, outside));
    expect(inline(one)).toEqual([]);
    expect(one.github.state.reviews[0]?.body).toContain('<code>src/a.txt:20</code> The value of');
  });

  it('is nothing outside of a pull request, and nothing without a verdict', async () => {
    const one = await scene();
    const push = await one.run(review, { ...finds(onA), event: { name: 'push' }, checkout: {} });
    expect(push.main.notices).toContainEqual(expect.stringMatching(/^No review was posted: the event/));
    const none = await one.run(review, { rules: [{ do: [{ say: 'no verdict' }] }] });
    expect(none.main.notices).toContainEqual(expect.stringMatching(/step `review` has no verdict/));
    expect(writes(one)).toEqual([]);
  });

  it('is not posted by a cancelled run', async () => {
    const one = await scene();
    const hangs = { do: [{ say: 'now hanging' }, { hang: true }] } as const;
    const stop = { how: 'cancel', when: { log: 'now hanging' } } as const;
    const { main } = await one.run({ ...review, comment: 'always' }, { rules: [hangs], stop });
    expect(main.outputs.status).toBe('waiting');
    expect(one.github.state.reviews).toEqual([]);
    expect(one.github.state.comments[0]?.body).toContain('flow: waiting');
  });

  it('is only announced in a dry run', async () => {
    const one = await scene();
    const { main } = await one.run({
      ...review,
      comment: 'on-failure',
      'comment-results': 'review',
      'dry-run': 'true',
    });
    expect(main.log).toContain('review of step review: on #7');
    expect(main.log).toContain('comment if the run does not pass: on #7, with the results of review');
    expect(one.github.requests()).toEqual([]);
  });
});

describe('a review that GitHub does not accept', () => {
  const create = { method: 'POST', path: '/pulls/7/reviews' };
  const withFault = async (prepare: (scene: PublishScene) => void) => {
    const one = await scene();
    prepare(one);
    const { main } = await one.run(review, finds(onA, outside));
    const { reviews } = one.github.state;
    // The findings themselves are annotations too.
    const warnings = main.warnings.filter((text) => text.includes('#7'));
    return { status: main.outputs.status, warnings, reviews: reviews.length, one };
  };

  it('because the token may not do it is one warning, and the run keeps its status', async () => {
    const found = await withFault(({ github }) =>
      github.state.missingPermissions.add('pull-requests: write'),
    );
    expect(found).toMatchObject({ status: 'failed', reviews: 0 });
    expect(found.warnings).toEqual([expect.stringMatching(/may not do it .*`pull-requests: write`/)]);
  });

  it('because its answer got lost is posted once', async () => {
    const found = await withFault(({ github }) =>
      github.inject({ ...create, status: 502, moment: 'after', times: 1 }),
    );
    expect(found).toMatchObject({ status: 'failed', reviews: 1, warnings: [] });
    expect(inline(found.one)).toHaveLength(1);
  });

  it('because its threads cannot be read is one warning', async () => {
    const found = await withFault(({ github }) => github.inject({ path: '/graphql', status: 503 }));
    expect(found).toMatchObject({ status: 'failed', reviews: 0 });
    expect(found.warnings).toHaveLength(1);
  });
});
