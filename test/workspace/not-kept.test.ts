/** What a step makes and git does not record is named once, or recorded all the same. */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Checkout, checkoutAt, cloneOf, repository } from './checkout.js';

const makeFolder = (checkout: Checkout, path: string) =>
  mkdirSync(join(checkout.root, path), { recursive: true });

describe('an empty directory', () => {
  it('is named once, with directories that contain only empty ones', async () => {
    const checkout = repository({ 'src/a.txt': 'a', '.gitignore': 'cache/\n' });
    const workspace = await checkout.open();
    makeFolder(checkout, 'logs/old');
    makeFolder(checkout, 'cache');
    makeFolder(checkout, '.gump/out');
    makeFolder(checkout, 'src/new/empty');
    checkout.write('src/new/file', 'x');
    const { notKept } = await workspace.record('x');
    expect(notKept).toEqual([
      { path: 'logs/', reason: 'empty' },
      { path: 'src/new/empty/', reason: 'empty' },
    ]);
    checkout.write('src/a.txt', 'b');
    expect((await workspace.record('y')).notKept).toEqual([]);
  });

  it('is not named if it was there at the start, or a gate made it', async () => {
    const library = repository({ 'lib.c': '1' });
    const source = repository({ 'deps/a.txt': 'a' });
    source.git('submodule', '--quiet', 'add', `file://${library.root}`, 'deps/lib');
    source.git('commit', '-qm', 'submodule');
    const checkout = cloneOf(source);
    makeFolder(checkout, 'deps/old');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const workspace = await checkout.open();
    makeFolder(checkout, 'of-a-gate');
    await workspace.disown();
    checkout.write('deps/a.txt', 'b');
    expect((await workspace.record('x')).notKept).toEqual([]);
  });
});

describe('files that a step hides by a rule that it adds', () => {
  it('are named once, but not what an old rule or a tool hides', async () => {
    const checkout = repository({ '.gitignore': 'node_modules/\n' });
    const workspace = await checkout.open();
    checkout.write('.gitignore', 'node_modules/\nsecret/\n*.key\n');
    checkout.write('node_modules/x/y.js', 'x');
    checkout.write('secret/file', 'x');
    checkout.write('my.key', 'x');
    checkout.write('.pytest_cache/.gitignore', '*\n');
    checkout.write('.pytest_cache/file', 'x');
    expect((await workspace.record('x')).notKept).toEqual([
      { path: 'my.key', reason: 'ignored' },
      { path: 'secret/', reason: 'ignored' },
    ]);
    checkout.write('other.key', 'x');
    expect((await workspace.record('y')).notKept).toEqual([{ path: 'other.key', reason: 'ignored' }]);
  });

  it("are found also if only the repository's own exclude file hides them", async () => {
    const checkout = repository();
    const workspace = await checkout.open();
    checkout.write('.git/info/exclude', 'hidden\n');
    checkout.write('hidden', 'x');
    const after = await workspace.record('x');
    expect((await workspace.changes(workspace.startSnapshot, after)).map(({ path }) => path)).toEqual([
      'hidden',
    ]);
  });
});

describe('an executable bit with `core.fileMode = false`', () => {
  it('is recorded and restored, and the start tree stays the same', async () => {
    const checkout = repository({ 'run.sh': 'r', 'other.sh': 'o', 'odd.sh': 'x' });
    checkout.git('config', 'core.fileMode', 'false');
    chmodSync(join(checkout.root, 'odd.sh'), 0o755);
    const workspace = await checkout.open();
    expect(workspace.startTree).toBe(checkout.git('rev-parse', 'HEAD^{tree}').trim());
    chmodSync(join(checkout.root, 'run.sh'), 0o755);
    const after = await workspace.record('x');
    expect(await workspace.changes(workspace.startSnapshot, after)).toEqual([
      { path: 'run.sh', kind: 'modified' },
    ]);
    const target = cloneOf(checkout);
    target.git('config', 'core.fileMode', 'false');
    const later = await target.open();
    await later.unpack(await workspace.pack([after]));
    expect(await later.apply(after)).toEqual([]);
    expect(Object.keys(checkoutAt(target.root).files()).sort()).toEqual(['odd.sh', 'other.sh', 'run.sh *']);
  });
});
