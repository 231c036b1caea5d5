import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blobsOf, type Checkout, checkoutAt, repository, temporaryDirectory } from './checkout.js';

const oddNames = [
  'with space',
  'new\nline',
  'tab\t',
  'quote"\'',
  'ünïcode',
  '-dash',
  ':(top)x',
  'back\\slash',
  '*',
  '!x',
];

describe('a snapshot', () => {
  it('contains every addition, change and deletion', async () => {
    const checkout = repository({ 'changed.txt': '1', 'gone.txt': '1', 'same.txt': '1' });
    const workspace = await checkout.open();
    checkout.write('changed.txt', '2');
    checkout.write('dir/new.txt', '2');
    checkout.remove('gone.txt');
    const after = await workspace.record('x');
    expect(await workspace.changes(workspace.startSnapshot, after)).toEqual([
      { path: 'changed.txt', kind: 'modified' },
      { path: 'dir/new.txt', kind: 'added' },
      { path: 'gone.txt', kind: 'deleted' },
    ]);
    expect(await workspace.changes(after, workspace.startSnapshot)).toHaveLength(3);
    expect(after).toMatchObject({ changed: true, leftOut: [] });
  });

  it('is the start snapshot if nothing changed, and the previous one if nothing changed since', async () => {
    const checkout = repository();
    const workspace = await checkout.open();
    expect(await workspace.record('x')).toEqual({
      ...workspace.startSnapshot,
      leftOut: [],
      unstored: [],
      notKept: [],
      changed: false,
    });
    checkout.write('a.txt', 'b');
    const first = await workspace.record('x');
    const second = await workspace.record('y');
    expect(second).toEqual({ ...first, changed: false });
    checkout.write('a.txt', 'a\n');
    expect(await workspace.record('z')).toMatchObject({ ...workspace.startSnapshot, changed: true });
  });

  it('keeps unusual file names, and a reset restores them', async () => {
    const checkout = repository(Object.fromEntries(oddNames.map((name) => [`tracked/${name}`, name])));
    const workspace = await checkout.open();
    const before = checkout.files();
    for (const name of oddNames) {
      checkout.write(`tracked/${name}`, 'changed');
      checkout.write(`new/${name}`, 'new');
    }
    const after = await workspace.record('x');
    const wanted = [...oddNames.map((name) => `tracked/${name}`), ...oddNames.map((name) => `new/${name}`)];
    const changes = await workspace.changes(workspace.startSnapshot, after);
    expect(changes.map(({ path }) => path).sort()).toEqual(wanted.sort());
    const later = checkout.files();
    await workspace.reset(workspace.startSnapshot);
    expect(checkout.files()).toEqual(before);
    await workspace.reset(after);
    expect(checkout.files()).toEqual(later);
  });

  it.runIf(process.platform === 'linux')('keeps a name that is not UTF-8', async () => {
    const checkout = repository();
    const workspace = await checkout.open();
    const name = Buffer.concat([Buffer.from(`${checkout.root}/caf`), Buffer.from([0xe9])]);
    writeFileSync(name, 'x');
    const after = await workspace.record('x');
    await workspace.reset(workspace.startSnapshot);
    expect(checkout.files()).toEqual({ 'a.txt': 'a\n' });
    await workspace.reset(after);
    expect(readFileSync(name, 'utf8')).toBe('x');
    expect(await workspace.changes(workspace.startSnapshot, after)).toEqual([
      { path: 'caf\ufffd', kind: 'added' },
    ]);
  });

  it('contains modes, links, renames and type changes', async () => {
    const checkout = repository({
      'run.sh': '#!/bin/sh\n',
      'old.txt': 'o\n',
      file: 'f',
      'dir/in': 'd',
      'tree/in': 't',
      'tree/other': 't',
    });
    symlinkSync('run.sh', join(checkout.root, 'link'));
    checkout.git('add', '-A');
    checkout.git('commit', '-qm', 'link');
    const workspace = await checkout.open();
    const before = checkout.files();
    chmodSync(join(checkout.root, 'run.sh'), 0o755);
    renameSync(join(checkout.root, 'old.txt'), join(checkout.root, 'new.txt'));
    checkout.remove('link');
    symlinkSync('new.txt', join(checkout.root, 'link'));
    checkout.remove('file');
    checkout.write('file/in', 'now a directory');
    checkout.remove('dir');
    checkout.write('dir', 'now a file');
    const outside = temporaryDirectory();
    writeFileSync(join(outside, 'in'), 't');
    writeFileSync(join(outside, 'other'), 'of another length');
    checkout.remove('tree');
    symlinkSync(outside, join(checkout.root, 'tree'));
    const later = checkout.files();
    const after = await workspace.record('x');
    expect(
      (await workspace.changes(workspace.startSnapshot, after)).map(({ path, kind }) => `${kind} ${path}`),
    ).toEqual([
      'added dir',
      'deleted dir/in',
      'deleted file',
      'added file/in',
      'modified link',
      'added new.txt',
      'deleted old.txt',
      'modified run.sh',
      'added tree',
      'deleted tree/in',
      'deleted tree/other',
    ]);
    await workspace.reset(workspace.startSnapshot);
    expect(checkout.files()).toEqual(before);
    await workspace.reset(after);
    expect(checkout.files()).toEqual(later);
  });

  it('contains a change of the same length made in the second in which the index was written', async () => {
    const checkout = repository();
    checkout.git('config', 'core.checkStat', 'minimal');
    checkout.git('config', 'core.trustCTime', 'false');
    const second = 1_700_000_000;
    utimesSync(join(checkout.root, 'a.txt'), second, second);
    checkout.git('add', '-A');
    checkout.write('a.txt', 'b\n');
    utimesSync(join(checkout.root, 'a.txt'), second, second);
    utimesSync(join(checkout.root, '.git/index'), second, second);
    const workspace = await checkout.open();
    expect(workspace.startTree).not.toBe(checkout.git('rev-parse', 'HEAD^{tree}').trim());
    checkout.write('a.txt', 'much longer\n');
    await workspace.record('x');
    await workspace.reset(workspace.startSnapshot);
    expect(checkout.read('a.txt')).toBe('b\n');
  });

  it('contains changes of the same length made in quick succession', async () => {
    const checkout = repository();
    const workspace = await checkout.open();
    const commits = new Set<string>();
    for (const content of ['b\n', 'c\n', 'd\n', 'e\n', 'f\n']) {
      checkout.write('a.txt', content);
      commits.add((await workspace.record(content)).commit);
    }
    expect(commits.size).toBe(5);
  });
});

