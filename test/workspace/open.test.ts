import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/failure.js';
import {
  blobsOf,
  type Checkout,
  checkoutAt,
  cloneOf,
  installHook,
  repository,
  temporaryDirectory,
} from './checkout.js';

describe('a directory that is refused', () => {
  const refusal = async (directory: string, env?: Record<string, string>) => {
    const checkout = checkoutAt(directory);
    return checkout.open(env === undefined ? {} : { env }).catch((error: unknown) => error);
  };

  it('is not a worktree', async () => {
    const error = await refusal(temporaryDirectory());
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toContain('not in a git worktree');
  });

  it('does not exist, or is a file', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'file'), '');
    expect(String(await refusal(join(directory, 'nowhere')))).toMatch(/UserError.*does not exist/s);
    expect(String(await refusal(join(directory, 'file')))).toMatch(/UserError.*is a file/s);
  });

  it('has no commit yet', async () => {
    const checkout = checkoutAt(temporaryDirectory());
    checkout.git('init', '-q');
    const error = await checkout.open().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toContain('no commit');
  });

  it('is bare, or the .git directory itself', async () => {
    const bare = checkoutAt(temporaryDirectory());
    bare.git('init', '-q', '--bare');
    expect(String(await refusal(bare.root))).toMatch(/UserError.*bare repository/s);
    expect(String(await refusal(join(repository().root, '.git')))).toMatch(/UserError.*inside a `\.git`/s);
  });

  it('needs git, and git is missing', async () => {
    const error = await refusal(repository().root, { PATH: '/nonexistent', HOME: '/nonexistent' });
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toContain('Install git');
  });

  it.runIf(process.getuid?.() === 0)('belongs to another user', async () => {
    const checkout = repository();
    chownSync(checkout.root, 12345, 12345);
    chownSync(join(checkout.root, '.git'), 12345, 12345);
    const error = await checkout.open().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toContain(`git config --global --add safe.directory ${checkout.root}`);
  });
});

