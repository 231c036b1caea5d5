/** Submodules and other repositories in the worktree: what steps change in them is found, because it is not stored. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Checkout, checkoutAt, cloneOf, repository } from './checkout.js';

/** A repository with the submodule `lib`, checked out. */
function withSubmodule(): Checkout {
  const deep = repository({ 'deep.c': '1' });
  const library = repository({ 'lib.c': '1', 'other.c': '2', '.gitignore': '*.o\n' });
  library.git('submodule', '--quiet', 'add', `file://${deep.root}`, 'deep');
  library.git('commit', '-qm', 'deep');
  const checkout = repository({ 'a.txt': 'a' });
  checkout.git('submodule', '--quiet', 'add', `file://${library.root}`, 'lib');
  checkout.git('submodule', '--quiet', 'update', '--init', '--recursive');
  checkout.git('commit', '-qm', 'submodule');
  return checkout;
}

const inside = (checkout: Checkout, path = 'lib') => checkoutAt(join(checkout.root, path));

describe('a change in a submodule is reported once', () => {
  it.each<[string, (checkout: Checkout) => void]>([
    ['a changed file', (one) => one.write('lib/lib.c', 'changed')],
    ['a file with the same size', (one) => one.write('lib/lib.c', '2')],
    ['a new file', (one) => one.write('lib/new/file', 'x')],
    ['a deleted file', (one) => one.remove('lib/lib.c')],
    ['a commit', (one) => inside(one).git('commit', '-q', '--allow-empty', '-m', 'x')],
    [
      'a commit of a change',
      (one) => {
        one.write('lib/lib.c', 'changed');
        inside(one).git('commit', '-qam', 'x');
      },
    ],
    ['another commit', (one) => inside(one).git('checkout', '-q', 'HEAD~1')],
    ['a change in its submodule', (one) => one.write('lib/deep/deep.c', 'changed')],
    ['a repository that git cannot read any more', (one) => one.write('lib/.git', 'gitdir: /nowhere\n')],
    [
      'a configuration that names another worktree',
      (one) => {
        inside(one).git('config', 'core.worktree', '/');
        one.write('lib/lib.c', 'changed');
      },
    ],
    [
      'a hidden file',
      (one) => {
        one.write('.git/modules/lib/info/exclude', '*\n');
        one.write('lib/hidden', 'x');
      },
    ],
  ])('%s', async (_name, act) => {
    const checkout = withSubmodule();
    const workspace = await checkout.open();
    expect((await workspace.record('before')).unstored).toEqual([]);
    act(checkout);
    expect((await workspace.record('x')).unstored).toEqual(['lib/']);
    expect((await workspace.record('y')).unstored).toEqual([]);
  });

  it.each<[string, (checkout: Checkout) => void]>([
    ['an ignored file', (one) => one.write('lib/lib.o', 'x')],
    ['a branch', (one) => inside(one).git('checkout', '-q', '-b', 'other')],
    ['a look', (one) => inside(one).git('status')],
  ])('but not %s', async (_name, act) => {
    const checkout = withSubmodule();
    const workspace = await checkout.open();
    act(checkout);
    const after = await workspace.record('x');
    expect([after.unstored, after.changed]).toEqual([[], false]);
  });

  it('not if it was present at the start, or a gate made it', async () => {
    const checkout = withSubmodule();
    checkout.write('lib/lib.c', 'of the user');
    const workspace = await checkout.open();
    checkout.write('lib/other.c', 'of a gate');
    await workspace.disown();
    expect((await workspace.record('x')).unstored).toEqual([]);
    checkout.write('lib/other.c', 'of a step');
    expect((await workspace.record('y')).unstored).toEqual(['lib/']);
  });

  it('also if the submodule is not checked out, and checking it out is no change', async () => {
    const checkout = cloneOf(withSubmodule());
    const workspace = await checkout.open();
    checkout.write('lib/lost.c', 'x');
    expect((await workspace.record('x')).unstored).toEqual(['lib/']);
    checkout.remove('lib/lost.c');
    await workspace.record('y');
    checkout.git('submodule', '--quiet', 'update', '--init');
    expect((await workspace.record('z')).unstored).toEqual([]);
  });

  it('also in the worktree of a parallel branch', async () => {
    const checkout = withSubmodule();
    const main = await checkout.open();
    const { workspace, close } = await main.branchWorktrees.open(
      join(checkout.home, 'branch'),
      main.startSnapshot,
    );
    mkdirSync(join(workspace.root, 'lib'), { recursive: true });
    writeFileSync(join(workspace.root, 'lib/lost.c'), 'x');
    expect((await workspace.record('x')).unstored).toEqual(['lib/']);
    await close();
  });
});

describe('a change in another repository in the worktree is reported once', () => {
  const nestedIn = (checkout: Checkout): Checkout => {
    const nested = checkoutAt(join(checkout.root, 'nested'));
    mkdirSync(nested.root);
    nested.git('init', '-q');
    nested.write('inside', 'x');
    nested.git('add', '-A');
    nested.git('commit', '-qm', 'x');
    return nested;
  };

  it('if a step made it, changed it or removed it', async () => {
    const checkout = repository();
    const workspace = await checkout.open();
    const nested = nestedIn(checkout);
    expect((await workspace.record('made')).unstored).toEqual(['nested/']);
    nested.write('inside', 'changed');
    expect((await workspace.record('changed')).unstored).toEqual(['nested/']);
    checkout.remove('nested');
    expect((await workspace.record('removed')).unstored).toEqual(['nested/']);
    expect((await workspace.record('again')).unstored).toEqual([]);
  });

  it('if it was present at the start', async () => {
    const checkout = repository();
    const nested = nestedIn(checkout);
    const workspace = await checkout.open();
    expect((await workspace.record('nothing')).unstored).toEqual([]);
    nested.write('inside', 'changed');
    expect((await workspace.record('changed')).unstored).toEqual(['nested/']);
  });

  it('not if git ignores it', async () => {
    const checkout = repository({ '.gitignore': 'nested/\n' });
    const workspace = await checkout.open();
    nestedIn(checkout);
    expect((await workspace.record('x')).unstored).toEqual([]);
  });
});
