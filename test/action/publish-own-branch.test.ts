import { describe, expect, it } from 'vitest';
import { chooseBranch, openOrUpdate } from '../../src/publish/open-pull-request.js';
import { publishFailure } from '../../src/publish/publish-failure.js';
import { isOwnText } from '../../src/publish/pull-request-text.js';
import { pushChange } from '../../src/publish/push-change.js';
import { pushOwnBranch } from '../../src/publish/push-own-branch.js';
import { openWorkspace } from '../../src/workspace/open.js';
import { ownText } from '../publish/own-text.js';
import { addedTree, openPushScene, type PushScene } from '../publish/push-scene.js';
import { secondaryLimit } from '../rig/github/faults.js';
import { actionsBot } from '../rig/github/state.js';

const branch = 'gump/flow-12';
const nameOf = (number: number) => (number === 1 ? branch : `${branch}-${number}`);

/** What a run for issue 12 publishes, with what is in the worktree now. */
async function publish(scene: PushScene, title = 'Title', runId = 1001) {
  const { push } = await scene.record({ runId });
  const chosen = await chooseBranch(scene.pulls, nameOf);
  const pushed = await pushOwnBranch(push, chosen.branch, 'main');
  const request = { branch: chosen.branch, base: 'main', text: ownText(title, `Body of ${title}`) };
  return { pushed, ...(await openOrUpdate(scene.pulls, request, chosen.open)) };
}

const changed = (scene: PushScene, range: string) =>
  scene.repository.git('diff', '--name-only', range).then((text) => text.split('\n').filter(Boolean));

