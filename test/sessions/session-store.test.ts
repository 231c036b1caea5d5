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
  createFileSessions,
  removeSessions,
  type SessionExportResult,
  type SessionLocation,
} from '../../src/sessions/session-store.js';
import { byDate, byDirectory, id, providerOf, withDirectoryLine } from './sample-session.js';

let root: string;
/** HOME of the machine that had the session, and of the one that goes on with it. */
let oldHome: string;
let newHome: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gump-test-'));
  oldHome = join(root, 'there');
  newHome = join(root, 'here');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function place(
  home: string,
  directory: string,
  sessionFiles: SessionFiles = byDirectory,
  more = {},
): SessionLocation {
  return { provider: providerOf(sessionFiles), id, directory, environment: { HOME: home }, ...more };
}

function writeText(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const oldFile = () => join(oldHome, '.sample/projects/-work-old', `${id}.jsonl`);
const newFile = () => join(newHome, '.sample/projects/-work-new', `${id}.jsonl`);

async function exportOldSession(
  sessionFiles: SessionFiles = byDirectory,
): Promise<Extract<SessionExportResult, { status: 'kept' }>> {
  const kept = await createFileSessions().export(place(oldHome, '/work/old', sessionFiles));
  if (kept.status !== 'kept') throw new Error(`not kept: ${JSON.stringify(kept)}`);
  return kept;
}

describe('keep', () => {
  it('copies the files of the session, and nothing that lies beside them', async () => {
    writeText(oldFile(), 'one\n');
    writeText(join(dirname(oldFile()), id, 'agents/a.jsonl'), 'sub\n');
    writeText(join(dirname(oldFile()), 'another.jsonl'), 'x');
    writeText(join(oldHome, '.sample/auth.json'), 'secret');
    const { files } = await exportOldSession();
    expect(files.map(({ path, content }) => [path, content.toString()])).toEqual([
      [`projects/-work-old/${id}.jsonl`, 'one\n'],
      [`projects/-work-old/${id}/agents/a.jsonl`, 'sub\n'],
    ]);
  });

  it('looks where the variable of the CLI points', async () => {
    writeText(join(root, 'moved/projects/-work-old', `${id}.jsonl`), 'one\n');
    const environment = { HOME: oldHome, SAMPLE_HOME: join(root, 'moved') };
    const kept = await createFileSessions().export(place(oldHome, '/work/old', byDirectory, { environment }));
    expect(kept.status).toBe('kept');
  });

  it('finds a file by a pattern with folders in it', async () => {
    writeText(join(oldHome, '.dated/sessions/2026/11/23', `rollout-1-${id}.jsonl`), 'one\n');
    expect((await exportOldSession(byDate)).files[0]?.path).toBe(`sessions/2026/11/23/rollout-1-${id}.jsonl`);
  });

  it('takes the copy that was written to last, where two lie about', async () => {
    const anywhere = { ...byDirectory, patterns: () => [`projects/*/${id}.jsonl`] };
    const left = writeText(join(oldHome, '.sample/projects/-work-before', `${id}.jsonl`), 'left\n');
    const used = writeText(oldFile(), 'used\n');
    for (const [newer, older] of [
      [used, left],
      [left, used],
    ] as const) {
      utimesSync(older, 1000, 1000);
      utimesSync(newer, 2000, 2000);
      const { files } = await exportOldSession(anywhere);
      expect(files.map(({ path }) => join(oldHome, '.sample', path))).toEqual([newer]);
    }
  });

  it('says that there is none', async () => {
    expect(await createFileSessions().export(place(oldHome, '/work/old'))).toEqual({ status: 'none' });
  });

  it('does not follow a link, whether a file or a folder', async () => {
    const secret = writeText(join(root, 'auth.json'), 'secret');
    mkdirSync(dirname(oldFile()), { recursive: true });
    symlinkSync(secret, oldFile());
    writeText(join(root, 'outside', 'b.jsonl'), 'secret');
    symlinkSync(join(root, 'outside'), join(dirname(oldFile()), id));
    expect(await createFileSessions().export(place(oldHome, '/work/old'))).toEqual({ status: 'none' });
  });

  it('works in a home folder that is itself a link', async () => {
    writeText(oldFile(), 'one\n');
    symlinkSync(oldHome, newHome);
    expect((await createFileSessions().export(place(newHome, '/work/old'))).status).toBe('kept');
  });

  it('leaves out a session that is too large, and says so', async () => {
    writeText(oldFile(), 'x'.repeat(101));
    const kept = await createFileSessions([], { bytes: 100 }).export(place(oldHome, '/work/old'));
    expect(kept).toEqual({
      status: 'skipped',
      reason: expect.stringContaining('too large to keep: 101 bytes'),
    });
  });

  it('does not put a text that is no session id into a path', async () => {
    const kept = await createFileSessions().export({ ...place(oldHome, '/work/old'), id: '../../auth' });
    expect(kept).toEqual({
      status: 'skipped',
      reason: expect.stringContaining('"../../auth" is not a session id'),
    });
  });
});

describe('spent', () => {
  it('is what the main file says', async () => {
    writeText(oldFile(), 'one\ntwo\n');
    expect(await createFileSessions().readUsage(place(oldHome, '/work/old'))).toEqual({ costUsd: 2 });
  });

  it('is unknown where there is no file, or the CLI does not say', async () => {
    expect(await createFileSessions().readUsage(place(oldHome, '/work/old'))).toEqual({});
    expect(await createFileSessions().readUsage(place(oldHome, '/work/old', byDate))).toEqual({});
  });

  it('does not count a file that is only looked at as made by this run', async () => {
    writeText(oldFile(), 'one\n');
    const store = createFileSessions();
    await store.readUsage(place(oldHome, '/work/old'));
    expect(store.placed()).toEqual([]);
  });
});

describe('bringBack', () => {
  it('writes the session where this machine looks for it, for its owner alone', async () => {
    chmodSync(writeText(oldFile(), 'one\n'), 0o755);
    writeText(join(dirname(oldFile()), id, 'agents/a.jsonl'), 'sub\n');
    const { files, mark } = await exportOldSession();
    const brought = await createFileSessions().import(place(newHome, '/work/new'), files, mark);
    expect(brought).toEqual({ status: 'there' });
    expect(readFileSync(newFile(), 'utf8')).toBe('one\n');
    expect(statSync(newFile()).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(newFile())).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(dirname(newFile()), id, 'agents/a.jsonl'), 'utf8')).toBe('sub\n');
  });

  it('rewrites what names the directory', async () => {
    writeText(oldFile(), '{"cwd":"/work/old"}\none\n');
    const { files } = await exportOldSession(withDirectoryLine);
    await createFileSessions().import(place(newHome, '/work/new', withDirectoryLine), files);
    expect(readFileSync(newFile(), 'utf8')).toBe('{"cwd":"/work/new"}\none\n');
  });

  it('cuts the session back to the mark, on either machine', async () => {
    writeText(oldFile(), '{"cwd":"/work/old"}\none\n');
    const { mark } = await exportOldSession(withDirectoryLine);
    writeText(oldFile(), '{"cwd":"/work/old"}\none\ntwo\n');
    const { files } = await exportOldSession(withDirectoryLine);
    await createFileSessions().import(place(newHome, '/work/new', withDirectoryLine), files, mark);
    expect(readFileSync(newFile(), 'utf8')).toBe('{"cwd":"/work/new"}\none\n');
  });

  it('says that a session is ahead where it cannot be cut back, and writes nothing', async () => {
    writeText(oldFile(), 'one\n');
    const { mark } = await exportOldSession();
    writeText(oldFile(), 'a summary\nof it all\n');
    const { files } = await exportOldSession();
    const brought = await createFileSessions().import(place(newHome, '/work/new'), files, mark);
    expect(brought).toEqual({ status: 'session-ahead', reason: expect.stringContaining(id) });
    expect(existsSync(newHome)).toBe(false);
  });

  it.each([
    '../escaped.jsonl',
    '/tmp/escaped.jsonl',
    'settings.json',
    'projects/-work-new/../../settings.json',
    `projects/-work-new/./${id}.jsonl`,
    'projects\\-work-new\\x.jsonl',
  ])('writes nothing to %s, which is not on the list', async (path) => {
    const stray = { ...byDirectory, restorePath: () => path };
    const files = [{ path: 'any', content: Buffer.from('x') }];
    const brought = await createFileSessions().import(place(newHome, '/work/new', stray), files);
    expect(brought).toEqual({ status: 'refused', reason: expect.stringContaining('is not a place') });
    expect(existsSync(newHome)).toBe(false);
  });

  it('refuses two files for one place, no files, and what is no session id', async () => {
    const store = createFileSessions();
    const content = Buffer.from('x');
    const twice = [`projects/a/${id}.jsonl`, `projects/b/${id}.jsonl`].map((path) => ({ path, content }));
    expect(await store.import(place(newHome, '/work/new'), twice)).toMatchObject({ status: 'refused' });
    expect(await store.import(place(newHome, '/work/new'), [])).toMatchObject({ status: 'refused' });
    const odd = { ...place(newHome, '/work/new'), id: '--help' };
    expect(await store.import(odd, [{ path: 'x', content }])).toMatchObject({ status: 'refused' });
    expect(existsSync(newHome)).toBe(false);
  });

  it('does not write through a link on the way', async () => {
    writeText(oldFile(), 'one\n');
    const { files } = await exportOldSession();
    mkdirSync(join(root, 'outside'));
    mkdirSync(join(newHome, '.sample'), { recursive: true });
    symlinkSync(join(root, 'outside'), join(newHome, '.sample/projects'));
    const brought = await createFileSessions().import(place(newHome, '/work/new'), files);
    expect(brought).toEqual({ status: 'refused', reason: expect.stringContaining('is not a folder') });
    expect(readdirSync(join(root, 'outside'))).toEqual([]);
  });

  it('writes all files or none', async () => {
    writeText(oldFile(), 'one\n');
    writeText(join(dirname(oldFile()), id, 'agents/a.jsonl'), 'sub\n');
    const { files } = await exportOldSession();
    writeText(newFile(), 'mine\n');
    mkdirSync(join(dirname(newFile()), id, 'agents/a.jsonl'), { recursive: true });
    const store = createFileSessions();
    expect(await store.import(place(newHome, '/work/new'), files)).toMatchObject({ status: 'refused' });
    expect(readFileSync(newFile(), 'utf8')).toBe('mine\n');
    expect(readdirSync(dirname(newFile())).sort()).toEqual([id, `${id}.jsonl`]);
    expect(store.placed()).toEqual([]);
  });

  it('moves a file that is there aside, also when it is a link, and not what the link points to', async () => {
    writeText(oldFile(), 'one\n');
    const { files } = await exportOldSession();
    const target = writeText(join(root, 'mine'), 'mine\n');
    mkdirSync(dirname(newFile()), { recursive: true });
    symlinkSync(target, newFile());
    await createFileSessions().import(place(newHome, '/work/new'), files);
    expect(readFileSync(newFile(), 'utf8')).toBe('one\n');
    expect(readFileSync(target, 'utf8')).toBe('mine\n');
    expect(readFileSync(`${newFile()}.gump-1`, 'utf8')).toBe('mine\n');
  });
});