describe('a snapshot does not contain', () => {
  const recorded = async (checkout: Checkout, change: () => void) => {
    const workspace = await checkout.open();
    change();
    const after = await workspace.record('x');
    return (await workspace.changes(workspace.startSnapshot, after)).map(({ path }) => path);
  };
  const outputs = (checkout: Checkout) => () => {
    checkout.write('.gump/out/result.json', '{}');
    checkout.write('.gump/workflows/new.yaml', 'x');
    checkout.write('gha-creds-0123abcd.json', 'secret');
    checkout.write('deep/er/gha-creds-0123abcd.json', 'secret');
    checkout.write('kept.txt', 'x');
  };

  it.each([
    ['.gump is ignored', { '.gitignore': '.gump/\n' }, ['kept.txt']],
    ['nothing is ignored', { 'a.txt': 'a' }, ['.gump/workflows/new.yaml', 'kept.txt']],
    [
      '.gump/workflows is tracked',
      { '.gump/workflows/w.yaml': 'w' },
      ['.gump/workflows/new.yaml', 'kept.txt'],
    ],
    [
      'a .gitignore includes them',
      { '.gitignore': '!*.json\n!.gump/out\n!.gump/out/**\n' },
      ['.gump/workflows/new.yaml', 'kept.txt'],
    ],
  ])('the output and credential files if %s', async (_case, files: Record<string, string>, wanted) => {
    const checkout = repository(files);
    expect(await recorded(checkout, outputs(checkout))).toEqual(wanted);
  });

  it('a staged credential file, and neither does the start tree', async () => {
    const checkout = repository();
    const plain = (await checkout.open()).startTree;
    checkout.write('gha-creds-1.json', 'secret');
    checkout.git('add', '-f', 'gha-creds-1.json');
    const workspace = await checkout.open();
    expect(workspace.startTree).toBe(plain);
    checkout.write('a.txt', 'b');
    const after = await workspace.record('x');
    checkout.remove('gha-creds-1.json');
    expect(await workspace.changes(after, await workspace.record('y'))).toEqual([]);
  });

  it('files that git ignores by .gitignore, info/exclude or the global file', async () => {
    const checkout = repository({ '.gitignore': 'one\n' });
    checkout.write('.git/info/exclude', 'two\n');
    writeFileSync(join(checkout.home, 'ignore-me'), 'three\n');
    checkout.git('config', '--global', 'core.excludesFile', '~/ignore-me');
    const names = ['one', 'two', 'three', 'four'];
    expect(await recorded(checkout, () => names.forEach((name) => void checkout.write(name, 'x')))).toEqual([
      'four',
    ]);
  });

  it('files that the default global ignore file names', async () => {
    const checkout = repository();
    mkdirSync(join(checkout.home, '.config/git'), { recursive: true });
    writeFileSync(join(checkout.home, '.config/git/ignore'), '*.swp');
    expect(await recorded(checkout, () => checkout.write('x.swp', 'x'))).toEqual([]);
  });

  it('a file that was ignored at the start, even if a step changes .gitignore', async () => {
    const checkout = repository({ '.gitignore': '.env\ndist/\n' });
    checkout.write('.env', 'secret');
    checkout.write('dist/old.js', 'old');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const workspace = await checkout.open();
    await new Promise((resolve) => setTimeout(resolve, 20));
    checkout.write('.gitignore', '');
    checkout.write('dist/new.js', 'new');
    const after = await workspace.record('x');
    const paths = (await workspace.changes(workspace.startSnapshot, after)).map(({ path }) => path);
    expect(paths).toEqual(['.gitignore', 'dist/new.js']);
    expect(after.leftOut).toEqual([]);
    await workspace.reset(workspace.startSnapshot);
    expect(checkout.files()).toMatchObject({ '.env': 'secret', 'dist/old.js': 'old' });
  });

  it('a file that is too large: the earlier version stays, and the file is reported', async () => {
    const checkout = repository({ 'tracked.bin': 'small', 'other.txt': 'x' });
    checkout.write('before.bin', 'x'.repeat(2000));
    const workspace = await checkout.open({ maximumFileBytes: 1000 });
    checkout.write('tracked.bin', 'changed');
    const first = await workspace.record('small change');
    expect(first.leftOut).toEqual([]);
    checkout.write('tracked.bin', 'x'.repeat(1001));
    checkout.write('new.bin', 'x'.repeat(1001));
    checkout.write('other.txt', 'x'.repeat(1000));
    const second = await workspace.record('large');
    expect(second.leftOut).toEqual(['new.bin', 'tracked.bin']);
    expect(await workspace.changes(workspace.startSnapshot, second)).toEqual([
      { path: 'other.txt', kind: 'modified' },
    ]);
    expect((await workspace.record('again')).changed).toBe(false);
    await workspace.reset(workspace.startSnapshot);
    expect(checkout.files()).toEqual({
      'tracked.bin': 'small',
      'other.txt': 'x',
      'before.bin': 'x'.repeat(2000),
    });
  });

  it('a pipe, or the files of a nested repository', async () => {
    const checkout = repository({ 'a.txt': 'a' });
    const workspace = await checkout.open();
    const nested = checkoutAt(join(checkout.root, 'nested'));
    mkdirSync(nested.root);
    nested.git('init', '-q');
    nested.write('inside', 'x');
    const withCommit = checkoutAt(join(checkout.root, 'other'));
    mkdirSync(withCommit.root);
    withCommit.git('init', '-q');
    withCommit.git('commit', '-q', '--allow-empty', '-m', 'x');
    checkout.remove('a.txt');
    execFileSync('mkfifo', [join(checkout.root, 'a.txt')]);
    checkout.write('new.txt', 'n');
    const after = await workspace.record('x');
    expect(after.leftOut).toEqual(['a.txt']);
    expect(after.unstored).toEqual(['nested/', 'other/']);
    expect(await workspace.changes(workspace.startSnapshot, after)).toEqual([
      { path: 'new.txt', kind: 'added' },
    ]);
    await workspace.reset(workspace.startSnapshot);
    expect(checkout.files()).toEqual({ 'a.txt': 'a' });
  });

  it('a repository that another checkout step created in this one', async () => {
    const checkout = repository();
    const nested = checkoutAt(join(checkout.root, 'nested'));
    mkdirSync(nested.root);
    nested.git('init', '-q');
    nested.write('inside', 'x');
    const workspace = await checkout.open();
    checkout.write('b', 'b');
    expect((await workspace.record('x')).leftOut).toEqual([]);
    await workspace.reset(workspace.startSnapshot);
    expect(nested.read('inside')).toBe('x');
  });
});

