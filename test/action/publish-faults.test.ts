/** Every fault of the API: nothing is lost, and nothing is there twice. */
import { describe, expect, it } from 'vitest';
import { type PublishAttempt, publishFailure } from '../../src/publish/publish-failure.js';
import { pushChange } from '../../src/publish/push-change.js';
import { openPushScene, type PushScene } from '../publish/push-scene.js';
import { type GitHubFault, secondaryLimit } from '../rig/github/faults.js';

const attempt: PublishAttempt = {
  apply: 'push',
  what: 'push to `main`',
  permissions: ['contents: write'],
  apiUrl: 'URL',
  workflowFiles: [],
};

async function openChangedScene(): Promise<PushScene> {
  const scene = await openPushScene({ 'a.txt': 'a\n' });
  scene.checkout.write('a.txt', 'new\n');
  scene.checkout.write('b.bin', Buffer.from([0, 1]));
  return scene;
}

/** How the push ends with this fault. */
async function pushWith(scene: PushScene, fault: GitHubFault) {
  const { push } = await scene.record();
  scene.github.inject(fault);
  return pushChange(push, 'main').catch((error: unknown) => publishFailure(error, attempt));
}

/** How many commits the branch has on top of the first one. */
async function pushes({ repository }: PushScene): Promise<number> {
  return Number(await repository.git('rev-list', '--count', `${repository.sha}..main`));
}

const [blobs, trees, commits, refs] = ['/git/blobs', '/git/trees', '/git/commits', '/git/refs/heads'];

describe('a fault that ends', () => {
  it.each<readonly [string, GitHubFault]>([
    ['502 for a blob', { method: 'POST', path: blobs, status: 502, times: 1 }],
    ['a lost answer for a tree', { method: 'POST', path: trees, reset: true, moment: 'after', times: 1 }],
    [
      '500 after a commit was made',
      { method: 'POST', path: commits, status: 500, moment: 'after', times: 1 },
    ],
    ['a broken connection before the push', { method: 'PATCH', path: refs, reset: true, times: 2 }],
    ['a secondary limit', secondaryLimit(refs)],
    ['429 with a short wait', { path: blobs, status: 429, headers: { 'retry-after': '1' }, times: 1 }],
    ['409 of a concurrent update', { method: 'PATCH', path: refs, status: 409, times: 1 }],
  ])('%s: one push', async (_name, fault) => {
    const scene = await openChangedScene();
    expect(await pushWith(scene, fault)).toMatchObject({ how: 'pushed' });
    expect(await pushes(scene)).toBe(1);
  });

  it.each<readonly [string, GitHubFault]>([
    ['a lost answer', { method: 'PATCH', path: refs, reset: true, moment: 'after', times: 1 }],
    ['502', { method: 'PATCH', path: refs, status: 502, moment: 'after', times: 1 }],
  ])('%s of a push that took effect: it is found, and not sent again', async (_name, fault) => {
    const scene = await openChangedScene();
    expect(await pushWith(scene, fault)).toMatchObject({ how: 'pushed' });
    expect(await pushes(scene)).toBe(1);
    expect(scene.github.requests().filter(({ method }) => method === 'PATCH')).toHaveLength(1);
  });
});

