import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Checkout, checkoutAt, cloneOf, repository, temporaryDirectory } from './checkout.js';

const numbers = Array.from({ length: 30 }, (_, line) => `${line}\n`);

/** The change of a step on one machine, applied to a checkout on another. */
async function carry(source: Checkout, target: Checkout, change: () => void) {
  const before = await source.open();
  change();
  const snapshot = await before.record('step');
  const pack = await before.pack([snapshot]);
  const workspace = await target.open();
  await workspace.unpack(pack);
  return { workspace, snapshot, conflicts: await workspace.apply(snapshot) };
}

describe('a reset', () => {
  it('restores content, modes, links and deletions, and leaves no empty directory', async () => {
    const checkout = repository({
      'a.txt': 'a\n',
      'bin/run': 'r',
      'deep/er/file': 'd',
      '.gitignore': 'ignored/\n',
    });
    chmodSync(join(checkout.root, 'bin/run'), 0o755);
    symlinkSync('a.txt', join(checkout.root, 'link'));
    checkout.git('add', '-A');
    checkout.git('commit', '-qm', 'more');
    checkout.write('ignored/keep', 'k');
    const workspace = await checkout.open();
    const before = checkout.files();
    checkout.remove('deep');
    chmodSync(join(checkout.root, 'bin/run'), 0o644);
    checkout.remove('link');
    checkout.write('fresh/with/files', 'x');
    await workspace.reset(workspace.startSnapshot);
    expect(checkout.files()).toEqual(before);
    expect(() => execFileSync('ls', [join(checkout.root, 'fresh')], { stdio: 'pipe' })).toThrow();
  });

  it('needs no record before it, whatever is in its place', async () => {
    const checkout = repository({ file: 'f', 'dir/in': 'd', 'dir/deep/in': 'd', 'tree/in': 't', same: 's' });
    const outside = temporaryDirectory();
    writeFileSync(join(outside, 'in'), 'not ours');
    checkout.write('untracked', 'u');
    const workspace = await checkout.open();
    const before = checkout.files();
    checkout.remove('file');
    checkout.write('file/in/the/way', 'x');
    checkout.remove('dir');
    checkout.write('dir', 'x');
    checkout.remove('tree');
    symlinkSync(outside, join(checkout.root, 'tree'));
    checkout.remove('untracked');
    checkout.write('untracked/too', 'x');
    await workspace.reset(workspace.startSnapshot);
    expect(checkout.files()).toEqual(before);
    expect(execFileSync('cat', [join(outside, 'in')]).toString()).toBe('not ours');
    expect((await workspace.record('x')).changed).toBe(false);
  });

  it('writes the bytes that were in the checkout, and no filter runs', async () => {
    const checkout = repository({
      '.gitattributes': '*.up filter=up -text\n',
      'x.up': 'UP\n',
      'crlf.txt': 'one\ntwo\n',
    });
    checkout.git('config', 'core.autocrlf', 'true');
    checkout.git('config', 'core.safecrlf', 'true');
    checkout.git('config', 'filter.up.clean', 'tr a-z A-Z');
    checkout.git('config', 'filter.up.smudge', 'tr A-Z a-z');
    checkout.git('config', 'filter.up.required', 'true');
    checkout.remove('crlf.txt');
    checkout.remove('x.up');
    checkout.git('checkout', '-q', '--', '.');
    expect([checkout.read('crlf.txt'), checkout.read('x.up')]).toEqual(['one\r\ntwo\r\n', 'up\n']);
    const workspace = await checkout.open();
    expect(workspace.startTree).toBe(checkout.git('rev-parse', 'HEAD^{tree}').trim());
    for (const name of ['clean', 'smudge']) checkout.git('config', `filter.up.${name}`, 'false');
    checkout.write('crlf.txt', 'one\r\ntwo\r\nthree\n');
    checkout.write('x.up', 'changed\n');
    const after = await workspace.record('x');
    expect(await workspace.patch(workspace.startSnapshot, after)).toContain('-up\n+changed');
    await workspace.reset(workspace.startSnapshot);
    expect([checkout.read('crlf.txt'), checkout.read('x.up')]).toEqual(['one\r\ntwo\r\n', 'up\n']);
    await workspace.reset(after);
    expect([checkout.read('crlf.txt'), checkout.read('x.up')]).toEqual([
      'one\r\ntwo\r\nthree\n',
      'changed\n',
    ]);
  });

  it('removes files that a step created and un-ignored, and keeps ignored files', async () => {
    const checkout = repository({ '.gitignore': 'cache/\n' });
    const workspace = await checkout.open();
    checkout.write('cache/file', 'x');
    checkout.write('.gitignore', 'cache/\nhidden/\n');
    checkout.write('hidden/file', 'x');
    await workspace.record('x');
    await workspace.reset(workspace.startSnapshot);
    expect(checkout.files()).toEqual({ '.gitignore': 'cache/\n', 'cache/file': 'x' });
  });

  it('keeps credential files and the output directory', async () => {
    const checkout = repository({ '.gitignore': '!*.json\n' });
    const workspace = await checkout.open();
    checkout.write('gha-creds-1.json', 'c');
    checkout.write('.gump/out/o.json', 'o');
    checkout.write('other.json', 'x');
    await workspace.reset(workspace.startSnapshot);
    expect(Object.keys(checkout.files()).sort()).toEqual([
      '.gitignore',
      '.gump/out/o.json',
      'gha-creds-1.json',
    ]);
  });
});

