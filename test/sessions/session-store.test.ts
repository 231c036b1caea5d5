import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SessionFiles } from '../../src/providers/provider.js';
import {
  createSessionStore,
  type KeptSession,
  removeSessions,
  type SessionPlace,
} from '../../src/sessions/session-store.js';
import { byDate, byDirectory, id, noted, providerOf } from './sample-session.js';

let root: string;
/** HOME of the machine that had the session, and of the one that goes on with it. */
let there: string;
let here: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gump-test-'));
  there = join(root, 'there');
  here = join(root, 'here');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function place(
  home: string,
  directory: string,
  sessionFiles: SessionFiles = byDirectory,
  more = {},
): SessionPlace {
  return { provider: providerOf(sessionFiles), id, directory, environment: { HOME: home }, ...more };
}

function put(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const oldFile = () => join(there, '.sample/projects/-work-old', `${id}.jsonl`);
const newFile = () => join(here, '.sample/projects/-work-new', `${id}.jsonl`);

async function keepOld(
  sessionFiles: SessionFiles = byDirectory,
): Promise<Extract<KeptSession, { status: 'kept' }>> {
  const kept = await createSessionStore().keep(place(there, '/work/old', sessionFiles));
  if (kept.status !== 'kept') throw new Error(`not kept: ${JSON.stringify(kept)}`);
  return kept;
}

describe('keep', () => {
  it('copies the files of the session, and nothing that lies beside them', async () => {
    put(oldFile(), 'one\n');
    put(join(dirname(oldFile()), id, 'agents/a.jsonl'), 'sub\n');
    put(join(dirname(oldFile()), 'another.jsonl'), 'x');
    put(join(there, '.sample/auth.json'), 'secret');
    const { files } = await keepOld();
    expect(files.map(({ path, content }) => [path, content.toString()])).toEqual([
      [`projects/-work-old/${id}.jsonl`, 'one\n'],
      [`projects/-work-old/${id}/agents/a.jsonl`, 'sub\n'],
    ]);
  });

  it('looks where the variable of the CLI points', async () => {
    put(join(root, 'moved/projects/-work-old', `${id}.jsonl`), 'one\n');
    const environment = { HOME: there, SAMPLE_HOME: join(root, 'moved') };
    const kept = await createSessionStore().keep(place(there, '/work/old', byDirectory, { environment }));
    expect(kept.status).toBe('kept');
  });

  it('finds a file by a pattern with folders in it', async () => {
    put(join(there, '.dated/sessions/2026/11/23', `rollout-1-${id}.jsonl`), 'one\n');
    expect((await keepOld(byDate)).files[0]?.path).toBe(`sessions/2026/11/23/rollout-1-${id}.jsonl`);
  });

  it('takes the copy that was written to last, where two lie about', async () => {
    const anywhere = { ...byDirectory, patterns: () => [`projects/*/${id}.jsonl`] };
    const left = put(join(there, '.sample/projects/-work-before', `${id}.jsonl`), 'left\n');
    const used = put(oldFile(), 'used\n');
    for (const [newer, older] of [
      [used, left],
      [left, used],
    ] as const) {
      utimesSync(older, 1000, 1000);
      utimesSync(newer, 2000, 2000);
      const { files } = await keepOld(anywhere);
      expect(files.map(({ path }) => join(there, '.sample', path))).toEqual([newer]);
    }
  });

  it('says that there is none', async () => {
    expect(await createSessionStore().keep(place(there, '/work/old'))).toEqual({ status: 'none' });
  });

  it('does not follow a link, whether a file or a folder', async () => {
    const secret = put(join(root, 'auth.json'), 'secret');
    mkdirSync(dirname(oldFile()), { recursive: true });
    symlinkSync(secret, oldFile());
    put(join(root, 'outside', 'b.jsonl'), 'secret');
    symlinkSync(join(root, 'outside'), join(dirname(oldFile()), id));
    expect(await createSessionStore().keep(place(there, '/work/old'))).toEqual({ status: 'none' });
  });

  it('works in a home folder that is itself a link', async () => {
    put(oldFile(), 'one\n');
    symlinkSync(there, here);
    expect((await createSessionStore().keep(place(here, '/work/old'))).status).toBe('kept');
  });

  it('leaves out a session that is too large, and says so', async () => {
    put(oldFile(), 'x'.repeat(101));
    const kept = await createSessionStore([], { bytes: 100 }).keep(place(there, '/work/old'));
    expect(kept).toEqual({
      status: 'skipped',
      reason: expect.stringContaining('too large to keep: 101 bytes'),
    });
  });

  it('does not put a text that is no session id into a path', async () => {
    const kept = await createSessionStore().keep({ ...place(there, '/work/old'), id: '../../auth' });
    expect(kept).toEqual({
      status: 'skipped',
      reason: expect.stringContaining('"../../auth" is not a session id'),
    });
  });
});

describe('spent', () => {
  it('is what the main file says', async () => {
    put(oldFile(), 'one\ntwo\n');
    expect(await createSessionStore().spent(place(there, '/work/old'))).toEqual({ costUsd: 2 });
  });

  it('is unknown where there is no file, or the CLI does not say', async () => {
    expect(await createSessionStore().spent(place(there, '/work/old'))).toEqual({});
    expect(await createSessionStore().spent(place(there, '/work/old', byDate))).toEqual({});
  });

  it('does not count a file that is only looked at as made by this run', async () => {
    put(oldFile(), 'one\n');
    const store = createSessionStore();
    await store.spent(place(there, '/work/old'));
    expect(store.placed()).toEqual([]);
  });
});

describe('bringBack', () => {
  it('writes the session where this machine looks for it, for its owner alone', async () => {
    chmodSync(put(oldFile(), 'one\n'), 0o755);
    put(join(dirname(oldFile()), id, 'agents/a.jsonl'), 'sub\n');
    const { files, mark } = await keepOld();
    const brought = await createSessionStore().bringBack(place(here, '/work/new'), files, mark);
    expect(brought).toEqual({ status: 'there' });
    expect(readFileSync(newFile(), 'utf8')).toBe('one\n');
    expect(statSync(newFile()).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(newFile())).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(dirname(newFile()), id, 'agents/a.jsonl'), 'utf8')).toBe('sub\n');
  });

  it('rewrites what names the directory', async () => {
    put(oldFile(), '{"cwd":"/work/old"}\none\n');
    const { files } = await keepOld(noted);
    await createSessionStore().bringBack(place(here, '/work/new', noted), files);
    expect(readFileSync(newFile(), 'utf8')).toBe('{"cwd":"/work/new"}\none\n');
  });

  it('cuts the session back to the mark, on either machine', async () => {
    put(oldFile(), '{"cwd":"/work/old"}\none\n');
    const { mark } = await keepOld(noted);
    put(oldFile(), '{"cwd":"/work/old"}\none\ntwo\n');
    const { files } = await keepOld(noted);
    await createSessionStore().bringBack(place(here, '/work/new', noted), files, mark);
    expect(readFileSync(newFile(), 'utf8')).toBe('{"cwd":"/work/new"}\none\n');
  });

  it('says that a session is ahead where it cannot be cut back, and writes nothing', async () => {
    put(oldFile(), 'one\n');
    const { mark } = await keepOld();
    put(oldFile(), 'a summary\nof it all\n');
    const { files } = await keepOld();
    const brought = await createSessionStore().bringBack(place(here, '/work/new'), files, mark);
    expect(brought).toEqual({ status: 'session-ahead', reason: expect.stringContaining(id) });
    expect(existsSync(here)).toBe(false);
  });

  it.each([
    '../escaped.jsonl',
    '/tmp/escaped.jsonl',
    'settings.json',
    'projects/-work-new/../../settings.json',
    `projects/-work-new/./${id}.jsonl`,
    'projects\\-work-new\\x.jsonl',
  ])('writes nothing to %s, which is not on the list', async (path) => {
    const stray = { ...byDirectory, place: () => path };
    const files = [{ path: 'any', content: Buffer.from('x') }];
    const brought = await createSessionStore().bringBack(place(here, '/work/new', stray), files);
    expect(brought).toEqual({ status: 'refused', reason: expect.stringContaining('is not a place') });
    expect(existsSync(here)).toBe(false);
  });

  it('refuses two files for one place, no files, and what is no session id', async () => {
    const store = createSessionStore();
    const content = Buffer.from('x');
    const twice = [`projects/a/${id}.jsonl`, `projects/b/${id}.jsonl`].map((path) => ({ path, content }));
    expect(await store.bringBack(place(here, '/work/new'), twice)).toMatchObject({ status: 'refused' });
    expect(await store.bringBack(place(here, '/work/new'), [])).toMatchObject({ status: 'refused' });
    const odd = { ...place(here, '/work/new'), id: '--help' };
    expect(await store.bringBack(odd, [{ path: 'x', content }])).toMatchObject({ status: 'refused' });
    expect(existsSync(here)).toBe(false);
  });

  it('does not write through a link on the way', async () => {
    put(oldFile(), 'one\n');
    const { files } = await keepOld();
    mkdirSync(join(root, 'outside'));
    mkdirSync(join(here, '.sample'), { recursive: true });
    symlinkSync(join(root, 'outside'), join(here, '.sample/projects'));
    const brought = await createSessionStore().bringBack(place(here, '/work/new'), files);
    expect(brought).toEqual({ status: 'refused', reason: expect.stringContaining('is not a folder') });
    expect(readdirSync(join(root, 'outside'))).toEqual([]);
  });

  it('writes all files or none', async () => {
    put(oldFile(), 'one\n');
    put(join(dirname(oldFile()), id, 'agents/a.jsonl'), 'sub\n');
    const { files } = await keepOld();
    put(newFile(), 'mine\n');
    mkdirSync(join(dirname(newFile()), id, 'agents/a.jsonl'), { recursive: true });
    const store = createSessionStore();
    expect(await store.bringBack(place(here, '/work/new'), files)).toMatchObject({ status: 'refused' });
    expect(readFileSync(newFile(), 'utf8')).toBe('mine\n');
    expect(readdirSync(dirname(newFile())).sort()).toEqual([id, `${id}.jsonl`]);
    expect(store.placed()).toEqual([]);
  });

  it('moves a file that is there aside, also when it is a link, and not what the link points to', async () => {
    put(oldFile(), 'one\n');
    const { files } = await keepOld();
    const target = put(join(root, 'mine'), 'mine\n');
    mkdirSync(dirname(newFile()), { recursive: true });
    symlinkSync(target, newFile());
    await createSessionStore().bringBack(place(here, '/work/new'), files);
    expect(readFileSync(newFile(), 'utf8')).toBe('one\n');
    expect(readFileSync(target, 'utf8')).toBe('mine\n');
    expect(readFileSync(`${newFile()}.gump-1`, 'utf8')).toBe('mine\n');
  });
});

