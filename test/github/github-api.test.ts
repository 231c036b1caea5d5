import { describe, expect, it } from 'vitest';
import { openGitHubApi, unansweredError } from '../../src/github/github-api.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import { secondaryLimit } from '../rig/github/faults.js';
import { startGitHub } from '../rig/github/server.js';
import { actionsBot } from '../rig/github/state.js';
import { makeRepository } from '../rig/repository.js';

async function open() {
  const git = await makeRepository({ 'README.md': 'sample\n' });
  cleanUpAfterTest(() => git.remove());
  const server = await startGitHub({ git });
  server.state.pulls.push({
    number: 7,
    title: 'Change',
    body: '',
    author: actionsBot,
    state: 'open',
    base: 'main',
    headRef: 'main',
    headRepository: 'octo/sample',
  });
  const api = await openGitHubApi({ repository: 'octo/sample', token: 't', apiUrl: server.url });
  const place = { owner: api.owner, repo: api.repo };
  return { server, api, get: () => api.rest.pulls.get({ ...place, pull_number: 7 }), place };
}

describe('requests to GitHub', () => {
  it('waits as a secondary limit asks, and then gets the answer', async () => {
    const { server, get } = await open();
    server.inject(secondaryLimit('/pulls/7'));
    expect((await get()).data.title).toBe('Change');
    expect(server.requests().map(({ status }) => status)).toEqual([403, 200]);
  });

  it('does not wait if the request must not', async () => {
    const { server, api, place } = await open();
    server.inject(secondaryLimit('/pulls/7'));
    const request = { waitsForLimits: false };
    await expect(api.rest.pulls.get({ ...place, pull_number: 7, request })).rejects.toMatchObject({
      status: 403,
    });
    expect(server.requests()).toHaveLength(1);
  });

  it('does not wait for longer than a minute', async () => {
    const { server, get } = await open();
    const path = '/pulls/7';
    server.inject({ path, status: 429, headers: { 'retry-after': '61' } });
    await expect(get()).rejects.toMatchObject({ status: 429 });
    expect(server.requests()).toHaveLength(1);
  });

  it('repeats a read without an answer', async () => {
    const { server, get } = await open();
    server.inject({ path: '/pulls/7', reset: true, times: 1 });
    expect((await get()).data.number).toBe(7);
  });

  it('never repeats a write', async () => {
    const { server, api, place } = await open();
    server.inject({ path: '/issues/7/comments', status: 502 });
    const write = api.rest.issues.createComment({ ...place, issue_number: 7, body: 'text' });
    await expect(write).rejects.toMatchObject({ status: 502 });
    expect(server.requests()).toHaveLength(1);
  });
});

describe('a question without an answer', () => {
  const question = { text: 'the diff of pull request #7', permission: 'pull-requests: read' };
  const failed = (status: number, message: string) => Object.assign(new Error(message), { status });

  it.each([
    [403, 'Resource not accessible by integration', /status 403\. Set `github-token` to a valid token with/],
    [
      403,
      'API rate limit exceeded for installation ID 1',
      /status 403, the rate limit .* is used up\. Re-run/,
    ],
    [403, 'You have exceeded a secondary rate limit', /status 403, the rate limit .* is used up\. Re-run/],
    [429, 'Too many requests', /status 429, the rate limit .* is used up\. Re-run the job later/],
    [
      404,
      'Not Found',
      /status 404\. Check that it exists, and that `github-token` has `pull-requests: read`/,
    ],
    [502, 'Bad Gateway', /status 502: Bad Gateway\. Re-run the job/],
  ])('names the reason and what to do: %d %s', (status, message, expected) => {
    const error = unansweredError(question, 'https://api', failed(status, message));
    expect(error.message).toMatch(/^GitHub \(https:\/\/api\) did not report the diff of pull request #7, so/);
    expect(error.message).toMatch(expected);
  });
});