describe('a patch', () => {
  it('is accepted by git apply, with binary, Latin-1 and moved files', async () => {
    const checkout = repository({
      'text.txt': 'a\nb\n',
      'image.bin': Buffer.from([0, 1, 2, 3]),
      'latin.c': Buffer.from('// caf\xe9\n', 'latin1'),
      'moved.txt': numbers.join(''),
    });
    const other = cloneOf(checkout);
    const workspace = await checkout.open();
    checkout.write('text.txt', 'a\nc');
    checkout.write('image.bin', Buffer.from([0, 9, 9, 0]));
    checkout.write('latin.c', Buffer.from('// caf\xe9s\n', 'latin1'));
    checkout.remove('moved.txt');
    checkout.write('to/moved.txt', numbers.join(''));
    const after = await workspace.record('x');
    const patch = await workspace.patch(workspace.startSnapshot, after);
    expect(patch).toContain('-b\n+c\n\\ No newline at end of file');
    writeFileSync(join(temporaryDirectory(), 'patch'), patch);
    execFileSync('git', ['apply', '-'], { cwd: other.root, env: other.env, input: patch });
    expect(execFileSync('cat', [join(other.root, 'latin.c')])).toEqual(
      Buffer.from('// caf\xe9s\n', 'latin1'),
    );
    expect(other.files()).toEqual(checkout.files());
    expect(await workspace.patch(after, after)).toBe('');
  });
});

