import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { removeLeftoverWorktrees } from '../../src/workspace/clean-leftovers.js';
import type { BranchWorktree, Snapshot, Workspace } from '../../src/workspace/workspace.js';
import {
  type Checkout,
  checkoutAt,
  cloneOf,
  installHook,
  repository,
  temporaryDirectory,
} from './checkout.js';

interface OpenBranch {
  readonly branch: BranchWorktree;
  readonly checkout: Checkout;
}

const branchDirectory = (name = 'branch') => join(temporaryDirectory(), 'not there yet', name);

async function openBranch(
  main: Workspace,
  from: Snapshot = main.startSnapshot,
  directory = branchDirectory(),
): Promise<OpenBranch> {
  const branch = await main.branchWorktrees.open(directory, from);
  return { branch, checkout: checkoutAt(branch.workspace.root) };
}

const entriesOf = (checkout: Checkout) => {
  const entries = join(checkout.root, '.git/worktrees');
  return existsSync(entries) ? readdirSync(entries) : [];
};

describe('the worktree of a parallel branch', () => {
  it('has the state it is opened from, uncommitted on the start commit, without ignored files', async () => {
    const checkout = repository({
      '.gitignore': 'node_modules\n',
      'a.txt': 'a\n',
      'gone.txt': 'g',
      run: 'r',
    });
    checkout.write('node_modules/x', 'x');
    const main = await checkout.open();
    checkout.write('a.txt', 'step\n');
    checkout.write('dir/new.txt', 'n');
    checkout.remove('gone.txt');
    chmodSync(join(checkout.root, 'run'), 0o755);
    symlinkSync('a.txt', join(checkout.root, 'link'));
    const state = await main.record('x');
    const { branch, checkout: at } = await openBranch(main, state);
    const { 'node_modules/x': _ignored, ...files } = checkout.files();
    expect(at.files()).toEqual(files);
    expect(at.git('rev-parse', 'HEAD').trim()).toBe(main.startCommit);
    expect(at.read('.git')).toMatch(/^gitdir: /);
    expect(at.git('status', '--porcelain')).toBe(checkout.git('status', '--porcelain'));
    expect(at.git('rev-parse', '--abbrev-ref', 'HEAD').trim()).toBe('HEAD');
    expect(branch.workspace).toMatchObject({ startCommit: main.startCommit, startTree: main.startTree });
    expect(branch.workspace.startSnapshot).toEqual(main.startSnapshot);
    expect(await branch.workspace.record('nothing yet')).toEqual({ ...state, leftOut: [], changed: false });
  });

  it('changes nothing in the repository, even with hooks and a setting for relative paths', async () => {
    const checkout = repository();
    const marker = join(temporaryDirectory(), 'hooks');
    for (const hook of ['post-checkout', 'post-index-change', 'reference-transaction']) {
      installHook(checkout, hook, marker);
    }
    checkout.git('config', 'worktree.useRelativePaths', 'true');
    const before = checkout.gitState();
    const main = await checkout.open();
    const directory = branchDirectory();
    const { branch, checkout: at } = await openBranch(main, main.startSnapshot, directory);
    at.write('a.txt', 'b');
    await branch.workspace.record('x');
    await branch.workspace.reset(main.startSnapshot);
    expect(at.read('a.txt')).toBe('a\n');
    await branch.close();
    await branch.close();
    expect(existsSync(directory)).toBe(false);
    expect(checkout.gitState()).toBe(before);
    expect(existsSync(marker)).toBe(false);
    expect(readdirSync(checkout.privateDirectory()).filter((name) => name.startsWith('branch-'))).toEqual([]);
  });

  it('shares snapshots with the main worktree in both directions', async () => {
    const checkout = repository({ 'a.txt': '1\n', 'b.txt': '1\n' });
    checkout.write('untracked', 'u1');
    checkout.write('untouched', 'u');
    const main = await checkout.open();
    const { branch, checkout: at } = await openBranch(main);
    expect(at.files()).toEqual(checkout.files());
    at.write('a.txt', 'by the branch\n');
    at.write('untracked', 'u2');
    const fromBranch = await branch.workspace.record('branch');
    checkout.write('b.txt', 'by main\n');
    const fromMain = await main.record('main');

    expect(await main.changes(main.startSnapshot, fromBranch)).toEqual([
      { path: 'a.txt', kind: 'modified' },
      { path: 'untracked', kind: 'modified' },
    ]);
    expect(await main.patch(main.startSnapshot, fromBranch)).toBe(
      await branch.workspace.patch(main.startSnapshot, fromBranch),
    );
    expect((await branch.workspace.changes(fromMain, fromBranch)).map(({ path }) => path)).toEqual([
      'a.txt',
      'b.txt',
      'untracked',
    ]);
    const packed = await main.pack([fromBranch]);
    expect(packed.length).toBeGreaterThan(0);
    expect((await branch.workspace.pack([fromMain])).length).toBeGreaterThan(0);

    const ofUnit = at.files();
    const ofMain = checkout.files();
    await main.reset(fromBranch);
    await branch.workspace.reset(fromMain);
    expect([checkout.files(), at.files()]).toEqual([ofUnit, ofMain]);
  });

  it('leaves a file that was untracked at the start out of its change unless a step writes it', async () => {
    const checkout = repository();
    checkout.write('secret.txt', 'u');
    const main = await checkout.open();
    const { branch, checkout: at } = await openBranch(main);
    at.write('a.txt', 'b');
    const after = await branch.workspace.record('x');
    expect(checkout.git('status', '--porcelain')).toBe('?? secret.txt\n');
    expect(at.read('secret.txt')).toBe('u');
    const target = cloneOf(checkout);
    const other = await target.open();
    await other.unpack(await main.pack([after]));
    expect(await other.apply(after)).toEqual([]);
    expect(target.files()).toEqual({ 'a.txt': 'b' });
  });

  it('is used at the same time as others', async () => {
    const checkout = repository(
      Object.fromEntries([...Array(40).keys()].map((number) => [`f${number}`, 'x'])),
    );
    const main = await checkout.open();
    const parent = temporaryDirectory();
    const names = ['a', 'b', 'c', 'd'];
    const opened = await Promise.all(
      names.map((name) => openBranch(main, main.startSnapshot, join(parent, name, 'same'))),
    );
    expect(entriesOf(checkout)).toHaveLength(4);
    const snapshots = await Promise.all(
      opened.map(async ({ branch, checkout: at }, number) => {
        at.write(`f${number}`, `branch ${number}`);
        await branch.workspace.record('first');
        at.write(`new${number}`, 'n');
        return branch.workspace.record('second');
      }),
    );
    const changes = await Promise.all(snapshots.map((one) => main.changes(main.startSnapshot, one)));
    expect(changes.map((list) => list.map(({ path }) => path))).toEqual(
      names.map((_name, number) => [`f${number}`, `new${number}`]),
    );
    await Promise.all(opened.map(({ branch }) => branch.close()));
    expect(entriesOf(checkout)).toEqual([]);
  });

  it('restores HEAD, index and the branch of the main worktree after an agent commits', async () => {
    const checkout = repository();
    checkout.write('staged.txt', 's');
    checkout.git('add', 'staged.txt');
    const main = await checkout.open();
    const { branch, checkout: at } = await openBranch(main);
    const before = [
      checkout.read('.git/HEAD'),
      checkout.git('rev-parse', 'main'),
      checkout.git('ls-files', '-s'),
    ];
    const restore = await branch.workspace.saveGitState();
    at.write('a.txt', 'b\n');
    at.git('commit', '-qam', 'agent');
    at.git('checkout', '-q', '-b', 'agents-own');
    at.git('update-ref', 'refs/heads/main', 'HEAD');
    checkout.git('add', '-A');
    await restore();
    const after = await branch.workspace.record('x');
    expect(await main.changes(main.startSnapshot, after)).toEqual([{ path: 'a.txt', kind: 'modified' }]);
    expect(at.git('rev-parse', '--abbrev-ref', 'HEAD').trim()).toBe('HEAD');
    expect(at.git('rev-parse', 'HEAD').trim()).toBe(main.startCommit);
    expect(at.git('status', '--porcelain')).toBe(' M a.txt\n?? staged.txt\n');
    expect([
      checkout.read('.git/HEAD'),
      checkout.git('rev-parse', 'main'),
      checkout.git('ls-files', '-s'),
    ]).toEqual(before);
  });

  it('has an output directory that is in no snapshot', async () => {
    const checkout = repository();
    const main = await checkout.open();
    const { branch, checkout: at } = await openBranch(main);
    await branch.workspace.emptyOutput();
    at.write('.gump/out/plan.json', '[]');
    expect((await branch.workspace.record('x')).changed).toBe(false);
    await branch.workspace.removeOutput();
    expect(Object.keys(at.files())).toEqual(['a.txt']);
  });

  it('separates what gates wrote from what steps wrote', async () => {
    const main = await repository({ 'a.txt': 'a', 'b.txt': 'b' }).open();
    const { branch, checkout: at } = await openBranch(main);
    at.write('a.txt', 'step');
    const first = await branch.workspace.record('x');
    at.write('b.txt', 'gate');
    await branch.workspace.disown();
    expect(await branch.workspace.record('y')).toEqual({ ...first, changed: false });
    await branch.workspace.reset(main.startSnapshot);
    expect(at.files()).toEqual({ 'a.txt': 'a', 'b.txt': 'gate' });
  });

  it('opens from the snapshot of a parallel branch, also in another clone', async () => {
    const source = repository({ 'a.txt': 'a\n' });
    source.write('untracked', 'here');
    const first = await source.open();
    const { branch, checkout: at } = await openBranch(first);
    at.write('a.txt', 'branch\n');
    at.write('deep/new', 'n');
    at.write('untracked', 'changed');
    const state = await branch.workspace.record('x');
    const pack = await first.pack([state]);

    const target = cloneOf(source, '--depth', '1');
    target.write('untracked', 'here');
    target.write('of this machine', 'm');
    const second = await target.open();
    await second.unpack(pack);
    const reopened = await openBranch(second, state);
    expect(reopened.checkout.files()).toEqual({ ...at.files(), 'of this machine': 'm' });
    reopened.checkout.write('a.txt', 'changed later\n');
    const later = await reopened.branch.workspace.record('y');
    expect(await second.changes(state, later)).toEqual([{ path: 'a.txt', kind: 'modified' }]);
    expect(target.read('a.txt')).toBe('a\n');
    const third = cloneOf(source);
    third.write('untracked', 'here');
    const last = await third.open();
    await last.unpack(await second.pack([state, later]));
    expect((await last.changes(last.startSnapshot, later)).map(({ path }) => path)).toEqual([
      'a.txt',
      'deep/new',
      'untracked',
    ]);
  });
});