describe('a fault that stays', () => {
  it.each<readonly [string, GitHubFault, object]>([
    [
      '403',
      { method: 'POST', path: trees, status: 403 },
      {
        kind: 'auth',
        message: expect.stringMatching(/permission is missing\. Give the job .*`contents: write`/),
      },
    ],
    ['404', { path: refs, method: 'PATCH', status: 404 }, { message: expect.stringContaining('status 404') }],
    [
      '409',
      { path: refs, method: 'PATCH', status: 409 },
      { message: expect.stringContaining('moved twice while the action pushed') },
    ],
    [
      '422 of a protected branch',
      {
        path: refs,
        method: 'PATCH',
        status: 422,
        body: { message: 'Changes must be made through a pull request.' },
      },
      {
        kind: 'output',
        message:
          'GitHub did not push to `main`: its rules forbid it (Changes must be made through a pull request). Set `apply: pull-request`, or allow the app of the token to bypass the rules.',
      },
    ],
    [
      '422 of a file that is too large',
      {
        path: blobs,
        method: 'POST',
        status: 422,
        body: { message: 'Sorry, your input was too large to process.' },
      },
      { message: expect.stringContaining('too large for GitHub') },
    ],
    [
      '429',
      { path: refs, method: 'PATCH', status: 429, headers: { 'retry-after': '600' } },
      { kind: 'rate-limit', message: expect.stringContaining('because of a rate limit') },
    ],
    [
      'a secondary limit',
      { ...secondaryLimit(commits, 9), method: 'POST', headers: { 'retry-after': '600' } },
      { kind: 'rate-limit' },
    ],
    [
      '503',
      { path: trees, method: 'POST', status: 503 },
      { kind: 'overloaded', message: expect.stringContaining('status 503. Re-run the failed jobs.') },
    ],
    [
      'no connection',
      { path: refs, method: 'PATCH', reset: true },
      { kind: 'overloaded', message: expect.stringContaining('no answer') },
    ],
    [
      '401',
      { path: '/git/ref/', status: 401 },
      { kind: 'auth', message: expect.stringContaining('invalid or has expired') },
    ],
  ])('%s: the branch is as before, and a later job pushes once', async (_name, fault, failure) => {
    const scene = await openChangedScene();
    expect(await pushWith(scene, fault)).toMatchObject(failure);
    expect(await pushes(scene)).toBe(0);
    scene.github.clearFaults();
    expect(await pushWith(scene, { path: 'nothing' })).toMatchObject({ how: 'pushed' });
    expect(await pushWith(scene, { path: 'nothing' })).toMatchObject({ how: 'found' });
    expect(await pushes(scene)).toBe(1);
  });
});

describe('a push whose outcome got lost', () => {
  it('is found by a later job, also below commits of others', async () => {
    const scene = await openChangedScene();
    const { push } = await scene.record();
    const { commit } = await pushChange(push, 'main');
    await scene.repository.commit({ 'their.txt': 'x\n' });
    expect(await pushChange(push, 'main')).toEqual({ commit, how: 'found' });
  });

  it('is not mixed up with that of another run or another change', async () => {
    const scene = await openChangedScene();
    await pushChange((await scene.record()).push, 'main');
    const other = await scene.record({ runId: 1002 });
    expect(await pushChange(other.push, 'main')).toMatchObject({ how: 'contained' });
    scene.checkout.write('c.txt', 'more\n');
    expect(await pushChange((await scene.record()).push, 'main')).toMatchObject({ how: 'pushed' });
  });
});

it('a rule that forbids the branch of the pull request gets another advice than that of a push', () => {
  const response = { data: { message: 'Repository rule violations found' } };
  const error = Object.assign(new Error('x'), { status: 422, response });
  expect(publishFailure(error, { ...attempt, apply: 'pull-request' }).message).toContain(
    'bypass the rules for branches `gump/**`',
  );
  expect(publishFailure(error, attempt).message).toContain('Set `apply: pull-request`');
});

describe('workflow files', () => {
  it('that the token may not change are named, and the branch is as before', async () => {
    const scene = await openPushScene({ 'a.txt': 'a\n' });
    scene.github.state.missingPermissions.add('workflows: write');
    scene.checkout.write('.github/workflows/ci.yml', 'on: push\n');
    const { push } = await scene.record();
    const workflowFiles = ['.github/workflows/ci.yml'];
    const failure = await pushChange(push, 'main').catch((error: unknown) =>
      publishFailure(error, { ...attempt, workflowFiles }),
    );
    expect(failure).toMatchObject({
      message: expect.stringMatching(
        /the change contains workflow files \(`\.github\/workflows\/ci\.yml`\), and the token may not change those/,
      ),
    });
    expect(await pushes(scene)).toBe(0);
  });
});