describe('a state of an earlier job', () => {
  it('is restored in a shallow clone of the same commit', async () => {
    const source = repository({ 'a.txt': numbers.join(''), 'gone.txt': 'g\n', 'run.sh': 'r\n' });
    const target = cloneOf(source, '--depth', '1');
    const { conflicts } = await carry(source, target, () => {
      source.write('a.txt', [...numbers, 'more\n'].join(''));
      source.remove('gone.txt');
      chmodSync(join(source.root, 'run.sh'), 0o755);
      symlinkSync('a.txt', join(source.root, 'link'));
      source.write('dir with space/é.txt', 'n');
    });
    expect(conflicts).toEqual([]);
    expect(target.files()).toEqual(source.files());
    expect(target.git('status', '--porcelain', '-uno')).toBe(' M a.txt\n D gone.txt\n M run.sh\n');
  });

  it('is restored in a shallow clone of another commit, and only the changed files are compared', async () => {
    const source = repository({ 'a.txt': 'a\n', 'b.txt': 'b\n', 'dir/c.txt': 'c\n', 'd.txt': 'd\n' });
    const workspace = await source.open();
    source.write('a.txt', 'a\nmore\n');
    source.write('dir/new.txt', 'new\n');
    const first = await workspace.record('first');
    source.write('d.txt', 'changed\n');
    const second = await workspace.record('second');
    const pack = await workspace.pack([workspace.startSnapshot, first, second]);
    await workspace.reset(workspace.startSnapshot);
    source.write('b.txt', 'unrelated\n');
    source.write('d.txt', 'elsewhere\n');
    source.git('commit', '-q', '-a', '-m', 'moved');

    const target = cloneOf(source, '--depth', '1');
    const moved = await target.open();
    await moved.unpack(pack);
    expect(await moved.hasSnapshots([first, second])).toBe(true);
    expect(await moved.findStartDifferences(first)).toEqual([]);
    expect(await moved.findStartDifferences(second)).toEqual(['d.txt']);
    expect(await moved.apply(first)).toEqual([]);
    expect(target.files()).toEqual({
      'a.txt': 'a\nmore\n',
      'b.txt': 'unrelated\n',
      'd.txt': 'elsewhere\n',
      'dir/c.txt': 'c\n',
      'dir/new.txt': 'new\n',
    });
    const third = await moved.record('third');
    expect(await moved.changes(moved.startSnapshot, third)).toHaveLength(2);
    expect((await moved.pack([first, third])).length).toBeGreaterThan(0);
    expect(await moved.apply(second)).toEqual(['d.txt']);
  });

  it('counts a file that already has its changed content as no difference', async () => {
    const source = repository({ 'a.txt': 'a\n' });
    const workspace = await source.open();
    source.write('a.txt', 'changed\n');
    const after = await workspace.record('x');
    const pack = await workspace.pack([after]);
    source.git('commit', '-q', '-a', '-m', 'the same change');
    const target = cloneOf(source, '--depth', '1');
    const moved = await target.open();
    await moved.unpack(pack);
    expect(await moved.findStartDifferences(after)).toEqual([]);
    expect(await moved.apply(after)).toEqual([]);
  });

  it('is complete in a third checkout, although the second one already had some of its changes', async () => {
    const source = repository({ 'a.txt': 'a\n', 'b.txt': 'b\n', 'c.txt': 'c\n' });
    const before = cloneOf(source);
    const workspace = await source.open();
    source.write('a.txt', 'step one\n');
    source.remove('c.txt');
    const one = await workspace.record('one');
    const pack = await workspace.pack([one]);
    source.git('commit', '-q', '-a', '-m', 'the same change');

    const moved = await cloneOf(source, '--depth', '1').open();
    await moved.unpack(pack);
    expect(await moved.apply(one)).toEqual([]);
    const unchanged = await moved.record('a step that changes nothing');
    expect(await moved.changes(one, unchanged)).toEqual([]);
    const second = await moved.pack([one, unchanged]);

    const last = await before.open();
    await last.unpack(second);
    expect(await last.apply(unchanged)).toEqual([]);
    expect(before.files()).toEqual({ 'a.txt': 'step one\n', 'b.txt': 'b\n' });
  });

  it('contains the changed files and nothing else, and is empty if nothing changed', async () => {
    const big = Array.from({ length: 20_000 }, (_, line) => `line ${line * 7919}\n`).join('');
    const checkout = repository({ 'big.txt': big, 'other.txt': `${big}other\n` });
    const workspace = await checkout.open();
    expect(await workspace.pack([])).toHaveLength(0);
    expect(await workspace.pack([workspace.startSnapshot, await workspace.record('x')])).toHaveLength(0);
    await workspace.unpack(Buffer.alloc(0));
    checkout.write('big.txt', `${big}one more\n`);
    const pack = await workspace.pack([await workspace.record('x')]);
    // The checkpoint compresses it.
    expect(deflateSync(pack).length).toBeLessThan(deflateSync(big).length + 2000);
  });

  it('is packed without what was packed before, also parts of large files, and unpacked after it', async () => {
    const big = Array.from({ length: 20_000 }, (_, line) => `line ${line * 7919}\n`).join('');
    const source = repository({ 'a.txt': '0\n', 'big.txt': big });
    const workspace = await source.open();
    source.write('big.txt', `${big}one\n`);
    const one = await workspace.record('1');
    source.write('a.txt', '1\n');
    source.write('big.txt', `${big}one\ntwo\n`);
    const two = await workspace.record('2');
    const before = await workspace.pack([one]);
    const more = await workspace.pack([one, two], [one.base, one.commit]);
    expect(more.length).toBeLessThan(before.length / 20);
    expect(await workspace.pack([one], [one.base, one.commit])).toHaveLength(0);

    const target = await cloneOf(source).open();
    await expect(target.unpack(more)).rejects.toThrow(/index-pack/);
    await target.unpack(before);
    await target.unpack(more);
    expect(await target.hasSnapshots([one, two])).toBe(true);
  });

  it('is refused if its pack is damaged', async () => {
    const checkout = repository();
    const workspace = await checkout.open();
    checkout.write('a.txt', 'b');
    const pack = await workspace.pack([await workspace.record('x')]);
    pack[pack.length - 30] = (pack[pack.length - 30] ?? 0) ^ 0xff;
    await expect(workspace.unpack(pack)).rejects.toThrow(/index-pack/);
  });

  it('is known to be complete only after its objects were unpacked', async () => {
    const source = repository({ 'a.txt': '0\n' });
    const first = await source.open();
    source.write('b/b.txt', '1\n');
    const one = await first.record('1');
    source.write('b/b.txt', '2\n');
    const two = await first.record('2');
    const second = await cloneOf(source).open();
    expect(await second.hasSnapshots([one])).toBe(false);
    await second.unpack(await first.pack([one]));
    expect(await second.hasSnapshots([one, second.startSnapshot])).toBe(true);
    expect(await second.hasSnapshots([one, two])).toBe(false);
  });

  it('can be reset to, compared, and packed again with later states', async () => {
    const source = repository({ 'a.txt': '0\n' });
    source.write('untracked', 'first machine');
    const first = await source.open();
    source.write('a.txt', '1\n');
    const one = await first.record('1');
    source.write('b.txt', '2\n');
    source.write('untracked', 'first machine, changed');
    const two = await first.record('2');
    const pack = await first.pack([one, two]);

    const target = cloneOf(source);
    target.write('untracked', 'first machine');
    target.write('of this machine', 'x');
    const second = await target.open();
    await second.unpack(pack);
    expect(await second.apply(two)).toEqual([]);
    expect(target.files()).toEqual({
      'a.txt': '1\n',
      'b.txt': '2\n',
      untracked: 'first machine, changed',
      'of this machine': 'x',
    });
    expect(await second.changes(one, two)).toEqual([
      { path: 'b.txt', kind: 'added' },
      { path: 'untracked', kind: 'modified' },
    ]);
    expect(await second.changes(second.startSnapshot, two)).toHaveLength(3);
    expect(await second.patch(second.startSnapshot, one)).toContain('-0\n+1');
    expect((await second.record('nothing new')).changed).toBe(false);
    await second.reset(one);
    expect(target.files()).toEqual({ 'a.txt': '1\n', untracked: 'first machine', 'of this machine': 'x' });
    target.write('c.txt', '3\n');
    const three = await second.record('3');
    expect((await second.changes(one, three)).map(({ path }) => path)).toEqual(['c.txt']);

    const third = cloneOf(source, '--depth', '1');
    const last = await third.open();
    await last.unpack(await second.pack([one, two, three]));
    expect(await last.apply(three)).toEqual([]);
    expect(third.files()).toEqual({ 'a.txt': '1\n', 'c.txt': '3\n' });
    expect((await last.changes(two, three)).map(({ path }) => path)).toEqual(['b.txt', 'c.txt', 'untracked']);
    await last.reset(last.startSnapshot);
    expect(third.files()).toEqual({ 'a.txt': '0\n' });
  });
});