describe('setUp of a worktree', () => {
  it('runs before the step: its files belong to no step, even if .gitignore changes', async () => {
    const checkout = repository({ '.gitignore': 'node_modules\n.env\n', 'lock.json': '1' });
    const main = await checkout.open({ maximumFileBytes: 10 });
    const seen: string[] = [];
    const directory = branchDirectory();
    const branch = await main.branchWorktrees.open(directory, main.startSnapshot, async (working) => {
      seen.push(working);
      const at = checkoutAt(working);
      expect(at.read('lock.json')).toBe('1');
      at.write('node_modules/x', 'x');
      at.write('.env', 'secret');
      at.write('lock.json', '2');
      at.write('large.bin', 'more than ten bytes');
    });
    const at = checkoutAt(branch.workspace.root);
    expect(seen).toEqual([branch.workspace.directory]);
    expect(await branch.workspace.record('x')).toMatchObject({
      ...main.startSnapshot,
      leftOut: [],
      changed: false,
    });
    at.write('.gitignore', '');
    at.write('new.txt', 'n');
    const after = await branch.workspace.record('y');
    expect((await main.changes(main.startSnapshot, after)).map(({ path }) => path)).toEqual([
      '.gitignore',
      'new.txt',
    ]);
    await branch.workspace.reset(main.startSnapshot);
    expect(at.files()).toMatchObject({ 'node_modules/x': 'x', '.env': 'secret', 'lock.json': '2' });
    expect(at.read('large.bin')).toBe('more than ten bytes');
  });

  it('leaves nothing behind if it fails', async () => {
    const checkout = repository();
    const before = checkout.gitState();
    const main = await checkout.open();
    const directory = branchDirectory();
    const failing = main.branchWorktrees.open(directory, main.startSnapshot, async () => {
      throw new Error('npm ci failed');
    });
    await expect(failing).rejects.toThrow('npm ci failed');
    expect(existsSync(directory)).toBe(false);
    expect(checkout.gitState()).toBe(before);
  });
});