describe('files that were untracked at the start', () => {
  it('are in no change and no pack unless a step changed them', async () => {
    const checkout = repository({ 'a.txt': 'a\n', 'dirty.txt': 'committed\n' });
    checkout.write('token.txt', 'untracked-secret-bytes');
    checkout.write('notes.txt', 'untracked-notes\n');
    checkout.write('dirty.txt', 'dirty before\n');
    const workspace = await checkout.open();
    checkout.write('a.txt', 'b\n');
    const first = await workspace.record('first');
    checkout.write('notes.txt', 'untracked-notes\nand more\n');
    const second = await workspace.record('second');
    expect(await workspace.changes(workspace.startSnapshot, second)).toEqual([
      { path: 'a.txt', kind: 'modified' },
      { path: 'notes.txt', kind: 'modified' },
    ]);
    expect(await workspace.patch(workspace.startSnapshot, second)).toContain(' untracked-notes\n+and more');
    const blobs = blobsOf(checkout, await workspace.pack([first, second]));
    expect([...blobs].sort()).toEqual(['b\n', 'untracked-notes\n', 'untracked-notes\nand more\n']);
    await workspace.reset(workspace.startSnapshot);
    expect(checkout.files()).toMatchObject({
      'token.txt': 'untracked-secret-bytes',
      'dirty.txt': 'dirty before\n',
    });
  });

  it('are part of the start tree, and .gump is not', async () => {
    const checkout = repository();
    const clean = (await checkout.open()).startTree;
    checkout.write('.gump/workflows/w.yaml', 'w');
    checkout.write('.gump/out/x', 'x');
    checkout.write('gha-creds-x.json', 'x');
    expect((await checkout.open()).startTree).toBe(clean);
    expect(checkout.git('rev-parse', 'HEAD^{tree}').trim()).toBe(clean);
    checkout.write('token.txt', 't');
    expect((await checkout.open()).startTree).not.toBe(clean);
  });
});

