/** The copies of sessions: another program cannot change them, and a kill loses none. */
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

describe('copies from while the agent is at work', () => {
  const exported = (text: string, includesEarlierPoints = false) => ({
    files: [{ path: 'export.json', content: Buffer.from(text) }],
    mark: { length: 0, sha256: '' },
    includesEarlierPoints,
  });
  const textsOf = async ({ copies }: ReturnType<typeof open>) =>
    (await copies.read(session)).map(({ content }) => content.toString());

  it('are needed until the copy after the next one', async () => {
    const opened = open();
    const { copies } = opened;
    await copies.save(session, exported('attempt 1'));
    await copies.saveInterim(session, exported('work 1'));
    await copies.saveInterim(session, exported('work 2'));
    expect(await textsOf(opened)).toEqual(['attempt 1', 'work 1', 'work 2']);
    await copies.saveInterim(session, exported('work 3'));
    expect(await textsOf(opened)).toEqual(['attempt 1', 'work 2', 'work 3']);
    await copies.save(session, exported('attempt 2'));
    expect(await textsOf(opened)).toEqual(['attempt 1', 'work 3', 'attempt 2']);
    expect(storedFiles()).toHaveLength(3);
    // Another process of the job knows which they are.
    const later = open(opened.index());
    await later.copies.saveInterim(session, exported('work 4'));
    await later.copies.saveInterim(session, exported('work 5'));
    expect(await textsOf(later)).toEqual(['attempt 1', 'attempt 2', 'work 4', 'work 5']);
  });

  it('stay if the agent ended with the same', async () => {
    const opened = open();
    const { copies } = opened;
    await copies.saveInterim(session, exported('work 1'));
    await copies.saveInterim(session, exported('same'));
    await copies.save(session, exported('same'));
    await copies.saveInterim(session, exported('work 2'));
    await copies.saveInterim(session, exported('work 3'));
    expect(await textsOf(opened)).toEqual(['same', 'work 2', 'work 3']);
  });

  it('replace the earlier ones if they contain them', async () => {
    const opened = open();
    await opened.copies.save(session, exported('one', true));
    await opened.copies.saveInterim(session, exported('one two', true));
    expect(await textsOf(opened)).toEqual(['one two']);
  });
});