describe('a state on top of another start tree', () => {
  const files = { 'a.txt': numbers.join(''), 'b.txt': 'b\n', 'c.bin': Buffer.from([0, 1]) };

  it('is merged if different lines changed, and the mode of one side is kept', async () => {
    const source = repository(files);
    const target = cloneOf(source);
    target.write('a.txt', ['top\n', ...numbers].join(''));
    chmodSync(join(target.root, 'a.txt'), 0o755);
    const { conflicts, workspace, snapshot } = await carry(source, target, () =>
      source.write('a.txt', [...numbers, 'bottom\n'].join('')),
    );
    expect(conflicts).toEqual([]);
    expect(target.files()['a.txt *']).toBe(['top\n', ...numbers, 'bottom\n'].join(''));
    expect(await workspace.patch(workspace.startSnapshot, snapshot)).not.toContain('+top');
    await workspace.reset(workspace.startSnapshot);
    expect(target.read('a.txt')).toBe(['top\n', ...numbers].join(''));
    await workspace.reset(snapshot);
    expect(target.read('a.txt')).toBe(['top\n', ...numbers, 'bottom\n'].join(''));
  });

  it('may already be present', async () => {
    const source = repository(files);
    const target = cloneOf(source);
    target.write('b.txt', 'same\n');
    const { conflicts } = await carry(source, target, () => source.write('b.txt', 'same\n'));
    expect(conflicts).toEqual([]);
  });

  it.each<[string, (checkout: Checkout) => void, (checkout: Checkout) => void, readonly string[]]>([
    ['the same line', (one) => one.write('b.txt', 'x\n'), (one) => one.write('b.txt', 'y\n'), ['b.txt']],
    ['a binary file', (one) => one.write('c.bin', '\0x'), (one) => one.write('c.bin', '\0y'), ['c.bin']],
    ['a file deleted here', (one) => one.write('b.txt', 'x\n'), (one) => one.remove('b.txt'), ['b.txt']],
    ['a file deleted there', (one) => one.remove('b.txt'), (one) => one.write('b.txt', 'x\n'), ['b.txt']],
    ['two new files', (one) => one.write('n', 'x\n'), (one) => one.write('n', 'y\n'), ['n']],
    ['a file for a directory', (one) => one.write('n', 'x\n'), (one) => one.write('n/in', 'y\n'), ['n/in']],
    ['a directory for a file', (one) => one.write('n/in', 'x\n'), (one) => one.write('n', 'y\n'), ['n']],
    ['an ignored file', (one) => one.write('n', 'x\n'), (one) => ignore(one, 'n'), ['n']],
  ])('is refused for %s, and nothing is written', async (_case, there, here, wanted) => {
    const source = repository(files);
    const target = cloneOf(source);
    here(target);
    const before = target.files();
    const { conflicts } = await carry(source, target, () => {
      there(source);
      source.write('innocent', 'x');
    });
    expect(conflicts).toEqual(wanted);
    expect(target.files()).toEqual(before);
  });

  function ignore(checkout: Checkout, name: string): void {
    checkout.write('.git/info/exclude', `${name}\n`);
    checkout.write(name, 'ignored content');
  }
});