describe('leftovers of an earlier job', () => {
  const leftovers: readonly (readonly [string, (checkout: Checkout, directory: string) => void])[] = [
    ['a directory with files', (_checkout, directory) => checkoutAt(directory).write('deep/x', 'x')],
    ['a file', (_checkout, directory) => writeFileSync(directory, 'x')],
    ['a link', (checkout, directory) => symlinkSync(checkout.root, directory)],
    ['a worktree', (checkout, directory) => checkout.git('worktree', 'add', '-q', '--detach', directory)],
    [
      'a locked worktree in the middle of a merge',
      (checkout, directory) => {
        checkout.git('worktree', 'add', '-q', '--detach', directory);
        checkout.git('worktree', 'lock', directory);
        checkout.write('.git/worktrees/branch/MERGE_HEAD', 'x');
        checkout.write('.git/worktrees/branch/index.lock', '');
      },
    ],
    [
      'a locked entry whose directory is gone',
      (checkout, directory) => {
        checkout.git('worktree', 'add', '-q', '--detach', directory);
        checkout.git('worktree', 'lock', directory);
        rmSync(join(directory, '..'), { recursive: true });
      },
    ],
    [
      'an entry that was not finished',
      (checkout, directory) => {
        checkout.write('.git/worktrees/branch/locked', 'initializing');
        checkout.write('.git/worktrees/branch/gitdir', `${directory}/.git\n`);
      },
    ],
  ];

  it.each(leftovers)('do not block a new worktree: %s', async (_name, leave) => {
    const checkout = repository();
    const main = await checkout.open();
    const files = checkout.files();
    const directory = branchDirectory();
    mkdirSync(join(directory, '..'), { recursive: true });
    leave(checkout, directory);
    const { branch, checkout: at } = await openBranch(main, main.startSnapshot, directory);
    expect(branch.workspace.root).toBe(directory);
    expect(at.files()).toEqual(files);
    at.write('a.txt', 'b');
    expect((await branch.workspace.record('x')).changed).toBe(true);
    expect(entriesOf(checkout)).toHaveLength(1);
    await branch.close();
    expect(entriesOf(checkout)).toEqual([]);
    expect(checkout.files()).toEqual(files);
  });

  it('do not block a new worktree: an incomplete entry without a directory', async () => {
    const checkout = repository();
    checkout.write('.git/worktrees/branch/locked', 'initializing');
    const main = await checkout.open();
    const { branch, checkout: at } = await openBranch(main);
    expect(at.files()).toEqual(checkout.files());
    await branch.close();
    expect(entriesOf(checkout)).toEqual(['branch']);
  });

  it('are removed by a later process, which leaves other worktrees alone', async () => {
    const checkout = repository();
    const users = join(temporaryDirectory(), 'branches-of-the-user');
    checkout.git('worktree', 'add', '-q', '--detach', users);
    const before = checkout.gitState();
    const parent = join(temporaryDirectory(), 'branches');
    const main = await checkout.open();
    const one = await openBranch(main, main.startSnapshot, join(parent, 'one'));
    await openBranch(main, main.startSnapshot, join(parent, 'two/deep'));
    rmSync(one.branch.workspace.root, { recursive: true });
    const privateDirectory = checkout.privateDirectory();
    removeLeftoverWorktrees(privateDirectory, parent);
    expect(checkout.gitState()).toBe(before);
    expect(existsSync(join(parent, 'two/deep'))).toBe(false);
    expect(existsSync(users)).toBe(true);
  });

  it.skipIf(process.getuid?.() === 0)('is removed though directories in it are read-only', async () => {
    const main = await repository().open();
    const directory = branchDirectory();
    const { branch, checkout: at } = await openBranch(main, main.startSnapshot, directory);
    at.write('cache/module/file', 'x');
    chmodSync(join(directory, 'cache/module'), 0o555);
    await branch.close();
    expect(existsSync(directory)).toBe(false);
  });
});

