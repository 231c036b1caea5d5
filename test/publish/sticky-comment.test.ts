import { describe, expect, it } from 'vitest';
import { openGitHubApi } from '../../src/github/github-api.js';
import { commentMarker } from '../../src/publish/publication-marker.js';
import { publishProblem } from '../../src/publish/publish-problem.js';
import { postStickyComment } from '../../src/publish/sticky-comment.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import { secondaryLimit } from '../rig/github/faults.js';
import { startGitHub } from '../rig/github/server.js';
import { actionsBot, type GitHubUser } from '../rig/github/state.js';
import { makeRepository } from '../rig/repository.js';

const key = 'a'.repeat(20);
const person: GitHubUser = { login: 'github-actions', type: 'User' };

async function open() {
  const git = await makeRepository({ 'README.md': 'sample\n' });
  cleanUpAfterTest(() => git.remove());
  const { state, url, ...server } = await startGitHub({ git });
  state.issues.push({ number: 9, title: 'x', body: '', author: person, state: 'open', labels: [] });
  const api = await openGitHubApi({ repository: 'octo/sample', token: 't', apiUrl: url });
  let intents = 0;
  const post = (text: string, isUpdateOnly = false) =>
    postStickyComment(api, {
      number: 9,
      key,
      body: `${commentMarker(key)}\n${text}`,
      isUpdateOnly,
      onIntent: () => {
        intents += 1;
      },
    });
  const add = (author: GitHubUser, text: string, before = commentMarker(key)) => {
    const id = state.nextId();
    const now = state.now();
    state.comments.push({
      id,
      number: 9,
      author,
      body: `${before}\n${text}`,
      createdAt: now,
      updatedAt: now,
    });
    return id;
  };
  return { server, state, post, add, intents: () => intents };
}

describe('the sticky comment', () => {
  it('of two runs at once is one comment', async () => {
    const { state, post } = await open();
    const posted = await Promise.all([post('one'), post('two')]);
    expect(state.comments).toHaveLength(1);
    expect(new Set(posted.map((one) => one?.id)).size).toBe(1);
  });

  it('with the same text is not written again', async () => {
    const { server, post, intents } = await open();
    await post('one');
    await post('one');
    expect(intents()).toBe(1);
    expect(
      server.requests().filter(({ method, path }) => method !== 'GET' && path !== '/graphql'),
    ).toHaveLength(1);
  });

  it('is that of the user of the token, whatever the name of others is', async () => {
    const { state, post, add } = await open();
    const copy = add(person, 'copy');
    const own = add(actionsBot, 'own');
    add(actionsBot, 'quote', `> ${commentMarker(key)}`);
    await post('new');
    expect(state.comments.find(({ id }) => id === own)?.body).toContain('new');
    expect(state.comments.find(({ id }) => id === copy)?.body).toContain('copy');
    expect(state.comments).toHaveLength(3);
  });

  it('of a token of a person is that of this person', async () => {
    const { state, post, add } = await open();
    state.tokenUser = { login: 'Ada', type: 'User' };
    const own = add({ login: 'ada', type: 'User' }, 'own');
    state.tokenUser = { login: 'ada', type: 'User' };
    expect((await post('new'))?.id).toBe(own);
  });

  it('is made again if it is deleted between search and change', async () => {
    const { server, state, post, add } = await open();
    add(actionsBot, 'own');
    server.inject({ method: 'PATCH', path: '/issues/comments/', status: 404, times: 1 });
    await post('new');
    expect(state.comments.map(({ body }) => body.split('\n')[1])).toContain('new');
  });

  it('is not made by a run that only updates', async () => {
    const { state, post, intents } = await open();
    expect(await post('one', true)).toBeUndefined();
    expect([state.comments.length, intents()]).toEqual([0, 0]);
  });
});

describe('a comment that GitHub does not accept', () => {
  const create = { method: 'POST', path: '/issues/9/comments' };
  const attempt = { what: 'The comment', number: 9, permission: 'issues: write' };

  it.each([
    ['403', 403, {}, /may not do it .*`issues: write`/],
    ['404', 404, {}, /does not find it/],
    ['409', 409, {}, /refused it \(status 409/],
    ['410', 410, {}, /issues are disabled/],
    ['422', 422, {}, /refused it \(status 422/],
    ['429 for more than a minute', 429, { 'retry-after': '61' }, /limits the requests/],
    ['502', 502, {}, /did not accept it \(status 502\)/],
  ])('with %s says why', async (_name, status, headers, text) => {
    const { server, state, post } = await open();
    server.inject({ ...create, status, headers });
    const error = await post('one').catch((caught: unknown) => caught);
    expect(publishProblem(attempt, error)).toMatch(text);
    expect(state.comments).toEqual([]);
  });

  it.each([
    ['502 before it took effect', { status: 502, moment: 'before' }],
    ['502 after it took effect', { status: 502, moment: 'after' }],
    ['a lost connection before it took effect', { reset: true, moment: 'before' }],
    ['a lost connection after it took effect', { reset: true, moment: 'after' }],
  ] as const)('is posted once with %s', async (_name, fault) => {
    const { server, state, post } = await open();
    server.inject({ ...create, ...fault, times: 1 });
    await post('one');
    expect(state.comments).toHaveLength(1);
  });

  it('is posted after a secondary limit', async () => {
    const { server, state, post } = await open();
    server.inject(secondaryLimit('/issues/9/comments'));
    await post('one');
    expect(state.comments).toHaveLength(1);
  });
});
