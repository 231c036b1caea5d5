/** What only sessions in a database need, with a small program that stores them like OpenCode. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCommandSessions } from '../../src/sessions/command-sessions.js';
import { openSessionCopies, type SessionCopies, saveSession } from '../../src/sessions/session-copies.js';
import type { SessionLocation, SessionStore } from '../../src/sessions/session-store.js';
import { processRunner } from '../../src/system/run-process.js';
import { byDate, id, installSampleProgram, providerOf, sampleCommands } from './sample-session.js';

let root: string;
let sessions: SessionStore;
let copies: SessionCopies;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gump-test-'));
  for (const folder of ['home', 'work']) mkdirSync(join(root, folder));
  installSampleProgram(join(root, 'bin'));
  sessions = createCommandSessions({ processes: processRunner, directory: join(root, 'private') });
  copies = openSessionCopies({ directory: join(root, 'copies') });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const locate = (change: Partial<SessionLocation> = {}): SessionLocation => ({
  provider: providerOf({ ...byDate, patterns: () => [] }, sampleCommands),
  id,
  directory: join(root, 'work'),
  environment: {
    HOME: join(root, 'home'),
    PATH: `${join(root, 'bin')}:/usr/bin:/bin`,
    SAMPLE_KEY: 'secret',
    OPENCODE_AUTH_CONTENT: 'secret',
  },
  ...change,
});

const sessionFile = () => join(root, 'home/database', id);
const sessionText = () => readFileSync(sessionFile(), 'utf8');

describe('a session in the database of a CLI', () => {
  it('is created with our id and leaves no temporary file', async () => {
    expect(await sessions.create(locate())).toBe(true);
    expect(sessionText()).toBe(`${id}\n`);
    expect(readdirSync(join(root, 'private'))).toEqual([]);
    expect(sessions.placed()).toEqual([{ provider: 'sample', id, files: [] }]);
  });

  it('is not created if the CLI is not found', async () => {
    const missing = locate({ environment: { HOME: join(root, 'home'), PATH: '/nowhere' } });
    expect(await sessions.create(missing)).toBe(false);
    expect(await sessions.export(missing)).toMatchObject({
      reason: expect.stringContaining('was not found'),
    });
  });

  it('has one numbered export per attempt', async () => {
    await sessions.create(locate());
    for (const turn of ['one', 'two']) {
      writeFileSync(sessionFile(), `${sessionText()}${turn}\n`);
      await saveSession(sessions, copies, locate());
    }
    const saved = await copies.read({ provider: 'sample', id });
    expect(saved.map(({ path }) => path)).toEqual(['000001-export.json', '000002-export.json']);
  });

  it.each(['x'.repeat(2000), 'line\n'.repeat(400)])(
    'has no export above the limit, in one line and in many',
    async (text) => {
      const maxBytes = 1500;
      const small = createCommandSessions({
        processes: processRunner,
        directory: join(root, 'private'),
        maxBytes,
      });
      await small.create(locate());
      expect(await small.export(locate())).toMatchObject({ status: 'exported' });
      writeFileSync(sessionFile(), `${sessionText()}${text}\n`);
      expect(await small.export(locate())).toEqual({
        status: 'skipped',
        reason: expect.stringMatching(/^the session has \d{4} bytes, more than the 1500 that a checkpoint/),
      });
    },
  );

  it('stays as it is if it is ahead of the copies', async () => {
    await sessions.create(locate());
    writeFileSync(sessionFile(), `${id}\none\n`);
    await saveSession(sessions, copies, locate());
    const mark = { length: 3, sha256: '0'.repeat(64) };
    const saved = await copies.read({ provider: 'sample', id });
    expect(await sessions.import(locate(), saved, mark)).toMatchObject({ status: 'session-ahead' });
    expect(sessionText()).toBe(`${id}\none\n`);
  });

  it('is not exported if its command fails, and the reason has the error of the command', async () => {
    expect(await sessions.export(locate())).toEqual({
      status: 'skipped',
      reason: expect.stringMatching(
        /the Sample command for session 0b5f.* ended with exit code 1: .*No such file/,
      ),
    });
  });

  it('is neither exported nor imported if the text belongs to another session', async () => {
    await sessions.create(locate());
    writeFileSync(sessionFile(), 'another\none\n');
    expect(await sessions.export(locate())).toMatchObject({ status: 'skipped' });
    const foreign = [{ path: '000001-export.json', content: Buffer.from('another\none\n') }];
    expect(await sessions.import(locate(), foreign)).toMatchObject({ status: 'refused' });
  });

  it('is exported while the CLI writes, unless its agent has ended', async () => {
    await sessions.create(locate());
    const { signal } = new AbortController();
    expect(await sessions.exportRunning(locate(), signal)).toMatchObject({ status: 'exported' });
    expect(await sessions.exportRunning(locate(), AbortSignal.abort())).toMatchObject({
      status: 'skipped',
      reason: expect.stringContaining('was cancelled'),
    });
  });

  it('is exported without credentials', async () => {
    await sessions.create(locate());
    await sessions.export(locate());
    const environment = readFileSync(join(root, 'home/environment'), 'utf8');
    expect(environment).toContain('QUIET=1');
    expect(environment).not.toContain('secret');
  });

  it('is not removed if its id is invalid', async () => {
    await sessions.remove(locate({ id: '--all' }));
    expect(existsSync(join(root, 'home/environment'))).toBe(false);
  });
});
