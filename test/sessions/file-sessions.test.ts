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
import { createFileSessions } from '../../src/sessions/file-sessions.js';
import type { ExportedSession, SessionLocation } from '../../src/sessions/session-store.js';
import { byDate, byDirectory, id, providerOf, withDirectoryLine } from './sample-session.js';

let root: string;
/** HOME of the machine that had the session, and of the machine that resumes it. */
let oldHome: string;
let newHome: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gump-test-'));
  oldHome = join(root, 'old');
  newHome = join(root, 'new');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function locate(
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

async function exportOldSession(sessionFiles: SessionFiles = byDirectory): Promise<ExportedSession> {
  const exported = await createFileSessions().export(locate(oldHome, '/work/old', sessionFiles));
  if (exported.status !== 'exported') throw new Error(JSON.stringify(exported));
  return exported;
}

describe('exporting session files', () => {
  it('copies the files of the session and nothing next to them', async () => {
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

  it('uses the home that the variable of the CLI names', async () => {
    writeText(join(root, 'moved/projects/-work-old', `${id}.jsonl`), 'one\n');
    const environment = { HOME: oldHome, SAMPLE_HOME: join(root, 'moved') };
    const exported = await createFileSessions().export(
      locate(oldHome, '/work/old', byDirectory, { environment }),
    );
    expect(exported.status).toBe('exported');
  });

  it('finds a file by a pattern that spans folders', async () => {
    writeText(join(oldHome, '.dated/sessions/2026/11/23', `rollout-1-${id}.jsonl`), 'one\n');
    expect((await exportOldSession(byDate)).files[0]?.path).toBe(`sessions/2026/11/23/rollout-1-${id}.jsonl`);
  });

  it('exports the file that was written last if there are two', async () => {
    const anywhere = { ...byDirectory, patterns: () => [`projects/*/${id}.jsonl`] };
    const unused = writeText(join(oldHome, '.sample/projects/-work-before', `${id}.jsonl`), 'unused\n');
    const used = writeText(oldFile(), 'used\n');
    for (const [newer, older] of [
      [used, unused],
      [unused, used],
    ] as const) {
      utimesSync(older, 1000, 1000);
      utimesSync(newer, 2000, 2000);
      const { files } = await exportOldSession(anywhere);
      expect(files.map(({ path }) => join(oldHome, '.sample', path))).toEqual([newer]);
    }
  });

  it('reports that there is no session', async () => {
    expect(await createFileSessions().export(locate(oldHome, '/work/old'))).toEqual({ status: 'none' });
  });

  it('follows no link, neither to a file nor to a folder', async () => {
    const secret = writeText(join(root, 'auth.json'), 'secret');
    mkdirSync(dirname(oldFile()), { recursive: true });
    symlinkSync(secret, oldFile());
    writeText(join(root, 'outside', 'b.jsonl'), 'secret');
    symlinkSync(join(root, 'outside'), join(dirname(oldFile()), id));
    expect(await createFileSessions().export(locate(oldHome, '/work/old'))).toEqual({ status: 'none' });
  });

  it('works in a home folder that is a link itself', async () => {
    writeText(oldFile(), 'one\n');
    symlinkSync(oldHome, newHome);
    expect((await createFileSessions().export(locate(newHome, '/work/old'))).status).toBe('exported');
  });

  it('skips a session that is too large, and reports its size', async () => {
    writeText(oldFile(), 'x'.repeat(101));
    const exported = await createFileSessions([], { bytes: 100 }).export(locate(oldHome, '/work/old'));
    expect(exported).toEqual({
      status: 'skipped',
      reason: 'the session has 101 bytes, more than the 100 that a checkpoint stores',
    });
  });
});

describe('exporting while the CLI writes', () => {
  const signal = new AbortController().signal;
  const exportRunning = (sessionFiles: SessionFiles = byDirectory) =>
    createFileSessions().exportRunning(locate(oldHome, '/work/old', sessionFiles), signal);

  it('takes complete lines only, and the session resumes at the last of them', async () => {
    writeText(oldFile(), 'one\ntwo\n{"half');
    writeText(join(dirname(oldFile()), id, 'agent.jsonl'), 'a\n{"ha');
    const exported = await exportRunning();
    if (exported.status !== 'exported') throw new Error(JSON.stringify(exported));
    expect(exported.files.map(({ content }) => content.toString()).sort()).toEqual(['a\n', 'one\ntwo\n']);
    const to = locate(newHome, '/work/new');
    expect(await createFileSessions().import(to, exported.files, exported.mark)).toEqual({
      status: 'imported',
    });
    expect(readFileSync(newFile(), 'utf8')).toBe('one\ntwo\n');
  });

  it.each(['', '{"half'])('finds no session before its first line is complete: %j', async (text) => {
    writeText(oldFile(), text);
    expect(await exportRunning()).toEqual({ status: 'none' });
  });

  it.each([
    ['grows', 'one\ntwo\nthree', true],
    ['stays', 'one\ntwo\n', true],
    ['is shortened', 'one\n', false],
    ['is rewritten', 'one\nTWO\nthree\n', false],
  ])('notices whether the session %s', async (_how, text, hasGrown) => {
    writeText(oldFile(), 'one\ntwo\nth');
    const exported = await exportRunning();
    if (exported.status !== 'exported') throw new Error(JSON.stringify(exported));
    writeText(oldFile(), text);
    const location = locate(oldHome, '/work/old');
    expect(await createFileSessions().hasOnlyGrown(location, exported.mark)).toBe(hasGrown);
  });

  it('notices that the session is gone', async () => {
    writeText(oldFile(), 'one\n');
    const exported = await exportRunning();
    if (exported.status !== 'exported') throw new Error(JSON.stringify(exported));
    rmSync(oldFile());
    expect(await createFileSessions().hasOnlyGrown(locate(oldHome, '/work/old'), exported.mark)).toBe(false);
  });

  it('takes a database as it is', async () => {
    writeText(oldFile(), 'no lines');
    const exported = await exportRunning({ ...byDirectory, isDatabase: true });
    expect(exported).toMatchObject({ files: [{ content: Buffer.from('no lines') }] });
  });
});

describe('the usage of a session', () => {
  it('is read from the main file', async () => {
    writeText(oldFile(), 'one\ntwo\n');
    expect(await createFileSessions().readUsage(locate(oldHome, '/work/old'))).toEqual({ costUsd: 2 });
  });

  it('is unknown without a file, or if the CLI does not report it', async () => {
    expect(await createFileSessions().readUsage(locate(oldHome, '/work/old'))).toEqual({});
    expect(await createFileSessions().readUsage(locate(oldHome, '/work/old', byDate))).toEqual({});
  });
});

describe('importing session files', () => {
  it('writes the files where the CLI of this machine looks for them, readable by their owner only', async () => {
    chmodSync(writeText(oldFile(), 'one\n'), 0o755);
    writeText(join(dirname(oldFile()), id, 'agents/a.jsonl'), 'sub\n');
    const { files, mark } = await exportOldSession();
    const result = await createFileSessions().import(locate(newHome, '/work/new'), files, mark);
    expect(result).toEqual({ status: 'imported' });
    expect(readFileSync(newFile(), 'utf8')).toBe('one\n');
    expect(statSync(newFile()).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(newFile())).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(dirname(newFile()), id, 'agents/a.jsonl'), 'utf8')).toBe('sub\n');
  });

  it('rewrites the directory in the file', async () => {
    writeText(oldFile(), '{"cwd":"/work/old"}\none\n');
    const { files } = await exportOldSession(withDirectoryLine);
    await createFileSessions().import(locate(newHome, '/work/new', withDirectoryLine), files);
    expect(readFileSync(newFile(), 'utf8')).toBe('{"cwd":"/work/new"}\none\n');
  });

  it('rolls the session back to the mark, on either machine', async () => {
    writeText(oldFile(), '{"cwd":"/work/old"}\none\n');
    const { mark } = await exportOldSession(withDirectoryLine);
    writeText(oldFile(), '{"cwd":"/work/old"}\none\ntwo\n');
    const { files } = await exportOldSession(withDirectoryLine);
    await createFileSessions().import(locate(newHome, '/work/new', withDirectoryLine), files, mark);
    expect(readFileSync(newFile(), 'utf8')).toBe('{"cwd":"/work/new"}\none\n');
  });

  it('reports that a session is ahead if it cannot be rolled back, and writes nothing', async () => {
    writeText(oldFile(), 'one\n');
    const { mark } = await exportOldSession();
    writeText(oldFile(), 'a summary\nof it all\n');
    const { files } = await exportOldSession();
    const result = await createFileSessions().import(locate(newHome, '/work/new'), files, mark);
    expect(result).toEqual({ status: 'session-ahead', reason: expect.stringContaining(id) });
    expect(existsSync(newHome)).toBe(false);
  });

  it.each([
    '../escaped.jsonl',
    '/tmp/escaped.jsonl',
    'settings.json',
    'projects/-work-new/../../settings.json',
    `projects/-work-new/./${id}.jsonl`,
    'projects\\-work-new\\x.jsonl',
  ])('writes nothing to %s, which is not in the list of the provider', async (path) => {
    const stray = { ...byDirectory, restorePath: () => path };
    const files = [{ path: 'any', content: Buffer.from('x') }];
    const result = await createFileSessions().import(locate(newHome, '/work/new', stray), files);
    expect(result).toEqual({ status: 'refused', reason: expect.stringContaining('is not a valid path') });
    expect(existsSync(newHome)).toBe(false);
  });

  it('refuses two files with the same path', async () => {
    const store = createFileSessions();
    const content = Buffer.from('x');
    const twice = [`projects/a/${id}.jsonl`, `projects/b/${id}.jsonl`].map((path) => ({ path, content }));
    expect(await store.import(locate(newHome, '/work/new'), twice)).toMatchObject({ status: 'refused' });
    expect(existsSync(newHome)).toBe(false);
  });

  it('does not write through a link in the path', async () => {
    writeText(oldFile(), 'one\n');
    const { files } = await exportOldSession();
    mkdirSync(join(root, 'outside'));
    mkdirSync(join(newHome, '.sample'), { recursive: true });
    symlinkSync(join(root, 'outside'), join(newHome, '.sample/projects'));
    const result = await createFileSessions().import(locate(newHome, '/work/new'), files);
    expect(result).toEqual({ status: 'refused', reason: expect.stringContaining('is not a folder') });
    expect(readdirSync(join(root, 'outside'))).toEqual([]);
  });

  it('writes all files or none', async () => {
    writeText(oldFile(), 'one\n');
    writeText(join(dirname(oldFile()), id, 'agents/a.jsonl'), 'sub\n');
    const { files } = await exportOldSession();
    writeText(newFile(), 'mine\n');
    mkdirSync(join(dirname(newFile()), id, 'agents/a.jsonl'), { recursive: true });
    const store = createFileSessions();
    expect(await store.import(locate(newHome, '/work/new'), files)).toMatchObject({ status: 'refused' });
    expect(readFileSync(newFile(), 'utf8')).toBe('mine\n');
    expect(readdirSync(dirname(newFile())).sort()).toEqual([id, `${id}.jsonl`]);
    expect(store.placed()).toEqual([]);
  });

  it('moves an existing link aside, and leaves its target alone', async () => {
    writeText(oldFile(), 'one\n');
    const { files } = await exportOldSession();
    const target = writeText(join(root, 'mine'), 'mine\n');
    mkdirSync(dirname(newFile()), { recursive: true });
    symlinkSync(target, newFile());
    await createFileSessions().import(locate(newHome, '/work/new'), files);
    expect(readFileSync(newFile(), 'utf8')).toBe('one\n');
    expect(readFileSync(target, 'utf8')).toBe('mine\n');
    expect(readFileSync(`${newFile()}.gump-1`, 'utf8')).toBe('mine\n');
  });
});

describe('removing session files', () => {
  it('removes the imported files and restores the files of the user', async () => {
    writeText(oldFile(), 'one\n');
    const { files } = await exportOldSession();
    writeText(newFile(), 'mine\n');
    writeText(`${newFile()}.gump-1`, 'left by someone\n');
    const store = createFileSessions();
    await store.import(locate(newHome, '/work/new'), files);
    // The CLI appends, then an earlier state is imported: our own file is replaced, not moved aside.
    writeFileSync(newFile(), 'one\ntwo\n');
    await store.import(locate(newHome, '/work/new'), files);
    expect(readFileSync(newFile(), 'utf8')).toBe('one\n');
    await store.remove(locate(newHome, '/work/new'));
    expect(readFileSync(newFile(), 'utf8')).toBe('mine\n');
    expect(readdirSync(dirname(newFile())).sort()).toEqual([`${id}.jsonl`, `${id}.jsonl.gump-1`]);
  });

  it('knows what an earlier process of the job moved aside', async () => {
    writeText(oldFile(), 'one\n');
    const { files } = await exportOldSession();
    writeText(newFile(), 'mine\n');
    const first = createFileSessions();
    await first.import(locate(newHome, '/work/new'), files);
    const second = createFileSessions(first.placed());
    await second.export(locate(newHome, '/work/new'));
    await second.remove(locate(newHome, '/work/new'));
    expect(readFileSync(newFile(), 'utf8')).toBe('mine\n');
  });
});
