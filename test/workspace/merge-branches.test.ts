import { chmodSync, existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/failure.js';
import type { Snapshot, Workspace } from '../../src/workspace/workspace.js';
import { type Checkout, checkoutAt, cloneOf, repository, temporaryDirectory } from './checkout.js';

type CheckoutEdit = (at: Checkout) => void;

const numbers = Array.from({ length: 30 }, (_, number) => `${number}\n`);
const numberLines = (changes: Readonly<Record<number, string>>) =>
  numbers.map((line, number) => changes[number] ?? line).join('');

/** Parallel branches `u1`, `u2`, … with these changes, each opened from `from`. */
async function recordBranches(main: Workspace, from: Snapshot, edits: readonly CheckoutEdit[]) {
  const branches: { readonly name: string; readonly snapshot: Snapshot }[] = [];
  for (const [number, edit] of edits.entries()) {
    const branch = await main.branchWorktrees.open(join(temporaryDirectory(), 'branch'), from);
    edit(checkoutAt(branch.workspace.root));
    branches.push({ name: `u${number + 1}`, snapshot: await branch.workspace.record('branch') });
    await branch.close();
  }
  return branches;
}

async function merge(main: Workspace, edits: readonly CheckoutEdit[], base = main.startSnapshot) {
  return main.branchWorktrees.merge(base, await recordBranches(main, base, edits), 'merged');
}

/** The merged state, applied to the main worktree. */
async function mergeAndReset(
  main: Workspace,
  edits: readonly CheckoutEdit[],
  base = main.startSnapshot,
): Promise<Snapshot> {
  const merged = await merge(main, edits, base);
  if (merged.status !== 'merged') throw new Error(`${merged.status}: ${merged.files.join(', ')}`);
  await main.reset(merged.snapshot);
  return merged.snapshot;
}

describe('a merge', () => {
  it('combines what parallel branches added, changed and deleted, and nothing else changes for git', async () => {
    const checkout = repository({
      'a.txt': numberLines({}),
      'gone.txt': 'g',
      'run.sh': 'r',
      same: '1',
      bin: 'b',
    });
    const before = [checkout.files(), checkout.gitState()];
    const main = await checkout.open();
    const snapshot = await mergeAndReset(main, [
      (at) => {
        at.write('a.txt', numberLines({ 2: 'first\n' }));
        at.write('same', '2');
        chmodSync(join(at.root, 'run.sh'), 0o755);
      },
      () => undefined,
      (at) => {
        at.write('a.txt', numberLines({ 25: 'third\n' }));
        at.write('same', '2');
        at.write('dir/one', '1');
        at.remove('gone.txt');
        symlinkSync('a.txt', join(at.root, 'link'));
      },
      (at) => {
        at.write('run.sh', 'changed');
        at.write('dir/two', '2');
        at.write('bin', Buffer.from([0, 255, 0]));
      },
    ]);
    expect(checkout.files()).toEqual({
      'a.txt': numberLines({ 2: 'first\n', 25: 'third\n' }),
      'dir/one': '1',
      'dir/two': '2',
      link: '-> a.txt',
      'run.sh *': 'changed',
      same: '2',
      bin: Buffer.from([0, 255, 0]).toString('utf8'),
    });
    expect(await main.record('again')).toMatchObject({ ...snapshot, leftOut: [], changed: false });
    await main.reset(main.startSnapshot);
    expect([checkout.files(), checkout.gitState()]).toEqual(before);
  });

  it('starts from any state and uses nothing from the checkout', async () => {
    const checkout = repository({ 'a.txt': numberLines({}) });
    checkout.write('untracked', 'u');
    const main = await checkout.open();
    checkout.write('a.txt', numberLines({ 0: 'step\n' }));
    const base = await main.record('step');
    const recorded = await recordBranches(main, base, [
      (at) => at.write('a.txt', numberLines({ 0: 'step\n', 10: 'one\n' })),
      (at) => at.write('untracked', 'by two'),
    ]);
    checkout.write('a.txt', 'something else');
    const merged = await main.branchWorktrees.merge(base, recorded, 'merged');
    if (merged.status !== 'merged') throw new Error(merged.status);
    expect(await main.changes(base, merged.snapshot)).toEqual([
      { path: 'a.txt', kind: 'modified' },
      { path: 'untracked', kind: 'modified' },
    ]);
    expect(checkout.read('a.txt')).toBe('something else');
    await main.reset(merged.snapshot);
    expect(checkout.files()).toEqual({
      'a.txt': numberLines({ 0: 'step\n', 10: 'one\n' }),
      untracked: 'by two',
    });
  });

  it('of no branches, or of branches without changes, is the base', async () => {
    const main = await repository().open();
    const nothing = () => undefined;
    expect(await merge(main, [nothing, nothing])).toEqual({ status: 'merged', snapshot: main.startSnapshot });
    expect(await merge(main, [])).toEqual({ status: 'merged', snapshot: main.startSnapshot });
  });

  it('follows a file that one branch renamed and another one changed', async () => {
    const checkout = repository({ 'old.txt': numberLines({}), 'dir/x': numberLines({ 1: 'x\n' }) });
    const main = await checkout.open();
    await mergeAndReset(main, [
      (at) => renameSync(join(at.root, 'old.txt'), join(at.root, 'new.txt')),
      (at) => at.write('old.txt', numberLines({ 5: 'changed\n' })),
      (at) => renameSync(join(at.root, 'dir'), join(at.root, 'moved')),
      (at) => at.write('dir/added', 'in the renamed directory'),
    ]);
    expect(checkout.files()).toEqual({
      'new.txt': numberLines({ 5: 'changed\n' }),
      'moved/x': numberLines({ 1: 'x\n' }),
      'dir/added': 'in the renamed directory',
    });
  });

  it('ignores the configuration of the user and runs none of their programs', async () => {
    const marker = join(temporaryDirectory(), 'ran');
    const checkout = repository({
      '.gitattributes': '*.mine merge=mine\nCHANGES merge=union\n',
      'nested/.gitattributes': 'LIST merge=union\n',
      'a.mine': numberLines({}),
      CHANGES: 'first\n',
      'nested/LIST': 'first\n',
    });
    checkout.git('config', 'merge.mine.driver', `touch '${marker}'`);
    checkout.git('config', 'merge.default', 'mine');
    checkout.git('config', 'merge.renames', 'false');
    writeFileSync(join(checkout.home, '.gitconfig'), `[merge "mine"]\n\tdriver = touch '${marker}'\n`);
    const main = await checkout.open();
    await mergeAndReset(main, [
      (at) => {
        at.write('a.mine', numberLines({ 1: 'one\n' }));
        at.write('CHANGES', 'first\none\n');
        at.write('nested/LIST', 'first\none\n');
      },
      (at) => {
        at.write('a.mine', numberLines({ 20: 'two\n' }));
        at.write('CHANGES', 'first\ntwo\n');
        at.write('nested/LIST', 'first\ntwo\n');
      },
    ]);
    expect(checkout.read('a.mine')).toBe(numberLines({ 1: 'one\n', 20: 'two\n' }));
    expect(checkout.read('CHANGES')).toBe('first\none\ntwo\n');
    expect(checkout.read('nested/LIST')).toBe('first\none\ntwo\n');
    expect(existsSync(marker)).toBe(false);
  });

  it('includes recorded states of an earlier job', async () => {
    const source = repository({ 'a.txt': numberLines({}) });
    source.write('untracked', 'u');
    const first = await source.open();
    source.write('b.txt', 'step');
    const base = await first.record('base');
    const recorded = await recordBranches(first, base, [
      (at) => at.write('a.txt', numberLines({ 1: 'one\n' })),
      (at) => at.write('untracked', 'changed'),
    ]);
    const pack = await first.pack([base, ...recorded.map(({ snapshot }) => snapshot)]);

    const target = cloneOf(source, '--depth', '1');
    target.write('untracked', 'u');
    target.write('of this machine', 'm');
    const second = await target.open();
    await second.unpack(pack);
    expect(await second.apply(base)).toEqual([]);
    const added = await recordBranches(second, base, [(at) => at.write('c.txt', 'three')]);
    const merged = await second.branchWorktrees.merge(base, [...recorded, ...added], 'merged');
    if (merged.status !== 'merged') throw new Error(merged.status);
    await second.reset(merged.snapshot);
    expect(target.files()).toEqual({
      'a.txt': numberLines({ 1: 'one\n' }),
      'b.txt': 'step',
      'c.txt': 'three',
      'of this machine': 'm',
      untracked: 'changed',
    });
    expect((await second.changes(second.startSnapshot, merged.snapshot)).map(({ path }) => path)).toEqual([
      'a.txt',
      'b.txt',
      'c.txt',
      'untracked',
    ]);
  });
});

describe('applying a merge', () => {
  it('keeps ignored files, files that are too large and files of gates', async () => {
    const checkout = repository({ '.gitignore': 'node_modules\n', 'a.txt': 'a' });
    checkout.write('node_modules/x', 'x');
    checkout.write('large at start', 'more than ten bytes');
    const main = await checkout.open({ maximumFileBytes: 15 });
    checkout.write('large of a step', 'more than ten bytes');
    checkout.write('a.txt', 'step');
    const base = await main.record('step');
    expect(base.leftOut).toEqual(['large of a step']);
    checkout.write('coverage', 'gate');
    await main.disown();
    await mergeAndReset(main, [(at) => at.write('one', '1'), (at) => at.write('two', '2')], base);
    expect(checkout.files()).toEqual({
      '.gitignore': 'node_modules\n',
      'a.txt': 'step',
      coverage: 'gate',
      'large at start': 'more than ten bytes',
      'large of a step': 'more than ten bytes',
      'node_modules/x': 'x',
      one: '1',
      two: '2',
    });
  });

  it('is refused if it would overwrite files that are in no snapshot', async () => {
    const checkout = repository({ '.gitignore': '.env\n', 'app/a.txt': 'a' });
    checkout.write('.env', 'precious');
    checkout.write('app/data', 'precious and large');
    const main = await checkout.open({ directory: join(checkout.root, 'app'), maximumFileBytes: 15 });
    const merged = await merge(main, [
      (at) => at.write('app/a.txt', 'b'),
      (at) => {
        at.write('.gitignore', '');
        at.write('.env', 'by the branch');
        at.write('app/data', 'small');
      },
    ]);
    expect(merged).toEqual({ status: 'occupied', files: ['/.env', 'data'] });
    expect([checkout.read('.env'), checkout.read('app/data')]).toEqual(['precious', 'precious and large']);
  });
});

describe('a conflict', () => {
  const kinds: readonly (readonly [string, CheckoutEdit, CheckoutEdit, readonly string[]])[] = [
    [
      'one line changed twice',
      (at) => at.write('a.txt', numberLines({ 3: 'one\n' })),
      (at) => at.write('a.txt', numberLines({ 3: 'two\n' })),
      ['a.txt'],
    ],
    ['other content added', (at) => at.write('new', '1'), (at) => at.write('new', '2'), ['new']],
    ['deleted and changed', (at) => at.remove('b.txt'), (at) => at.write('b.txt', 'two'), ['b.txt']],
    ['changed and deleted', (at) => at.write('b.txt', 'one'), (at) => at.remove('b.txt'), ['b.txt']],
    [
      'a binary file changed twice',
      (at) => at.write('binary', Buffer.from([0, 1])),
      (at) => at.write('binary', Buffer.from([0, 2])),
      ['binary'],
    ],
    [
      'a link that points elsewhere',
      (at) => {
        at.remove('link');
        symlinkSync('one', join(at.root, 'link'));
      },
      (at) => {
        at.remove('link');
        symlinkSync('two', join(at.root, 'link'));
      },
      ['link'],
    ],
    ['a file and a directory', (at) => at.write('x', '1'), (at) => at.write('x/y', '2'), ['x']],
    ['a directory and a file', (at) => at.write('x/y', '1'), (at) => at.write('x', '2'), ['x']],
    [
      'renamed to two names',
      (at) => renameSync(join(at.root, 'a.txt'), join(at.root, 'one')),
      (at) => renameSync(join(at.root, 'a.txt'), join(at.root, 'two')),
      ['a.txt', 'one', 'two'],
    ],
    [
      'several files, with odd names',
      (at) => {
        at.write('new\nline', '1');
        at.write('é', '1');
        at.write('name~with tilde', '1');
      },
      (at) => {
        at.write('new\nline', '2');
        at.write('é', '2');
        at.write('name~with tilde', '2');
      },
      ['name~with tilde', 'new\nline', 'é'],
    ],
  ];

  it.each(kinds)('names its files and branches: %s', async (_name, one, two, files) => {
    const checkout = repository({
      'a.txt': numberLines({}),
      'b.txt': 'b',
      binary: Buffer.from([0, 0]),
      c: 'c',
    });
    symlinkSync('c', join(checkout.root, 'link'));
    const before = checkout.files();
    const main = await checkout.open();
    expect(await merge(main, [one, two])).toEqual({
      status: 'conflict',
      files,
      branches: { earlier: 'u1', later: 'u2' },
    });
    expect(checkout.files()).toEqual(before);
  });

  it('shows paths relative to the working directory', async () => {
    const checkout = repository({ 'app/a': '0', 'lib/b': '0' });
    const main = await checkout.open({ directory: join(checkout.root, 'app') });
    const writes = (content: string) => (at: Checkout) => {
      at.write('app/a', content);
      at.write('lib/b', content);
    };
    const merged = await merge(main, [writes('1'), writes('2')]);
    expect(merged).toEqual({
      status: 'conflict',
      files: ['/lib/b', 'a'],
      branches: { earlier: 'u1', later: 'u2' },
    });
  });

  const line = (number: number, text: string) => (at: Checkout) =>
    at.write('a.txt', numberLines({ [number]: `${text}\n` }));

  it('names the earlier branch that conflicts, not another one that changed the same file', async () => {
    const main = await repository({ 'a.txt': numberLines({}) }).open();
    const merged = await merge(main, [
      line(3, 'one'),
      line(12, 'two'),
      (at) => at.write('b', 'b'),
      line(3, 'four'),
    ]);
    expect(merged).toEqual({
      status: 'conflict',
      files: ['a.txt'],
      branches: { earlier: 'u1', later: 'u4' },
    });
  });

  it('names the last of several earlier branches', async () => {
    const main = await repository({ 'a.txt': numberLines({}) }).open();
    const merged = await merge(main, [
      line(3, 'same'),
      line(3, 'same'),
      (at) => at.write('b', 'b'),
      line(3, 'four'),
    ]);
    expect(merged).toMatchObject({ branches: { earlier: 'u2', later: 'u4' } });
  });

  it('names the first branch, in the given order, that cannot be merged', async () => {
    const main = await repository({ 'a.txt': numberLines({}) }).open();
    const [one, two, three] = await recordBranches(main, main.startSnapshot, [
      line(3, 'x'),
      line(3, 'y'),
      line(3, 'z'),
    ]);
    if (one === undefined || two === undefined || three === undefined) throw new Error('a branch is missing');
    expect(await main.branchWorktrees.merge(main.startSnapshot, [one, two, three], 'm')).toMatchObject({
      branches: { earlier: 'u1', later: 'u2' },
    });
    expect(await main.branchWorktrees.merge(main.startSnapshot, [three, two, one], 'm')).toMatchObject({
      branches: { earlier: 'u3', later: 'u2' },
    });
  });
});

describe('a git that is too old to merge', () => {
  it('is reported before a worktree is opened', async () => {
    const bin = temporaryDirectory();
    mkdirSync(bin, { recursive: true });
    writeFileSync(
      join(bin, 'git'),
      `#!/bin/sh\ncase "$*" in *" version") echo git version 2.37.9;; *) PATH="\${PATH#*:}" exec git "$@";; esac\n`,
    );
    chmodSync(join(bin, 'git'), 0o755);
    const checkout = repository();
    const main = await checkout.open({ env: { ...checkout.env, PATH: `${bin}:${checkout.env.PATH}` } });
    const directory = join(temporaryDirectory(), 'branch');
    for (const operation of [
      () => main.branchWorktrees.requireMergeSupport(),
      () => main.branchWorktrees.open(directory, main.startSnapshot),
      () => main.branchWorktrees.merge(main.startSnapshot, [], 'm'),
    ]) {
      await expect(operation()).rejects.toThrow(UserError);
      await expect(operation()).rejects.toThrow(/git 2\.38 or newer.*this runner has git version 2\.37\.9/);
    }
    expect(existsSync(directory)).toBe(false);
  });
});
