import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pushChange } from '../../src/publish/push-change.js';
import { openWorkspace } from '../../src/workspace/open.js';
import { addedTree, openPushScene } from './push-scene.js';

const lines = (changed: Readonly<Record<number, string>> = {}) =>
  Array.from({ length: 30 }, (_, at) => `${changed[at] ?? `line ${at}`}\n`).join('');

describe('a push', () => {
  it('has the tree that `git add --all` would make, of every kind of file', async () => {
    const scene = await openPushScene({
      'text.txt': 'old\n',
      'gone.txt': 'g\n',
      'moved.txt': 'm\n',
      run: 'r\n',
      'dir/file': 'd\n',
      name: 'n\n',
      '.gitattributes': '*.bat eol=crlf\n*.utf16 working-tree-encoding=UTF-16LE\n',
      'win.bat': 'one\ntwo\n',
    });
    const { checkout } = scene;
    checkout.write('text.txt', 'new ü\n');
    checkout.remove('gone.txt');
    renameSync(join(checkout.root, 'moved.txt'), join(checkout.root, 'to.txt'));
    chmodSync(join(checkout.root, 'run'), 0o755);
    checkout.remove('dir');
    checkout.write('dir', 'a file now\n');
    checkout.remove('name');
    checkout.write('name/deep/er', 'a directory now\n');
    checkout.write('latin1.txt', Buffer.from('caf\xe9\n', 'latin1'));
    checkout.write('zero.bin', Buffer.from([0, 1, 2, 255]));
    checkout.write('win.bat', 'one\r\n2\r\n');
    checkout.write('wide.utf16', Buffer.from('wide\n', 'utf16le'));
    checkout.write('empty', '');
    checkout.write('odd "name"\n\t\\ ü $(x).txt', 'odd\n');
    checkout.write('-option', 'o\n');
    symlinkSync('text.txt', join(checkout.root, 'link'));
    mkdirSync(join(checkout.root, 'nothing/in/it'), { recursive: true });
    const { push } = await scene.record();
    const { commit, how } = await pushChange(push, 'main');
    expect(how).toBe('pushed');
    expect(await scene.repository.git('rev-parse', 'main')).toBe(commit);
    expect(await scene.repository.git('rev-parse', 'main^')).toBe(scene.repository.sha);
    expect(await scene.repository.git('rev-parse', 'main^{tree}')).toBe(addedTree(checkout));
    expect(await scene.repository.git('show', 'main:win.bat')).toBe('one\n2');
    const author = await scene.repository.git('log', '-1', '--format=%an|%cn', 'main');
    expect(author).toBe('github-actions[bot]|github-actions[bot]');
  });

  it('does not contain what was changed or untracked before the run', async () => {
    const scene = await openPushScene({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
    scene.checkout.write('a.txt', 'by an earlier step of the job\n');
    scene.checkout.write('built.js', 'untracked\n');
    scene.checkout.write('report.txt', 'untracked, then changed\n');
    const workspace = await openWorkspace({
      directory: scene.checkout.root,
      privateDirectory: join(scene.checkout.home, 'private'),
      env: scene.checkout.env,
    });
    scene.checkout.write('b.txt', 'by the run\n');
    scene.checkout.write('report.txt', 'by the run\n');
    writeFileSync(join(scene.checkout.root, 'gha-creds-0123456789abcdef.json'), '{}');
    const { files } = await workspace.commits.changeOf(await workspace.record('step'));
    expect(files.map(({ path }) => path)).toEqual(['b.txt', 'report.txt']);
  });

  it('refuses files that a filter converts, submodules and names that are not UTF-8', async () => {
    const scene = await openPushScene({
      '.gitattributes': '*.bin filter=lfs\n*.key filter=git-crypt\n',
      'a.txt': 'a\n',
    });
    scene.checkout.write('big.bin', 'content\n');
    scene.checkout.write('my.key', 'secret\n');
    scene.checkout.write('.gitmodules', '[submodule "x"]\n');
    writeFileSync(Buffer.from(`${scene.checkout.root}/caf\xe9.txt`, 'latin1'), 'x\n');
    const { refused } = await scene.record();
    expect(refused.map(({ path, reason, filter }) => [path, reason, filter])).toEqual([
      ['caf\ufffd.txt', 'name', undefined],
      ['.gitmodules', 'submodule', undefined],
      ['big.bin', 'filter', 'lfs'],
      ['my.key', 'filter', 'git-crypt'],
    ]);
  });
});

describe('a branch that moved', () => {
  it('gets the change on top, merged line by line, without any other request for content', async () => {
    const scene = await openPushScene({ 'a.txt': lines(), 'b/c/d.txt': 'd\n', 'b/other/e.txt': 'e\n' });
    const theirs = { 'a.txt': lines({ 2: 'theirs' }), 'b/other/e.txt': 'theirs\n', 'new.txt': 'n\n' };
    const moved = await scene.repository.commit(theirs);
    scene.checkout.write('a.txt', lines({ 20: 'ours' }));
    scene.checkout.write('b/c/d.txt', 'ours\n');
    const { push } = await scene.record();
    const { commit } = await pushChange(push, 'main');
    expect(await scene.repository.git('rev-parse', `${commit}^`)).toBe(moved);
    expect(`${await scene.repository.git('show', 'main:a.txt')}\n`).toBe(lines({ 2: 'theirs', 20: 'ours' }));
    expect(await scene.repository.git('show', 'main:b/c/d.txt')).toBe('ours');
    expect(await scene.repository.git('show', 'main:b/other/e.txt')).toBe('theirs');
    const read = scene.github.requests().filter(({ path }) => path.includes('/git/blobs/'));
    expect(read).toHaveLength(1);
  });

  it('is left alone if files clash, and the failure names them', async () => {
    const scene = await openPushScene({ 'a.txt': lines(), 'b.txt': 'b\n', 'c.txt': 'c\n', 'd.txt': 'd\n' });
    const moved = await scene.repository.commit({
      'a.txt': lines({ 2: 'theirs' }),
      'b.txt': null,
      'new/x': 'theirs\n',
      taken: 'theirs\n',
      'd.txt': 'theirs\n',
    });
    scene.checkout.write('a.txt', lines({ 2: 'ours' }));
    scene.checkout.write('b.txt', 'ours\n');
    scene.checkout.write('new', 'ours\n');
    scene.checkout.write('taken/by', 'ours\n');
    scene.checkout.remove('d.txt');
    scene.checkout.write('c.txt', 'ours\n');
    const { push } = await scene.record();
    await expect(pushChange(push, 'main')).rejects.toThrow(
      'Branch `main` has other changes, and these files cannot be merged: `a.txt`, `b.txt`, `d.txt`, `new`, `taken/by`. Nothing was pushed.',
    );
    expect(await scene.repository.git('rev-parse', 'main')).toBe(moved);
    expect(scene.github.requests().filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('between the look and the push is merged once more', async () => {
    const scene = await openPushScene({ 'a.txt': lines() });
    scene.checkout.write('a.txt', lines({ 20: 'ours' }));
    const { push } = await scene.record();
    const moveBranch: typeof push.target.moveBranch = async (branch, commit) => {
      if (!(await scene.repository.git('log', '--format=%s', 'main')).includes('theirs'))
        await scene.repository.commit({ 'a.txt': lines({ 2: 'theirs' }) }, { message: 'theirs' });
      return push.target.moveBranch(branch, commit);
    };
    await pushChange({ ...push, target: { ...push.target, moveBranch } }, 'main');
    expect(`${await scene.repository.git('show', 'main:a.txt')}\n`).toBe(lines({ 2: 'theirs', 20: 'ours' }));
  });

  it('on top of a push whose answer got lost names the pushed commit, and not that of others', async () => {
    const scene = await openPushScene({ 'a.txt': 'a\n' });
    scene.checkout.write('b.txt', 'ours\n');
    const { push } = await scene.record();
    let pushed = '';
    const moveBranch: typeof push.target.moveBranch = async (branch, commit) => {
      pushed = commit;
      await push.target.moveBranch(branch, commit);
      await scene.repository.commit({ 'their.txt': 'x\n' });
      return push.target.moveBranch(branch, commit);
    };
    const outcome = await pushChange({ ...push, target: { ...push.target, moveBranch } }, 'main');
    expect(outcome).toEqual({ commit: pushed, how: 'pushed' });
    expect(await scene.repository.git('rev-parse', 'main^')).toBe(pushed);
  });

  it('twice during the push is a failure, and nothing is forced', async () => {
    const scene = await openPushScene({ 'a.txt': 'a\n' });
    scene.checkout.write('b.txt', 'ours\n');
    const { push } = await scene.record();
    let moves = 0;
    const moveBranch: typeof push.target.moveBranch = async (branch, commit) => {
      moves += 1;
      await scene.repository.commit({ [`their-${moves}`]: 'x\n' });
      return push.target.moveBranch(branch, commit);
    };
    await expect(pushChange({ ...push, target: { ...push.target, moveBranch } }, 'main')).rejects.toThrow(
      'Branch `main` moved twice while the action pushed. Nothing was pushed.',
    );
    expect(moves).toBe(2);
    expect(await scene.repository.git('ls-tree', '--name-only', 'main')).not.toContain('b.txt');
  });

  it('to the same content gets no commit', async () => {
    const scene = await openPushScene({ 'a.txt': 'a\n' });
    const moved = await scene.repository.commit({ 'a.txt': 'new\n' });
    scene.checkout.write('a.txt', 'new\n');
    const { push } = await scene.record();
    expect(await pushChange(push, 'main')).toEqual({ commit: moved, how: 'contained' });
  });

  it('and is gone is a failure', async () => {
    const scene = await openPushScene({ 'a.txt': 'a\n' });
    await scene.repository.commit({}, { branch: 'other' });
    scene.checkout.write('b.txt', 'b\n');
    const { push } = await scene.record();
    await expect(pushChange(push, 'topic')).rejects.toThrow(
      'Branch `topic` does not exist at GitHub any more. Nothing was pushed.',
    );
  });
});