describe('closing a worktree', () => {
  it('removes the entry of a worktree whose directory is gone', async () => {
    const checkout = repository();
    const before = checkout.gitState();
    const main = await checkout.open();
    const { branch } = await openBranch(main);
    rmSync(branch.workspace.root, { recursive: true });
    await branch.close();
    expect(checkout.gitState()).toBe(before);
  });

  it('leaves other worktrees and all snapshots', async () => {
    const checkout = repository();
    const users = join(temporaryDirectory(), 'branch');
    checkout.git('worktree', 'add', '-q', '--detach', users);
    const before = checkout.gitState();
    const main = await checkout.open();
    const { branch, checkout: at } = await openBranch(main);
    at.write('a.txt', 'b');
    const after = await branch.workspace.record('x');
    await branch.close();
    expect(checkout.gitState()).toBe(before);
    await main.reset(after);
    expect(checkout.read('a.txt')).toBe('b');
  });
});

describe('a directory for a worktree', () => {
  it('is refused inside and above the repository, and nothing is removed', async () => {
    const checkout = repository();
    const main = await checkout.open();
    const before = checkout.files();
    const link = join(temporaryDirectory(), 'link');
    symlinkSync(checkout.root, link);
    for (const directory of [
      checkout.root,
      join(checkout.root, 'x'),
      join(link, 'x'),
      join(checkout.root, '..'),
    ]) {
      await expect(main.branchWorktrees.open(directory, main.startSnapshot)).rejects.toThrow(
        /must be outside the repository/,
      );
    }
    expect(checkout.files()).toEqual(before);
  });
});