describe('removeSessions', () => {
  it('takes away what was brought back, and puts back what was in the way', async () => {
    writeText(oldFile(), 'one\n');
    const { files } = await exportOldSession();
    writeText(newFile(), 'mine\n');
    writeText(`${newFile()}.gump-1`, 'left by someone\n');
    const store = createFileSessions();
    await store.import(place(newHome, '/work/new'), files);
    // The CLI appends; then an earlier state is brought back: our own file is not in the way of itself.
    writeFileSync(newFile(), 'one\ntwo\n');
    await store.import(place(newHome, '/work/new'), files);
    expect(readFileSync(newFile(), 'utf8')).toBe('one\n');
    // `post` is another process: what it knows went through a text.
    await removeSessions(JSON.parse(JSON.stringify(store.placed())));
    expect(readFileSync(newFile(), 'utf8')).toBe('mine\n');
    expect(readdirSync(dirname(newFile())).sort()).toEqual([`${id}.jsonl`, `${id}.jsonl.gump-1`]);
  });

  it('takes away what the run made itself, once it was kept', async () => {
    writeText(oldFile(), 'one\n');
    const store = createFileSessions();
    await store.export(place(oldHome, '/work/old'));
    await removeSessions(store.placed());
    expect(existsSync(oldFile())).toBe(false);
  });

  it('goes on from what an earlier process of the job had placed', async () => {
    writeText(oldFile(), 'one\n');
    const { files } = await exportOldSession();
    writeText(newFile(), 'mine\n');
    const first = createFileSessions();
    await first.import(place(newHome, '/work/new'), files);
    const second = createFileSessions(first.placed());
    await second.export(place(newHome, '/work/new'));
    await removeSessions(second.placed());
    expect(readFileSync(newFile(), 'utf8')).toBe('mine\n');
  });

  it('does not mind files that are gone', async () => {
    await removeSessions([{ path: join(root, 'gone'), aside: join(root, 'gone.gump-1') }]);
    expect(readdirSync(root)).toEqual([]);
  });
});