describe('what gates write', () => {
  it('belongs to no snapshot and survives a reset', async () => {
    const checkout = repository({ 'a.txt': 'a\n', 'format-me.txt': 'f\n' });
    const workspace = await checkout.open();
    checkout.write('a.txt', 'by step 1\n');
    const first = await workspace.record('1');
    checkout.write('coverage/report', 'r');
    checkout.write('format-me.txt', 'formatted\n');
    await workspace.disown();
    expect(await workspace.record('nothing')).toEqual({ ...first, changed: false });
    checkout.write('b.txt', 'by step 2\n');
    checkout.remove('a.txt');
    const second = await workspace.record('2');
    expect(second.changed).toBe(true);
    expect((await workspace.changes(workspace.startSnapshot, second)).map(({ path }) => path)).toEqual([
      'a.txt',
      'b.txt',
    ]);
    expect([...blobsOf(checkout, await workspace.pack([first, second]))].sort()).toEqual([
      'by step 1\n',
      'by step 2\n',
    ]);
    await workspace.reset(first);
    const gates = { 'coverage/report': 'r', 'format-me.txt': 'formatted\n' };
    expect(checkout.files()).toEqual({ 'a.txt': 'by step 1\n', ...gates });
    await workspace.reset(workspace.startSnapshot);
    expect(checkout.files()).toEqual({ 'a.txt': 'a\n', ...gates });
    expect(await workspace.record('start')).toMatchObject(workspace.startSnapshot);
  });

  it('belongs to the step if the step changes the same file afterwards', async () => {
    const checkout = repository({ 'a.txt': 'a\n' });
    const workspace = await checkout.open();
    checkout.write('a.txt', 'a\nformatted\n');
    await workspace.disown();
    checkout.write('a.txt', 'a\nformatted\nstep\n');
    const after = await workspace.record('x');
    expect(await workspace.patch(workspace.startSnapshot, after)).toContain('+formatted\n+step');
    await workspace.reset(workspace.startSnapshot);
    expect(checkout.read('a.txt')).toBe('a\n');
  });
});

describe('a change that nobody recorded', () => {
  it('is taken once, and belongs to no snapshot', async () => {
    const checkout = repository({ 'a.txt': '1', 'b.txt': '1', '.gitignore': 'ignored' });
    const workspace = await checkout.open();
    checkout.write('a.txt', '2');
    const first = await workspace.record('x');
    expect(await workspace.takeUnrecorded()).toEqual([]);
    checkout.write('b.txt', '2');
    checkout.write('late.txt', '2');
    checkout.write('ignored', '2');
    checkout.write('.gump/out/plan.json', '[]');
    expect(await workspace.takeUnrecorded()).toEqual([
      { path: 'b.txt', kind: 'modified' },
      { path: 'late.txt', kind: 'added' },
    ]);
    expect(await workspace.takeUnrecorded()).toEqual([]);
    checkout.write('c.txt', '2');
    const second = await workspace.record('y');
    expect(await workspace.changes(first, second)).toEqual([{ path: 'c.txt', kind: 'added' }]);
  });

  it('is none after a reset, with files that are too large to record', async () => {
    const checkout = repository({ 'a.txt': '1', 'tracked.bin': 'small' });
    const workspace = await checkout.open({ maximumFileBytes: 1000 });
    checkout.write('a.txt', '2');
    checkout.write('tracked.bin', 'x'.repeat(1001));
    checkout.write('new.bin', 'x'.repeat(1001));
    const { leftOut } = await workspace.record('x');
    expect(leftOut).toEqual(['new.bin', 'tracked.bin']);
    expect(await workspace.takeUnrecorded()).toEqual([]);
    await workspace.reset(workspace.startSnapshot);
    expect(await workspace.takeUnrecorded()).toEqual([]);
  });
});
