/** A review at GitHub on loopback: whatever fails, no finding is lost and none is posted twice. */
import { describe, expect, it } from 'vitest';
import { openGitHubApi } from '../../src/github/github-api.js';
import { postReview } from '../../src/publish/post-review.js';
import { publishProblem } from '../../src/publish/publish-problem.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import { secondaryLimit } from '../rig/github/faults.js';
import { startGitHub } from '../rig/github/server.js';
import { makeRepository } from '../rig/repository.js';

const key = 'a'.repeat(20);

async function open() {
  const git = await makeRepository({ 'a.txt': 'one\n', 'b.txt': 'one\n' });
  cleanUpAfterTest(() => git.remove());
  const { head, headRef } = await git.pullRequest(7, { 'a.txt': 'one\ntwo\nthree\n' });
  const server = await startGitHub({ git });
  const ada = { login: 'ada', type: 'User' } as const;
  const base = { state: 'open', base: 'main', headRepository: 'octo/sample' } as const;
  server.state.pulls.push({ number: 7, title: 'x', body: '', author: ada, headRef, ...base });
  const api = await openGitHubApi({ repository: 'octo/sample', token: 't', apiUrl: server.url });
  const events: string[] = [];
  const post = (lines: readonly number[], path = 'a.txt') =>
    postReview(api, {
      pull: 7,
      key,
      texts: { workflow: 'flow', step: 'review', runUrl: 'https://example.com/run' },
      findings: lines.map((line) => ({
        path,
        line,
        severity: 'error',
        message: `Problem ${'x'.repeat(line)}.`,
      })),
      isIncomplete: false,
      candidates: [head],
      checkout: head,
      readCode: ({ line }) => `line ${line}`,
      wasPosted: () => false,
      onIntent: (content) => events.push(`intent ${content}`),
      onPosted: (content) => events.push(`posted ${content}`),
    });
  return { server, state: server.state, post, events };
}

const create = { method: 'POST', path: '/pulls/7/reviews' };

describe('a review', () => {
  it('records its intent before the request, and its outcome after it', async () => {
    const { post, events, state } = await open();
    expect(await post([2, 3, 1])).toMatchObject({ inline: 3, inBody: 0, known: 0, fixed: 0 });
    expect(events.map((event) => event.split(' ')[0])).toEqual(['intent', 'posted']);
    expect(state.reviews).toHaveLength(1);
  });

  it('reads all pages of threads and reviews', async () => {
    const { post, state } = await open();
    await post([1, 2, 3]);
    await post([1, 2, 3, 9]);
    for (let at = 0; at < 120; at += 1)
      state.reviews.unshift({
        ...(state.reviews[0] as (typeof state.reviews)[number]),
        id: at + 1,
        body: 'x',
      });
    expect(await post([1, 2, 3, 9])).toMatchObject({ inline: 0, inBody: 0, known: 4 });
    expect(await post([])).toMatchObject({ fixed: 4 });
  });

  it('does not believe marks of others', async () => {
    const { post, state } = await open();
    await post([2]);
    for (const one of state.reviewComments) one.author = { login: 'github-actions', type: 'User' };
    expect(await post([2])).toMatchObject({ inline: 1, known: 0 });
  });

  it.each([
    ['403', 403, /may not do it/],
    ['404', 404, /does not find it/],
    ['409', 409, /refused it \(status 409/],
    ['422', 422, /refused it \(status 422/],
    ['502', 502, /did not accept it \(status 502\)\. Re-run the job\./],
  ])('that fails with %s says why, and the next run posts it', async (_name, status, text) => {
    const { server, state, post } = await open();
    server.inject({ ...create, status });
    const error = await post([2]).catch((caught: unknown) => caught);
    const attempt = { what: 'The review', number: 7, permission: 'pull-requests: write' };
    expect(publishProblem(attempt, error)).toMatch(text);
    server.clearFaults();
    await post([2]);
    expect(state.reviews).toHaveLength(1);
  });

  it.each([
    ['502 before it took effect', { status: 502, moment: 'before' }],
    ['502 after it took effect', { status: 502, moment: 'after' }],
    ['a lost connection before it took effect', { reset: true, moment: 'before' }],
    ['a lost connection after it took effect', { reset: true, moment: 'after' }],
  ] as const)('is posted once with %s', async (_name, fault) => {
    const { server, state, post } = await open();
    server.inject({ ...create, ...fault, times: 1 });
    expect((await post([2])).url).toMatch(/#pullrequestreview-/);
    expect([state.reviews.length, state.reviewComments.length]).toEqual([1, 1]);
  });

  it('waits as a secondary limit asks', async () => {
    const { server, state, post } = await open();
    server.inject(secondaryLimit('/pulls/7/reviews'));
    await post([2]);
    expect(state.reviews).toHaveLength(1);
  });

  it('with a fixed finding that cannot be marked is posted, and the next run marks it', async () => {
    const { server, state, post } = await open();
    await post([2, 3]);
    server.inject({ method: 'PATCH', path: '/pulls/comments/', status: 403 });
    expect(await post([9], 'b.txt')).toMatchObject({ inBody: 1, fixed: 0, error: expect.anything() });
    server.clearFaults();
    expect(await post([9], 'b.txt')).toMatchObject({ inBody: 0, known: 1, fixed: 2 });
    expect(state.resolvedThreads.size).toBe(2);
  });

  it.each([
    ['502 after it took effect', { status: 502, moment: 'after' }],
    ['a lost connection', { reset: true }],
  ] as const)('marks a fixed finding also with %s', async (_name, fault) => {
    const { server, state, post } = await open();
    await post([2]);
    server.inject({ method: 'PATCH', path: '/pulls/comments/', ...fault, times: 1 });
    expect(await post([])).toMatchObject({ fixed: 1, unresolved: 0 });
    expect(state.reviewComments[0]?.body.match(/Fixed in/g)).toHaveLength(1);
  });

  it('counts a comment that a person deleted in the meantime as done', async () => {
    const { server, post } = await open();
    await post([2]);
    server.inject({ method: 'PATCH', path: '/pulls/comments/', status: 404 });
    expect(await post([])).not.toHaveProperty('error');
  });
});