describe('a state of version 0.1.0, which has what git has for a converted file', () => {
  it('is restored without a conflict, and the start tree is the same', async () => {
    const checkout = repository({ 'a.txt': 'one\ntwo\n', 'b.txt': 'b\n' });
    checkout.write('a.txt', 'one\ntwo\nthree\n');
    checkout.git('commit', '-qam', 'a step, as version 0.1.0 recorded it');
    const commit = checkout.git('rev-parse', 'HEAD').trim();
    checkout.git('config', 'core.autocrlf', 'true');
    checkout.git('reset', '-q', '--hard', 'HEAD~1');
    checkout.remove('a.txt');
    checkout.git('checkout', '-q', '--', 'a.txt');
    expect(checkout.read('a.txt')).toBe('one\r\ntwo\r\n');
    const workspace = await checkout.open();
    expect(workspace.startTree).toBe(checkout.git('rev-parse', 'HEAD^{tree}').trim());
    expect(await workspace.apply({ base: workspace.startCommit, commit })).toEqual([]);
    expect(checkout.read('a.txt')).toBe('one\ntwo\nthree\n');
  });

  it('is packed without the files that no step changed, also in a checkout of depth 1', async () => {
    const source = repository({ 'a.txt': 'one\n', 'b.txt': 'b\n' });
    source.write('b.txt', 'unrelated\n');
    source.git('commit', '-qam', 'later');
    const checkout = cloneOf(source, '--depth', '1');
    checkout.write('a.txt', 'two\n');
    checkout.git('commit', '-qam', 'a step, as version 0.1.0 recorded it');
    const commit = checkout.git('rev-parse', 'HEAD').trim();
    checkout.git('reset', '-q', '--hard', 'HEAD~1');
    const workspace = await checkout.open();
    const snapshot = { base: workspace.startCommit, commit };
    const count = (pack: Buffer) => pack.readUInt32BE(8);
    // A commit, a tree and a blob.
    expect(count(await workspace.pack([snapshot]))).toBe(3);
  });
});

