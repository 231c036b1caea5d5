/** The copies of sessions: another program cannot change them, and a kill loses none. */
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSessionCopies, type SessionCopyIndex } from '../../src/sessions/session-copies.js';
import type { SessionRef } from '../../src/sessions/session-store.js';

const session = { provider: 'sample', id: 'one' };
const fileOf = (text: string) => [{ path: 'a/b.jsonl', content: Buffer.from(text) }];

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gump-copies-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function open(index?: SessionCopyIndex) {
  const altered: SessionRef[] = [];
  let last: SessionCopyIndex = index ?? {};
  const copies = openSessionCopies({
    directory: join(root, 'copies'),
    ...(index === undefined ? {} : { index }),
    onChange: (next) => {
      last = next;
    },
    onAltered: (ref) => altered.push(ref),
  });
  return { copies, altered, index: () => last };
}

const storedFiles = () =>
  readdirSync(join(root, 'copies'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

it.each([
  ['changed', (file: string) => writeFileSync(file, 'planted')],
  ['removed', (file: string) => rmSync(file)],
])('does not read a copy that was %s, and reports it', async (_how, change) => {
  const { copies, altered } = open();
  await copies.replace(session, fileOf('mine'));
  for (const file of storedFiles()) change(file);
  expect(await copies.read(session)).toEqual([]);
  expect(altered).toEqual([session]);
});

it('does not read a file that was added', async () => {
  const { copies } = open();
  await copies.replace(session, fileOf('mine'));
  for (const file of storedFiles()) writeFileSync(`${file}.more`, 'planted');
  expect(await copies.read(session)).toEqual(fileOf('mine'));
  expect(await copies.read({ provider: 'sample', id: 'other' })).toEqual([]);
});

it('keeps the copies that an earlier index names until the next index was passed on', async () => {
  const { copies, index } = open();
  await copies.replace(session, fileOf('first'));
  const before = index();
  const later = openSessionCopies({
    directory: join(root, 'copies'),
    index: before,
    // The process is killed here.
    onChange: () => cpSync(join(root, 'copies'), join(root, 'killed'), { recursive: true }),
  });
  await later.replace(session, fileOf('second'));
  rmSync(join(root, 'copies'), { recursive: true });
  cpSync(join(root, 'killed'), join(root, 'copies'), { recursive: true });
  expect(await open(before).copies.read(session)).toEqual(fileOf('first'));
});

it('reads the copies of an earlier process with its index, in their order', async () => {
  const { copies, index } = open();
  for (const text of ['1', '2', '2', '3'])
    await copies.save(session, {
      files: fileOf(text).map((file) => ({ ...file, path: 'x.json' })),
      mark: { length: 1, sha256: '' },
      includesEarlierPoints: false,
    });
  const read = await open(JSON.parse(JSON.stringify(index()))).copies.read(session);
  expect(read.map(({ content }) => content.toString())).toEqual(['1', '2', '3']);
});
