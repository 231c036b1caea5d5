/** How many processes of git the work of a step costs: with small steps, they are most of the time of the action. */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findProgram } from '../../src/system/programs.js';
import { type Checkout, repository } from './checkout.js';

/** Opens the workspace with a git that writes down the name of each command. A search waits while `held` exists. */
async function openCounted(checkout: Checkout) {
  const bin = join(checkout.home, 'bin');
  const calls = join(checkout.home, 'calls');
  const held = join(checkout.home, 'held');
  const git = findProgram('git', checkout.env.PATH, checkout.root);
  mkdirSync(bin);
  writeFileSync(
    join(bin, 'git'),
    `#!/bin/sh
for word in "$@"; do
  case "$word" in *-files | *-index | *-tree | *-objects | *-list | check-* | cat-*) echo "$word" >>'${calls}' ;; esac
  case "$word" in diff-files | ls-files) while [ -e '${held}' ]; do sleep 0.05; done ;; esac
done
exec '${git}' "$@"
`,
  );
  chmodSync(join(bin, 'git'), 0o755);
  const workspace = await checkout.open({ env: { ...checkout.env, PATH: `${bin}:${checkout.env.PATH}` } });
  return {
    workspace,
    held,
    /** The commands since the last call, sorted. */
    takeCalls(): readonly string[] {
      const lines = readFileSync(calls, 'utf8').trim().split('\n');
      rmSync(calls);
      return lines.sort();
    },
  };
}

it('a snapshot takes two commands that search, one that stages, and two that read what was staged', async () => {
  const checkout = repository({ 'a.txt': '1', 'b.txt': '1' });
  const { workspace, takeCalls } = await openCounted(checkout);
  takeCalls();
  checkout.write('a.txt', '2');
  checkout.write('new.txt', '2');
  await workspace.record('x');
  expect(takeCalls()).toEqual(['diff-files', 'diff-index', 'ls-files', 'update-index', 'write-tree']);
});

it('the changes of a step are known without a command', async () => {
  const checkout = repository({ 'a.txt': '1', 'b.txt': '1', 'c.txt': '1' });
  const { workspace, takeCalls } = await openCounted(checkout);
  checkout.write('a.txt', '2');
  checkout.remove('b.txt');
  const before = await workspace.record('x');
  checkout.write('a.txt', '1');
  checkout.write('b.txt', '1');
  checkout.remove('c.txt');
  checkout.write('c.txt/inner.txt', '3');
  const after = await workspace.record('y');
  takeCalls();
  expect(await workspace.changes(before, after)).toEqual([
    { path: 'a.txt', kind: 'modified' },
    { path: 'b.txt', kind: 'added' },
    { path: 'c.txt', kind: 'deleted' },
    { path: 'c.txt/inner.txt', kind: 'added' },
  ]);
  expect(await workspace.changes(workspace.startSnapshot, after)).toEqual([
    { path: 'c.txt', kind: 'deleted' },
    { path: 'c.txt/inner.txt', kind: 'added' },
  ]);
  expect(() => takeCalls()).toThrow('ENOENT');
});

it('files whose times alone changed are not changed, and are read once', async () => {
  const checkout = repository({ 'a.txt': '1', 'b.txt': '1' });
  const { workspace, takeCalls } = await openCounted(checkout);
  checkout.write('a.txt', '1');
  expect(await workspace.record('x')).toMatchObject({ ...workspace.startSnapshot, changed: false });
  takeCalls();
  expect((await workspace.record('y')).changed).toBe(false);
  expect(takeCalls()).toEqual(['diff-files', 'ls-files']);
});

it('packs and ignored names do not wait for a snapshot', async () => {
  const checkout = repository({ 'a.txt': '1', '.gitignore': 'dist/\n' });
  const { workspace, held } = await openCounted(checkout);
  checkout.write('a.txt', '2');
  checkout.write('dist/x', '1');
  const first = await workspace.record('x');
  writeFileSync(held, '');
  let isRecorded = false;
  const second = workspace.record('y').finally(() => {
    isRecorded = true;
  });
  expect((await workspace.pack([first])).length).toBeGreaterThan(0);
  expect(await workspace.listIgnoredNames()).toEqual(['dist']);
  expect(isRecorded).toBe(false);
  rmSync(held);
  expect((await second).commit).toBe(first.commit);
});

it('a file that is only intended to be added, and is left out, is no change', async () => {
  const checkout = repository({ 'a.txt': '1' });
  checkout.write('large.txt', 'x'.repeat(100));
  checkout.git('add', '-N', 'large.txt');
  const workspace = await checkout.open({ maximumFileBytes: 10 });
  checkout.write('a.txt', '2');
  const after = await workspace.record('x');
  expect(await workspace.changes(workspace.startSnapshot, after)).toEqual([
    { path: 'a.txt', kind: 'modified' },
  ]);
  checkout.write('large.txt', 'small');
  expect(await workspace.changes(after, await workspace.record('y'))).toEqual([
    { path: 'large.txt', kind: 'added' },
  ]);
});