describe('removeSessions', () => {
  it('takes away what was brought back, and puts back what was in the way', async () => {
    put(oldFile(), 'one\n');
    const { files } = await keepOld();
    put(newFile(), 'mine\n');
    put(`${newFile()}.gump-1`, 'left by someone\n');
    const store = createSessionStore();
    await store.bringBack(place(here, '/work/new'), files);
    // The CLI appends; then an earlier state is brought back: our own file is not in the way of itself.
    writeFileSync(newFile(), 'one\ntwo\n');
    await store.bringBack(place(here, '/work/new'), files);
    expect(readFileSync(newFile(), 'utf8')).toBe('one\n');
    // `post` is another process: what it knows went through a text.
    await removeSessions(JSON.parse(JSON.stringify(store.placed())));
    expect(readFileSync(newFile(), 'utf8')).toBe('mine\n');
    expect(readdirSync(dirname(newFile())).sort()).toEqual([`${id}.jsonl`, `${id}.jsonl.gump-1`]);
  });

  it('takes away what the run made itself, once it was kept', async () => {
    put(oldFile(), 'one\n');
    const store = createSessionStore();
    await store.keep(place(there, '/work/old'));
    await removeSessions(store.placed());
    expect(existsSync(oldFile())).toBe(false);
  });

  it('goes on from what an earlier process of the job had placed', async () => {
    put(oldFile(), 'one\n');
    const { files } = await keepOld();
    put(newFile(), 'mine\n');
    const first = createSessionStore();
    await first.bringBack(place(here, '/work/new'), files);
    const second = createSessionStore(first.placed());
    await second.keep(place(here, '/work/new'));
    await removeSessions(second.placed());
    expect(readFileSync(newFile(), 'utf8')).toBe('mine\n');
  });

  it('does not mind files that are gone', async () => {
    await removeSessions([{ path: join(root, 'gone'), aside: join(root, 'gone.gump-1') }]);
    expect(readdirSync(root)).toEqual([]);
  });
});
