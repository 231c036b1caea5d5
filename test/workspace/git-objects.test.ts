/** Objects that the action writes itself must be those that git writes. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toBytePath } from '../../src/workspace/byte-path.js';
import { openObjectWriter } from '../../src/workspace/git-objects.js';
import { repository, temporaryDirectory } from './checkout.js';

// `a.b` sorts before the folder `a`, and `a0` after it.
const files = { 'a/x': '1\n', 'a.b': '2\n', a0: '3\n', 'a/y/z': '4\n', 'é/ü b': '5\n', deep: '6\n' };

describe('the writer of objects', () => {
  it('makes the same tree and the same commit as git', () => {
    const checkout = repository(files);
    const objects = join(checkout.root, '.git', 'objects');
    const writer = openObjectWriter({ directory: objects, format: 'sha1', now: () => 1_700_000_000_999 });
    const entries = checkout
      .git('ls-tree', '-r', '-z', '--full-tree', 'HEAD')
      .split('\0')
      .filter(Boolean)
      .map((line) => /^(\d+) \w+ (\w+)\t(.*)$/s.exec(line) ?? [])
      .map(([, mode = '', id = '', path = '']) => [toBytePath(path), { mode, id }] as const);
    const tree = writer.tree(new Map(entries.toReversed()));
    expect(tree).toBe(checkout.git('rev-parse', 'HEAD^{tree}').trim());
    const parent = checkout.git('rev-parse', 'HEAD').trim();
    const commit = writer.commit(tree, parent, 'a message');
    expect(checkout.git('log', '-1', '--format=%T %P %an %ae %at %ct %s', commit).trim()).toBe(
      `${tree} ${parent} gump-action gump-action@localhost 1700000000 1700000000 a message`,
    );
    expect(writer.tree(new Map())).toBe('4b825dc642cb6eb9a060e54bf8d69288fbee4904');
    checkout.git('fsck', '--strict', '--no-dangling', commit);
  });

  it('writes objects of a SHA-256 repository', () => {
    const folder = temporaryDirectory();
    mkdirSync(join(folder, 'objects'));
    const writer = openObjectWriter({ directory: join(folder, 'objects'), format: 'sha256', now: () => 0 });
    // gitformat-pack, "empty tree" of a SHA-256 repository.
    expect(writer.tree(new Map())).toBe('6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321');
  });
});