describe('a parallel branch of a repository that', () => {
  it('is a shallow clone with a detached HEAD', async () => {
    const source = repository();
    source.write('b.txt', 'b\n');
    source.git('add', '-A');
    source.git('commit', '-q', '-m', 'second');
    const checkout = cloneOf(source, '--depth', '1');
    checkout.git('checkout', '-q', '--detach');
    const main = await checkout.open();
    const { branch, checkout: at } = await openBranch(main);
    const restore = await branch.workspace.saveGitState();
    at.write('b.txt', 'c\n');
    at.git('commit', '-qam', 'agent');
    await restore();
    const after = await branch.workspace.record('x');
    expect(await main.patch(main.startSnapshot, after)).toContain('-b\n+c');
    expect(at.git('rev-parse', 'HEAD').trim()).toBe(main.startCommit);
  });

  it('is a linked worktree itself, with odd characters in its path', async () => {
    const checkout = repository();
    const linked = checkoutAt(join(temporaryDirectory(), 'a:b "c\' d'));
    checkout.git('worktree', 'add', '-q', '-b', 'side', linked.root);
    const main = await linked.open();
    linked.write('a.txt', 'state\n');
    const state = await main.record('x');
    const { branch, checkout: at } = await openBranch(main, state, branchDirectory('a:b "c\' d'));
    expect(at.files()).toEqual({ 'a.txt': 'state\n' });
    const restore = await branch.workspace.saveGitState();
    at.write('a.txt', 'branch\n');
    at.git('commit', '-qam', 'agent');
    at.git('update-ref', 'refs/heads/side', 'HEAD');
    await restore();
    const after = await branch.workspace.record('y');
    expect(await main.changes(state, after)).toEqual([{ path: 'a.txt', kind: 'modified' }]);
    expect(linked.git('rev-parse', 'side').trim()).toBe(main.startCommit);
    await branch.close();
    expect(entriesOf(checkout)).toHaveLength(1);
    expect(linked.git('status', '--porcelain')).toBe(' M a.txt\n');
  });

  it('is used from a subdirectory without recorded files', async () => {
    const checkout = repository({ '.gitignore': '/app/cache\n', 'lib/a': 'a' });
    checkout.write('app/cache/x', 'x');
    const main = await checkout.open({ directory: join(checkout.root, 'app') });
    const { branch, checkout: at } = await openBranch(main);
    expect(branch.workspace.directory).toBe(join(branch.workspace.root, 'app'));
    expect(existsSync(branch.workspace.directory)).toBe(true);
    await branch.workspace.emptyOutput();
    at.write('app/.gump/out/x', 'x');
    at.write('app/new', 'n');
    at.write('lib/a', 'b');
    const after = await branch.workspace.record('x');
    expect(await main.changes(main.startSnapshot, after)).toEqual([
      { path: 'new', kind: 'added' },
      { path: '/lib/a', kind: 'modified' },
    ]);
  });

  it('has line end conversion and filters: it gets the bytes of the checkout, and no filter runs', async () => {
    const checkout = repository({
      '.gitattributes': '*.up filter=up -text\n',
      'x.up': 'UP\n',
      crlf: 'one\n',
    });
    checkout.git('config', 'core.autocrlf', 'true');
    checkout.git('config', 'filter.up.clean', 'tr a-z A-Z');
    checkout.git('config', 'filter.up.smudge', 'tr A-Z a-z');
    checkout.git('config', 'filter.up.required', 'true');
    checkout.remove('crlf');
    checkout.remove('x.up');
    checkout.git('checkout', '-q', '--', '.');
    const main = await checkout.open();
    checkout.git('config', 'filter.up.smudge', 'false');
    checkout.git('config', 'filter.up.clean', 'false');
    const { branch, checkout: at } = await openBranch(main);
    expect([at.read('crlf'), at.read('x.up')]).toEqual(['one\r\n', 'up\n']);
    expect((await branch.workspace.record('x')).changed).toBe(false);
    at.write('x.up', 'changed\n');
    expect(await main.patch(main.startSnapshot, await branch.workspace.record('y'))).toContain(
      '-up\n+changed',
    );
  });

  it('contains a file that git would write differently', async () => {
    const checkout = repository({ 'crlf.txt': 'one\r\n' });
    checkout.write('.gitattributes', '* text=auto\n');
    checkout.git('add', '.gitattributes');
    checkout.git('commit', '-qm', 'attributes');
    const main = await checkout.open();
    const { branch, checkout: at } = await openBranch(main);
    at.write('new', 'n');
    const after = await branch.workspace.record('x');
    expect(await main.changes(main.startSnapshot, after)).toEqual([{ path: 'new', kind: 'added' }]);
  });

  it('is a sparse checkout', async () => {
    const checkout = repository({ 'in/a': 'a', 'out/b': 'b' });
    checkout.git('sparse-checkout', 'set', 'in');
    const main = await checkout.open();
    const before = checkout.gitState();
    const { branch, checkout: at } = await openBranch(main);
    expect(at.files()).toEqual({ 'in/a': 'a' });
    at.write('in/a', 'changed');
    const after = await branch.workspace.record('x');
    expect(await main.changes(main.startSnapshot, after)).toEqual([{ path: 'in/a', kind: 'modified' }]);
    await branch.close();
    expect(checkout.gitState()).toBe(before);
  });

  it('has a submodule', async () => {
    const library = repository({ 'lib.c': '1' });
    const checkout = repository({ 'a.txt': 'a' });
    checkout.git('submodule', '--quiet', 'add', `file://${library.root}`, 'lib');
    checkout.git('commit', '-qm', 'submodule');
    const main = await checkout.open();
    const module = checkoutAt(join(checkout.root, 'lib'));
    module.write('more', 'm');
    module.git('add', '-A');
    module.git('commit', '-qm', 'moved on');
    const moved = await main.record('moved');
    const { branch, checkout: at } = await openBranch(main, moved);
    expect(at.files()).toMatchObject({ 'a.txt': 'a' });
    at.write('a.txt', 'b');
    const after = await branch.workspace.record('x');
    expect(await main.changes(moved, after)).toEqual([{ path: 'a.txt', kind: 'modified' }]);
    await branch.close();
    await main.reset(after);
    expect(module.read('more')).toBe('m');
  });

  it('is a submodule', async () => {
    const library = repository({ 'lib.c': '1' });
    const checkout = repository({ 'a.txt': 'a' });
    checkout.git('submodule', '--quiet', 'add', `file://${library.root}`, 'lib');
    const module = checkoutAt(join(checkout.root, 'lib'));
    const main = await module.open();
    const { branch, checkout: at } = await openBranch(main);
    expect(at.files()).toEqual({ 'lib.c': '1' });
    at.write('lib.c', '2');
    const after = await branch.workspace.record('x');
    await main.reset(after);
    expect(module.read('lib.c')).toBe('2');
  });

  it('uses SHA-256 object ids', async () => {
    const checkout = checkoutAt(join(temporaryDirectory(), 'sha256'));
    mkdirSync(checkout.root);
    checkout.git('init', '-q', '--object-format=sha256');
    checkout.write('a', 'a');
    checkout.git('add', '-A');
    checkout.git('commit', '-qm', 'x');
    const main = await checkout.open();
    const [one, two] = [await openBranch(main), await openBranch(main)];
    one.checkout.write('b', 'b');
    two.checkout.write('c', 'c');
    const recorded = [
      { name: 'one', snapshot: await one.branch.workspace.record('x') },
      { name: 'two', snapshot: await two.branch.workspace.record('x') },
    ];
    const merged = await main.branchWorktrees.merge(main.startSnapshot, recorded, 'merged');
    if (merged.status !== 'merged') throw new Error(merged.status);
    await main.reset(merged.snapshot);
    expect(checkout.files()).toEqual({ a: 'a', b: 'b', c: 'c' });
  });
});

describe('many files', () => {
  it('cost few git commands per parallel branch', async () => {
    const files = Object.fromEntries(
      [...Array(5000).keys()].map((number) => [`d${number % 50}/f${number}`, 'x']),
    );
    const checkout = repository(files);
    const log = join(temporaryDirectory(), 'commands');
    const bin = temporaryDirectory();
    writeFileSync(join(bin, 'git'), `#!/bin/sh\necho x >>'${log}'\nPATH="\${PATH#*:}" exec git "$@"\n`);
    chmodSync(join(bin, 'git'), 0o755);
    const main = await checkout.open({ env: { ...checkout.env, PATH: `${bin}:${checkout.env.PATH}` } });
    checkout.write('d1/new', 'n');
    const state = await main.record('x');
    await main.branchWorktrees.requireMergeSupport();
    writeFileSync(log, '');
    const { branch, checkout: at } = await openBranch(main, state);
    const commands = checkoutAt(join(log, '..')).read('commands').split('\n').length - 1;
    expect(commands).toBeGreaterThan(2);
    expect(commands).toBeLessThan(10);
    expect(Object.keys(at.files())).toHaveLength(5001);
    await branch.close();
  });
});