describe('a directory that is accepted', () => {
  it('is a subdirectory: the whole repository is recorded, paths are relative to the directory', async () => {
    const checkout = repository({ 'top.txt': '1\n', 'packages/app/main.ts': '1\n' });
    const workspace = await checkout.open({ directory: join(checkout.root, 'packages/app') });
    expect([workspace.root, workspace.directory]).toEqual([
      checkout.root,
      join(checkout.root, 'packages/app'),
    ]);
    checkout.write('top.txt', '2\n');
    checkout.write('packages/app/main.ts', '2\n');
    checkout.write('packages/app/.gump/out/note', 'x');
    const after = await workspace.record('both');
    expect(await workspace.changes(workspace.startSnapshot, after)).toEqual([
      { path: 'main.ts', kind: 'modified' },
      { path: '/top.txt', kind: 'modified' },
    ]);
  });

  it('is reached through a symbolic link', async () => {
    const checkout = repository();
    const link = join(temporaryDirectory(), 'link');
    symlinkSync(checkout.root, link);
    const workspace = await checkout.open({ directory: link });
    expect([workspace.root, workspace.directory]).toEqual([checkout.root, checkout.root]);
  });

  it('has a detached HEAD', async () => {
    const checkout = repository();
    checkout.git('checkout', '-q', '--detach');
    const workspace = await checkout.open();
    checkout.write('a.txt', 'b\n');
    const after = await workspace.record('x');
    expect(await workspace.changes(workspace.startSnapshot, after)).toHaveLength(1);
  });

  it('is a shallow clone', async () => {
    const source = repository();
    source.write('b.txt', 'b\n');
    source.git('add', '-A');
    source.git('commit', '-q', '-m', 'second');
    const checkout = cloneOf(source, '--depth', '1');
    const workspace = await checkout.open();
    checkout.write('b.txt', 'c\n');
    const after = await workspace.record('x');
    expect(await workspace.patch(workspace.startSnapshot, after)).toContain('-b\n+c');
  });

  it('is a checkout of a merge ref, as actions/checkout creates it for a pull request', async () => {
    const source = repository({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
    source.git('checkout', '-q', '-b', 'topic');
    source.write('a.txt', 'topic\n');
    source.git('commit', '-qam', 'topic');
    source.git('checkout', '-q', 'main');
    source.write('b.txt', 'main\n');
    source.git('commit', '-qam', 'main');
    source.git('merge', '-q', '--no-ff', '-m', 'merge', 'topic');
    source.git('update-ref', 'refs/pull/1/merge', 'HEAD');
    const checkout = checkoutAt(join(temporaryDirectory(), 'checkout'));
    mkdirSync(checkout.root);
    checkout.git('init', '-q');
    checkout.git(
      'fetch',
      '-q',
      '--depth',
      '1',
      `file://${source.root}`,
      '+refs/pull/1/merge:refs/remotes/pull/1/merge',
    );
    checkout.git('checkout', '-q', '--force', 'refs/remotes/pull/1/merge');
    const workspace = await checkout.open();
    checkout.remove('a.txt');
    const after = await workspace.record('x');
    expect(await workspace.changes(workspace.startSnapshot, after)).toEqual([
      { path: 'a.txt', kind: 'deleted' },
    ]);
  });

  it('is a linked worktree', async () => {
    const checkout = repository();
    const linked = checkoutAt(join(temporaryDirectory(), 'linked'));
    checkout.git('worktree', 'add', '-q', '-b', 'side', linked.root);
    const workspace = await linked.open();
    linked.write('a.txt', 'b\n');
    const restore = await workspace.saveGitState();
    linked.git('commit', '-qam', 'agent');
    const after = await workspace.record('x');
    await restore();
    expect(linked.git('rev-parse', 'side').trim()).toBe(workspace.startCommit);
    expect(await workspace.changes(workspace.startSnapshot, after)).toHaveLength(1);
  });

  it('has a colon, a quote and a space in its path', async () => {
    const checkout = checkoutAt(join(temporaryDirectory(), 'a:b "c\' d'));
    mkdirSync(checkout.root);
    checkout.git('init', '-q');
    checkout.git('commit', '-q', '--allow-empty', '-m', 'first');
    checkout.write('a.txt', 'a\n');
    checkout.git('add', '-A');
    checkout.git('commit', '-q', '-m', 'second');
    const workspace = await checkout.open();
    checkout.write('a.txt', 'b\n');
    const after = await workspace.record('x');
    expect(await workspace.patch(workspace.startSnapshot, after)).toContain('-a\n+b');
  });
});

describe('a repository in an unusual state', () => {
  it('has no index', async () => {
    const checkout = cloneOf(repository({ 'a.txt': 'a\n', 'b.txt': 'b\n' }), '--no-checkout');
    checkout.write('a.txt', 'a\n');
    const workspace = await checkout.open();
    checkout.write('b.txt', 'other\n');
    const after = await workspace.record('x');
    expect(await workspace.changes(workspace.startSnapshot, after)).toEqual([
      { path: 'b.txt', kind: 'added' },
    ]);
    await workspace.reset(workspace.startSnapshot);
    expect(checkout.files()).toEqual({ 'a.txt': 'a\n' });
  });

  it('is in the middle of a merge, and has a file added with intent-to-add', async () => {
    const checkout = repository();
    checkout.git('checkout', '-q', '-b', 'other');
    checkout.write('a.txt', 'other\n');
    checkout.git('commit', '-qam', 'other');
    checkout.git('checkout', '-q', 'main');
    checkout.write('a.txt', 'mine\n');
    checkout.git('commit', '-qam', 'mine');
    expect(() => checkout.git('merge', 'other')).toThrow();
    checkout.write('intended.txt', 'i');
    checkout.git('add', '-N', 'intended.txt');
    const before = [checkout.files(), checkout.gitState()];
    const workspace = await checkout.open();
    checkout.write('a.txt', 'solved\n');
    checkout.remove('intended.txt');
    const after = await workspace.record('x');
    expect((await workspace.changes(workspace.startSnapshot, after)).map(({ path }) => path)).toEqual([
      'a.txt',
      'intended.txt',
    ]);
    await workspace.reset(workspace.startSnapshot);
    expect([checkout.files(), checkout.gitState()]).toEqual(before);
  });

  it('is a sparse checkout: absent files do not count as deleted', async () => {
    const checkout = repository({ 'in/a': 'a', 'out/b': 'b' });
    checkout.git('sparse-checkout', 'set', 'in');
    const workspace = await checkout.open();
    expect(workspace.startTree).toBe(checkout.git('rev-parse', 'HEAD^{tree}').trim());
    checkout.write('in/a', 'changed');
    const after = await workspace.record('x');
    expect(await workspace.changes(workspace.startSnapshot, after)).toEqual([
      { path: 'in/a', kind: 'modified' },
    ]);
    await workspace.reset(workspace.startSnapshot);
    expect(checkout.files()).toEqual({ 'in/a': 'a' });
  });

  it.each([
    ['with cones', ['set', '--cone', 'in']],
    ['with a sparse index', ['set', '--cone', '--sparse-index', 'in']],
    ['with patterns', ['set', '--no-cone', '/in/', '/root.txt']],
  ])('is a sparse checkout %s: files of steps outside it are recorded and restored', async (_name, args) => {
    const source = repository({
      'in/a': 'a',
      'out/b': 'b',
      'out/deep/c': 'c',
      'root.txt': 'r',
      'far/d': 'd',
    });
    const sparse = (one: Checkout) => {
      one.git('sparse-checkout', ...args);
      return one;
    };
    const checkout = sparse(cloneOf(source));
    const workspace = await checkout.open();
    const start = checkout.files();
    checkout.write('out/b', 'changed');
    checkout.write('out/new', 'new');
    checkout.write('in/new', 'new');
    const written = checkout.files();
    const after = await workspace.record('x');
    expect((await workspace.changes(workspace.startSnapshot, after)).map(({ path }) => path)).toEqual([
      'in/new',
      'out/b',
      'out/new',
    ]);
    await workspace.reset(workspace.startSnapshot);
    expect(checkout.files()).toEqual(start);
    expect((await workspace.record('nothing')).changed).toBe(false);
    await workspace.reset(after);
    expect(checkout.files()).toEqual(written);

    const target = sparse(cloneOf(source));
    const later = await target.open();
    await later.unpack(await workspace.pack([after]));
    expect(await later.apply(after)).toEqual([]);
    expect(target.files()).toEqual(written);
    const { workspace: branch, close } = await later.branchWorktrees.open(join(target.home, 'branch'), after);
    expect(checkoutAt(branch.root).files()).toEqual(written);
    expect((await branch.record('nothing')).changed).toBe(false);
    await close();
    const other = sparse(cloneOf(source));
    const fresh = await other.open();
    await fresh.unpack(await workspace.pack([after]));
    const opened = await fresh.branchWorktrees.open(join(other.home, 'branch'), after);
    expect(checkoutAt(opened.workspace.root).files()).toEqual(written);
    await opened.close();
  });

  it.each(['--skip-worktree', '--assume-unchanged'])(
    'has a file marked with %s that is there',
    async (mark) => {
      const checkout = repository({ 'a.txt': 'a', 'b.txt': 'b' });
      checkout.git('update-index', mark, 'a.txt');
      const workspace = await checkout.open();
      checkout.write('a.txt', 'changed');
      const after = await workspace.record('x');
      expect(await workspace.changes(workspace.startSnapshot, after)).toEqual([
        { path: 'a.txt', kind: 'modified' },
      ]);
      await workspace.reset(workspace.startSnapshot);
      expect(checkout.read('a.txt')).toBe('a');
      checkout.remove('a.txt');
      const gone = await workspace.record('y');
      expect(await workspace.changes(workspace.startSnapshot, gone)).toEqual([
        { path: 'a.txt', kind: 'deleted' },
      ]);
    },
  );

  it('is a partial clone whose remote is gone', async () => {
    const source = repository({ 'a.txt': 'a\n', 'dir/b.txt': 'b\n' });
    source.write('a.txt', 'later\n');
    source.git('commit', '-qam', 'later');
    source.git('config', 'uploadpack.allowFilter', 'true');
    const checkout = cloneOf(source, '--filter=blob:none');
    checkout.git('remote', 'set-url', 'origin', 'file:///nonexistent');
    const workspace = await checkout.open();
    checkout.write('dir/b.txt', 'changed\n');
    const after = await workspace.record('x');
    expect((await workspace.pack([after])).length).toBeGreaterThan(0);
    await workspace.reset(workspace.startSnapshot);
    expect(checkout.read('dir/b.txt')).toBe('b\n');
  });

  it('is a sparse partial clone whose remote is gone, and a step changes files that git does not have', async () => {
    const source = repository({ 'in/a.txt': 'a\n', 'out/b.txt': 'b\n', 'out/c.txt': 'c\n' });
    source.git('config', 'uploadpack.allowFilter', 'true');
    const checkout = cloneOf(source, '--filter=blob:none', '--sparse');
    checkout.git('sparse-checkout', 'set', 'in');
    checkout.git('remote', 'set-url', 'origin', 'file:///nonexistent');
    const workspace = await checkout.open();
    checkout.write('out/b.txt', 'changed\n');
    const after = await workspace.record('x');
    const pack = await workspace.pack([after]);
    expect(blobsOf(checkout, pack)).toEqual(['changed\n']);

    const target = cloneOf(source, '--depth', '1');
    const moved = await target.open();
    await moved.unpack(pack);
    expect(await moved.hasSnapshots([after])).toBe(true);
    expect(await moved.apply(after)).toEqual([]);
    expect(target.read('out/b.txt')).toBe('changed\n');
  });

  it('uses SHA-256 object ids', async () => {
    const checkout = checkoutAt(join(temporaryDirectory(), 'sha256'));
    mkdirSync(checkout.root);
    checkout.git('init', '-q', '--object-format=sha256');
    checkout.write('a', 'a');
    checkout.git('add', '-A');
    checkout.git('commit', '-qm', 'x');
    checkout.write('untracked', 'u');
    const workspace = await checkout.open();
    checkout.remove('a');
    checkout.write('a/b', 'directory');
    checkout.remove('untracked');
    const after = await workspace.record('x');
    expect(after.commit).toMatch(/^[0-9a-f]{64}$/);
    await workspace.reset(workspace.startSnapshot);
    expect(checkout.files()).toEqual({ a: 'a', untracked: 'u' });
    expect((await workspace.pack([after])).length).toBeGreaterThan(0);
  });
});

describe('the files and settings of the user', () => {
  it('keep every byte under .git, and no hook runs', async () => {
    const checkout = repository({ 'a.txt': 'a\n', '.gitignore': 'ignored\n' });
    const marker = join(temporaryDirectory(), 'hooks-that-ran');
    for (const hook of [
      'pre-commit',
      'post-index-change',
      'reference-transaction',
      'post-checkout',
      'commit-msg',
    ]) {
      installHook(checkout, hook, marker);
    }
    checkout.git('config', 'commit.gpgSign', 'true');
    checkout.git('config', 'core.splitIndex', 'true');
    checkout.git('config', 'core.fsmonitor', 'true');
    checkout.git('config', 'index.version', '4');
    checkout.git('config', 'diff.external', 'false');
    checkout.git('config', 'color.ui', 'always');
    checkout.git('config', 'diff.noprefix', 'true');
    checkout.write('untracked', 'u');
    checkout.write('ignored', 'i');
    rmSync(marker, { force: true });
    const before = checkout.gitState();

    const workspace = await checkout.open();
    const restore = await workspace.saveGitState();
    checkout.write('a.txt', 'b\n');
    const one = await workspace.record('one');
    await restore();
    checkout.write('new.txt', 'n');
    const two = await workspace.record('two');
    await workspace.patch(one, two);
    await workspace.listIgnoredNames();
    const pack = await workspace.pack([one, two]);
    await workspace.reset(one);
    await workspace.reset(workspace.startSnapshot);
    await workspace.unpack(pack);
    await workspace.apply(two);

    expect(checkout.gitState()).toBe(before);
    expect(checkout.files()).toMatchObject({ untracked: 'u', ignored: 'i', 'a.txt': 'b\n', 'new.txt': 'n' });
    expect(existsSync(marker)).toBe(false);
    expect(
      checkout.git(
        '-c',
        'core.hooksPath=/dev/null',
        '-c',
        'core.fsmonitor=false',
        'status',
        '--porcelain',
        '--ignored',
      ),
    ).toBe(' M a.txt\n?? new.txt\n?? untracked\n!! ignored\n');
  });

  it('keep staged changes staged', async () => {
    const checkout = repository();
    checkout.write('a.txt', 'staged\n');
    checkout.git('add', 'a.txt');
    checkout.write('a.txt', 'in the worktree\n');
    const before = checkout.gitState();
    const workspace = await checkout.open();
    checkout.write('b.txt', 'b');
    const after = await workspace.record('x');
    expect(await workspace.changes(workspace.startSnapshot, after)).toEqual([
      { path: 'b.txt', kind: 'added' },
    ]);
    await workspace.reset(workspace.startSnapshot);
    expect(checkout.read('a.txt')).toBe('in the worktree\n');
    expect(checkout.gitState()).toBe(before);
  });

  it('need no git identity and no writable home', async () => {
    const checkout = repository();
    const workspace = await checkout.open({
      env: { ...checkout.env, HOME: '/nonexistent' },
    });
    checkout.write('a.txt', 'b\n');
    expect((await workspace.record('x')).commit).toMatch(/^[0-9a-f]{40}$/);
  });

  it('do not stop the workspace from working after the shell that runs git was killed with an agent', async () => {
    const checkout = repository();
    const workspace = await checkout.open();
    expect(shells()).not.toEqual([]);
    for (const shell of shells()) process.kill(shell, 'SIGKILL');
    await expect.poll(shells).toEqual([]);
    checkout.write('a.txt', 'b\n');
    expect((await workspace.record('x')).changed).toBe(true);
  });

  it('do not keep this process alive while the shell runs', async () => {
    const checkout = repository();
    await checkout.open();
    // This lists the sockets and processes that keep the event loop alive. The shell must not be one of them.
    expect(process.getActiveResourcesInfo()).not.toContain('ProcessWrap');
  });
});

/** Shells that this process started and that still run. */
function shells(): readonly number[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,args='])
    .toString()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, parent, state, file]) =>
        Number(parent) === process.pid && !state?.startsWith('Z') && file === '/bin/sh',
    )
    .map(([pid]) => Number(pid));
}