describe('the branch of a pull request', () => {
  it('starts at the start commit, even if the base has moved since, so that nothing has to be merged', async () => {
    const scene = await openPushScene({ 'a.txt': 'a\n' });
    await scene.repository.commit({ 'a.txt': 'theirs\n' });
    scene.checkout.write('a.txt', 'ours\n');
    const { pull, isNew } = await publish(scene);
    expect(isNew).toBe(true);
    expect(await scene.repository.git('rev-parse', `${branch}^`)).toBe(scene.repository.sha);
    expect(await scene.repository.git('rev-parse', `${branch}^{tree}`)).toBe(addedTree(scene.checkout));
    expect(scene.github.state.pulls).toMatchObject([{ number: pull.number, base: 'main', headRef: branch }]);
  });

  it('starts at the base if the checkout is at a commit that the base does not have', async () => {
    const scene = await openPushScene({ 'a.txt': 'a\n' }, 'main');
    scene.checkout.git('commit', '--quiet', '--allow-empty', '--message', 'by an earlier step of the job');
    const workspace = await openWorkspace({
      directory: scene.checkout.root,
      privateDirectory: `${scene.checkout.home}/private`,
      env: scene.checkout.env,
    });
    scene.checkout.write('b.txt', 'b\n');
    const { files } = await workspace.commits.changeOf(await workspace.record('step'));
    const { push } = await scene.record();
    const { commits, startCommit } = workspace;
    const { commit } = await pushOwnBranch({ ...push, commits, startCommit, files }, branch, 'main');
    expect(await scene.repository.git('rev-parse', `${commit}^`)).toBe(scene.repository.sha);
  });

  it('gets the new result of a later run on top, in place of the old one', async () => {
    const scene = await openPushScene({ 'a.txt': 'a\n' });
    scene.checkout.write('a.txt', 'first\n');
    scene.checkout.write('old.txt', 'first\n');
    const first = await publish(scene);
    const newer = await scene.repository.commit({ 'main.txt': 'theirs\n' });
    scene.checkout.git('fetch', '--quiet', '--depth=1', 'origin', 'main');
    scene.checkout.git('reset', '--quiet', '--hard', newer);
    scene.checkout.remove('old.txt');
    const workspace = await openWorkspace({
      directory: scene.checkout.root,
      privateDirectory: `${scene.checkout.home}/second`,
      env: scene.checkout.env,
    });
    scene.checkout.write('a.txt', 'second\n');
    const { files } = await workspace.commits.changeOf(await workspace.record('step'));
    const { push } = await scene.record({ runId: 1002 });
    const { commits, startCommit } = workspace;
    const later = { ...push, commits, startCommit, files };
    const { commit } = await pushOwnBranch(later, branch, 'main');
    const parents = await scene.repository.git('log', '-1', '--format=%P', branch);
    expect(parents).toBe(`${first.pushed.commit} ${newer}`);
    expect(await scene.repository.git('rev-parse', branch)).toBe(commit);
    expect(await changed(scene, `main...${branch}`)).toEqual(['a.txt']);
    expect(await scene.repository.git('show', `${branch}:a.txt`)).toBe('second');
  });

  it('keeps what its base has if a run that started earlier ends later', async () => {
    const scene = await openPushScene({ 'a.txt': 'a\n', 'main.txt': 'm\n' });
    const newer = await scene.repository.commit({ 'main.txt': 'theirs\n' });
    scene.checkout.write('a.txt', 'early\n');
    const { push: early } = await scene.record({ runId: 1001 });
    scene.checkout.write('a.txt', 'a\n');
    scene.checkout.write('late.txt', 'late\n');
    const { push: late } = await scene.record({ runId: 1002 });
    // It started at the newer commit of the base.
    await scene.repository.git('branch', branch, newer);
    const { commit } = await pushChange(late, branch);
    await pushOwnBranch(early, branch, 'main');
    expect(await scene.repository.git('rev-parse', `${branch}^`)).toBe(commit);
    expect(await changed(scene, `main...${branch}`)).toEqual(['a.txt']);
    expect(await scene.repository.git('show', `${branch}:main.txt`)).toBe('theirs');
  });

  it('is not that of a fork of the same owner', async () => {
    const scene = await openPushScene({ 'a.txt': 'a\n' });
    const fork = {
      number: 5,
      title: 'T',
      body: '',
      author: actionsBot,
      state: 'open',
      base: 'main',
    } as const;
    scene.github.state.pulls.push({ ...fork, headRef: branch, headRepository: 'octo/fork-of-sample' });
    expect(await chooseBranch(scene.pulls, nameOf)).toEqual({ branch });
  });

  it('is merged with what people have pushed to it, and left alone if files clash', async () => {
    const scene = await openPushScene({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
    scene.checkout.write('a.txt', 'first\n');
    await publish(scene);
    await scene.repository.commit({ 'b.txt': 'by a person\n' }, { branch });
    scene.checkout.write('a.txt', 'first\n');
    scene.checkout.write('c.txt', 'second\n');
    await publish(scene, 'Title', 1002);
    expect(await scene.repository.git('show', `${branch}:b.txt`)).toBe('by a person');
    expect(await scene.repository.git('show', `${branch}:c.txt`)).toBe('second');
    scene.checkout.write('b.txt', 'ours\n');
    await expect(publish(scene, 'Title', 1003)).rejects.toThrow(
      'Branch `gump/flow-12` has other changes, and these files cannot be merged: `b.txt`.',
    );
  });

  it('is a new one after the pull request was closed or merged', async () => {
    const scene = await openPushScene({ 'a.txt': 'a\n' });
    scene.checkout.write('a.txt', 'first\n');
    const first = await publish(scene);
    const [pull] = scene.github.state.pulls;
    if (pull !== undefined) pull.state = 'closed';
    scene.checkout.write('a.txt', 'second\n');
    const second = await publish(scene, 'Title', 1002);
    expect(second.pull.number).not.toBe(first.pull.number);
    expect(scene.github.state.pulls.map(({ headRef }) => headRef)).toEqual([branch, `${branch}-2`]);
    expect(await scene.repository.git('rev-parse', branch)).toBe(first.pushed.commit);
  });
});

describe('the text of a pull request', () => {
  it('is updated by a later run, unless a person has edited it', async () => {
    const scene = await openPushScene({ 'a.txt': 'a\n' });
    scene.checkout.write('a.txt', 'first\n');
    await publish(scene, 'First');
    scene.checkout.write('a.txt', 'second\n');
    await publish(scene, 'Second', 1002);
    const [pull] = scene.github.state.pulls;
    expect(pull).toMatchObject({ title: 'Second', body: expect.stringContaining('Body of Second') });
    if (pull !== undefined) pull.title = 'By a person';
    scene.checkout.write('a.txt', 'third\n');
    await publish(scene, 'Third', 1003);
    expect(scene.github.state.pulls).toMatchObject([{ title: 'By a person' }]);
    expect(scene.github.state.pulls).toHaveLength(1);
  });

  it('counts as own with the line ends of a browser, and not with any other change', () => {
    const { title, body } = ownText('T', 'line\n\nother');
    expect(isOwnText({ title, body: body.replaceAll('\n', '\r\n') })).toBe(true);
    expect(isOwnText({ title, body: body.replace('other', 'another') })).toBe(false);
    expect(isOwnText({ title: 'U', body })).toBe(false);
    expect(isOwnText({ title, body: `${body} more` })).toBe(false);
    expect(isOwnText({ title, body: 'no marker' })).toBe(false);
  });
});

describe('opening a pull request', () => {
  it.each([
    ['a lost answer', { method: 'POST', path: '/pulls', reset: true, moment: 'after', times: 1 }],
    ['502 before', { method: 'POST', path: '/pulls', status: 502, times: 1 }],
    ['a secondary limit', secondaryLimit('/pulls')],
  ] as const)('after %s: there is one', async (_name, fault) => {
    const scene = await openPushScene({ 'a.txt': 'a\n' });
    scene.checkout.write('a.txt', 'first\n');
    scene.github.inject(fault);
    await publish(scene);
    expect(scene.github.state.pulls).toHaveLength(1);
  });

  it('that another job has opened meanwhile uses that', async () => {
    const scene = await openPushScene({ 'a.txt': 'a\n' });
    scene.checkout.write('a.txt', 'first\n');
    const { push } = await scene.record();
    await pushOwnBranch(push, branch, 'main');
    const other = {
      number: 5,
      title: 'Other',
      body: '',
      author: actionsBot,
      state: 'open',
      base: 'main',
    } as const;
    scene.github.state.pulls.push({ ...other, headRef: branch, headRepository: 'octo/sample' });
    const request = { branch, base: 'main', text: ownText('Title', 'Body') };
    expect(await openOrUpdate(scene.pulls, request, undefined)).toMatchObject({
      pull: { number: 5 },
      isNew: false,
    });
    expect(scene.github.state.pulls).toMatchObject([{ title: 'Other' }]);
  });

  it.each([
    ['create pull requests', /may not open pull requests here\. Switch on Settings, Actions, General/],
    [
      'pull-requests: write',
      /permission is missing\. Give the job `permissions:` with `pull-requests: write`/,
    ],
  ])(
    'that is not allowed (%s) leaves the branch, and the error says what to do',
    async (missing, message) => {
      const scene = await openPushScene({ 'a.txt': 'a\n' });
      scene.github.state.missingPermissions.add(missing);
      scene.checkout.write('a.txt', 'first\n');
      const failure = await publish(scene).catch((error: unknown) =>
        publishFailure(error, {
          apply: 'pull-request',
          what: `open the pull request from \`${branch}\``,
          permissions: ['pull-requests: write'],
          apiUrl: '',
          workflowFiles: [],
        }),
      );
      expect(failure).toMatchObject({ kind: 'auth', message: expect.stringMatching(message) });
      expect(failure).toMatchObject({ message: expect.stringContaining(branch) });
      expect(await changed(scene, `main..${branch}`)).toEqual(['a.txt']);
      scene.github.state.missingPermissions.clear();
      expect(await publish(scene)).toMatchObject({ isNew: true, pushed: { how: 'found' } });
    },
  );
});
