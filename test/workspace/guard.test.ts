import { existsSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Checkout, installHook, repository, temporaryDirectory } from './checkout.js';

const headOf = (checkout: Checkout) => [checkout.read('.git/HEAD'), checkout.git('rev-parse', 'main').trim()];

describe('after an agent', () => {
  const agentDid: readonly (readonly [string, (checkout: Checkout) => void])[] = [
    ['staged', (one) => one.git('add', '-A')],
    ['committed', (one) => one.git('commit', '-qam', 'agent')],
    ['switched the branch', (one) => one.git('checkout', '-q', '-b', 'agent')],
    [
      'detached HEAD and committed',
      (one) => {
        one.git('checkout', '-q', '--detach');
        one.git('commit', '-qam', 'agent');
      },
    ],
    [
      'packed its refs after a commit',
      (one) => {
        one.git('commit', '-qam', 'agent');
        one.git('pack-refs', '--all');
      },
    ],
    [
      'deleted the branch',
      (one) => {
        one.git('checkout', '-q', '-b', 'agent');
        one.git('branch', '-q', '-D', 'main');
      },
    ],
    ['only ran git status', (one) => one.git('status')],
    [
      'was killed while it ran git',
      (one) => {
        one.write('.git/index.lock', '');
        one.write('.git/HEAD.lock', '');
      },
    ],
    [
      'was killed while it committed',
      (one) => {
        one.git('commit', '-qam', 'agent');
        one.write('.git/refs/heads/main.lock', '');
      },
    ],
    ['removed the index', (one) => one.remove('.git/index')],
    ['damaged HEAD', (one) => one.write('.git/HEAD', 'nonsense')],
  ];

  it.each(agentDid)(
    'that %s, HEAD, branch and index are restored, and its files stay and are recorded',
    async (_name, act) => {
      const checkout = repository({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
      checkout.write('b.txt', 'staged by the user\n');
      checkout.git('add', 'b.txt');
      const workspace = await checkout.open();
      const before = [headOf(checkout), checkout.git('ls-files', '-s')];
      const restore = await workspace.saveGitState();
      checkout.write('a.txt', 'by the agent\n');
      act(checkout);
      await restore();
      const after = await workspace.record('x');
      expect([headOf(checkout), checkout.git('ls-files', '-s')]).toEqual(before);
      expect(await workspace.changes(workspace.startSnapshot, after)).toEqual([
        { path: 'a.txt', kind: 'modified' },
      ]);
      expect(checkout.git('status', '--porcelain')).toBe(' M a.txt\nM  b.txt\n');
      expect(existsSync(join(checkout.root, '.git/index.lock'))).toBe(false);
    },
  );

  it('that left an unfinished merge, the merge is removed', async () => {
    const checkout = repository();
    checkout.git('checkout', '-q', '-b', 'other');
    checkout.write('a.txt', 'other\n');
    checkout.git('commit', '-qam', 'other');
    checkout.git('checkout', '-q', 'main');
    const workspace = await checkout.open();
    const restore = await workspace.saveGitState();
    checkout.write('a.txt', 'mine\n');
    checkout.git('commit', '-qam', 'mine');
    expect(() => checkout.git('merge', 'other')).toThrow();
    await restore();
    expect(existsSync(join(checkout.root, '.git/MERGE_HEAD'))).toBe(false);
    expect(checkout.git('status', '--porcelain')).toBe(' M a.txt\n');
  });

  it('a merge that the user had started is still present', async () => {
    const checkout = repository();
    checkout.write('.git/MERGE_MSG', 'mine');
    const workspace = await checkout.open();
    await (await workspace.saveGitState())();
    expect(checkout.read('.git/MERGE_MSG')).toBe('mine');
  });

  it('on a detached HEAD, HEAD is detached at the same commit', async () => {
    const checkout = repository();
    checkout.git('checkout', '-q', '--detach');
    const workspace = await checkout.open();
    const restore = await workspace.saveGitState();
    checkout.write('a.txt', 'b\n');
    checkout.git('commit', '-qam', 'agent');
    checkout.git('checkout', '-q', 'main');
    await restore();
    expect(checkout.read('.git/HEAD')).toBe(`${workspace.startCommit}\n`);
    expect(checkout.git('rev-parse', 'main').trim()).toBe(workspace.startCommit);
  });

  it('a branch that is only in packed-refs is restored', async () => {
    const checkout = repository();
    checkout.git('branch', 'another-main');
    checkout.git('pack-refs', '--all');
    const workspace = await checkout.open();
    const restore = await workspace.saveGitState();
    checkout.write('a.txt', 'b\n');
    checkout.git('commit', '-qam', 'agent');
    await restore();
    expect(checkout.git('rev-parse', 'main').trim()).toBe(workspace.startCommit);
  });

  it('nothing is written if nothing was moved, also the second time', async () => {
    const checkout = repository();
    const workspace = await checkout.open();
    const before = checkout.gitState();
    for (const content of ['1', '2', '3']) {
      const restore = await workspace.saveGitState();
      checkout.write('a.txt', content);
      await restore();
    }
    expect(checkout.gitState()).toBe(before);
  });

  it('the index is restored after every attempt', async () => {
    const checkout = repository();
    const workspace = await checkout.open();
    for (const content of ['1', '2', '3']) {
      const restore = await workspace.saveGitState();
      checkout.write('a.txt', content);
      checkout.git('commit', '-qam', content);
      await restore();
      expect(checkout.git('status', '--porcelain')).toBe(' M a.txt\n');
    }
  });

  it('the index keeps its time, so that git reads files written in the same second again', async () => {
    const checkout = repository();
    const index = join(checkout.root, '.git/index');
    utimesSync(index, 1_700_000_000, 1_700_000_000);
    const workspace = await checkout.open();
    const restore = await workspace.saveGitState();
    checkout.write('a.txt', 'b\n');
    checkout.git('add', '-A');
    await restore();
    expect(statSync(index).mtimeMs).toBe(1_700_000_000_000);
  });

  it('an index that the user changed between attempts is kept', async () => {
    const checkout = repository();
    const workspace = await checkout.open();
    await (await workspace.saveGitState())();
    checkout.write('n.txt', 'n');
    checkout.git('add', 'n.txt');
    const restore = await workspace.saveGitState();
    checkout.git('rm', '-q', '--cached', 'n.txt');
    await restore();
    expect(checkout.git('status', '--porcelain')).toBe('A  n.txt\n');
  });

  it('no hook runs when the branch is restored', async () => {
    const checkout = repository();
    const workspace = await checkout.open();
    const restore = await workspace.saveGitState();
    checkout.write('a.txt', 'b\n');
    checkout.git('commit', '-qam', 'agent');
    const marker = join(temporaryDirectory(), 'hooks-that-ran');
    writeFileSync(marker, '');
    rmSync(marker);
    for (const hook of ['reference-transaction', 'post-index-change', 'pre-commit'])
      installHook(checkout, hook, marker);
    await restore();
    expect(existsSync(marker)).toBe(false);
    expect(checkout.git('rev-parse', 'main').trim()).toBe(workspace.startCommit);
  });
});