describe('the commit of a submodule', () => {
  it('is recorded, and its files stay', async () => {
    const library = repository({ 'lib.c': '1' });
    const checkout = repository({ 'a.txt': 'a' });
    checkout.git('submodule', '--quiet', 'add', `file://${library.root}`, 'lib');
    checkout.git('commit', '-qm', 'submodule');
    const workspace = await checkout.open();
    const module = checkoutAt(join(checkout.root, 'lib'));
    checkout.write('lib/dirty', 'x');
    expect((await workspace.record('dirty within')).changed).toBe(false);
    module.git('add', '-A');
    module.git('commit', '-qm', 'moved on');
    const after = await workspace.record('moved');
    expect(await workspace.changes(workspace.startSnapshot, after)).toEqual([
      { path: 'lib', kind: 'modified' },
    ]);
    expect(await workspace.patch(workspace.startSnapshot, after)).toContain('Subproject commit');
    await workspace.reset(workspace.startSnapshot);
    expect(module.read('dirty')).toBe('x');
    const target = cloneOf(checkout, '--depth', '1');
    const later = await target.open();
    await later.unpack(await workspace.pack([after]));
    expect(await later.apply(after)).toEqual([]);
    expect((await later.changes(later.startSnapshot, after)).map(({ path }) => path)).toEqual(['lib']);
  });
});

describe('the output directory', () => {
  it('is emptied and removed, and .gump with it if it is empty', async () => {
    const checkout = repository();
    const workspace = await checkout.open();
    checkout.write('.gump/out/old/file', 'x');
    await workspace.emptyOutput();
    expect(Object.keys(checkout.files())).toEqual(['a.txt']);
    checkout.write('.gump/out/new', 'x');
    await workspace.removeOutput();
    expect(execFileSync('ls', ['-A', checkout.root]).toString()).toBe('.git\na.txt\n');
    await workspace.removeOutput();
    checkout.write('.gump/workflows/w.yaml', 'w');
    await workspace.emptyOutput();
    await workspace.removeOutput();
    expect(checkout.read('.gump/workflows/w.yaml')).toBe('w');
  });

  it('is never reached through a link', async () => {
    const outside = temporaryDirectory();
    writeFileSync(join(outside, 'outside.txt'), 'p');
    const checkout = repository();
    const workspace = await checkout.open();
    mkdirSync(join(checkout.root, '.gump'));
    symlinkSync(outside, join(checkout.root, '.gump/out'));
    await workspace.emptyOutput();
    checkout.write('.gump/out/new', 'x');
    await workspace.removeOutput();
    checkout.write('.gump/out', 'a file');
    await workspace.emptyOutput();
    await workspace.removeOutput();
    symlinkSync(outside, join(checkout.root, '.gump'));
    await expect(workspace.emptyOutput()).rejects.toThrow(/is a file or a link/);
    await expect(workspace.removeOutput()).rejects.toThrow(/is a file or a link/);
    expect(execFileSync('ls', [outside]).toString()).toBe('outside.txt\n');
  });
});

describe('ignored names', () => {
  it('are the top-level names in the working directory', async () => {
    const checkout = repository({ '.gitignore': 'node_modules\n/dist/\n*.log\n.gump/\n', 'app/x': 'x' });
    for (const path of [
      'node_modules/a/b',
      'dist/x',
      'é.log',
      'plain',
      '.gump/out/x',
      'app/node_modules/y',
    ]) {
      checkout.write(path, 'x');
    }
    checkout.write('gha-creds-1.json', 'x');
    expect(await (await checkout.open()).listIgnoredNames()).toEqual(['dist', 'node_modules', 'é.log']);
    const inApp = await checkout.open({ directory: join(checkout.root, 'app') });
    expect(await inApp.listIgnoredNames()).toEqual(['node_modules']);
    expect(await (await repository().open()).listIgnoredNames()).toEqual([]);
  });
});
