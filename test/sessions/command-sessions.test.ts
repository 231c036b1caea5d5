/** Sessions that go by commands, against a small program that keeps them as OpenCode does: an import adds, it never replaces. */
import {
  chmodSync,
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
import type { SessionCommands } from '../../src/providers/provider.js';
import { createCommandSessions } from '../../src/sessions/command-sessions.js';
import {
  createHomeSessions,
  type HomeSessionLocation,
  type HomeSessions,
} from '../../src/sessions/home-sessions.js';
import { openSessionCopies, type SessionCopies, saveCopy } from '../../src/sessions/session-copies.js';
import { createFileSessions, type SessionExportResult } from '../../src/sessions/session-store.js';
import { processRunner } from '../../src/system/run-process.js';
import { byDate } from './sample-session.js';

const id = 'talk-1';

/** First line of a talk: its id. */
const sessionCommands: SessionCommands = {
  emptyExport: (one) => `${one}\n`,
  export: (one) => ({ file: 'talks', args: ['export', one], env: { QUIET: '1' } }),
  import: (file) => ({ file: 'talks', args: ['import', file], env: {} }),
  remove: (one) => ({ file: 'talks', args: ['remove', one], env: {} }),
  isExport: (text, one) => text.startsWith(`${one}\n`),
};

const program = `#!/bin/sh
env > "$HOME/environment"
mkdir -p "$HOME/talks"
case $1 in
  export) echo "exporting" >&2; cat "$HOME/talks/$2" ;;
  import) name=$(head -n 1 "$2"); [ -e "$HOME/talks/$name" ] || cp "$2" "$HOME/talks/$name" ;;
  remove) rm "$HOME/talks/$2" ;;
esac
`;

let root: string;
let sessions: HomeSessions;
let sessionCopies: SessionCopies;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gump-test-'));
  for (const folder of ['bin', 'home', 'work']) mkdirSync(join(root, folder));
  writeFileSync(join(root, 'bin/talks'), program);
  chmodSync(join(root, 'bin/talks'), 0o755);
  const commands = createCommandSessions({ processes: processRunner, directory: join(root, 'private') });
  sessions = createHomeSessions(createFileSessions(), commands);
  sessionCopies = openSessionCopies(join(root, 'shelf'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const provider = {
  id: 'talker',
  title: 'Talker',
  isSessionId: (text: string) => /^talk-\d+$/.test(text),
  environment: {
    variables: ['TALK_*'],
    gateways: [],
    credentials: [{ variable: 'TALK_KEY', isStatic: true }],
    logins: [],
  },
  sessionFiles: { ...byDate, patterns: () => [] },
  sessionCommands,
};

const place = (change: Partial<HomeSessionLocation> = {}): HomeSessionLocation => ({
  provider,
  id,
  directory: join(root, 'work'),
  environment: { HOME: join(root, 'home'), PATH: `${join(root, 'bin')}:/usr/bin:/bin`, TALK_KEY: 'secret' },
  ...change,
});

const sessionFile = () => join(root, 'home/talks', id);
const sessionText = () => readFileSync(sessionFile(), 'utf8');

/** One attempt: a turn is added, and the session is kept. */
async function addTurn(words: string): Promise<Extract<SessionExportResult, { status: 'kept' }>> {
  writeFileSync(sessionFile(), `${sessionText()}${words}\n`);
  const kept = await sessions.export(place());
  if (kept.status !== 'kept') throw new Error(`not kept: ${JSON.stringify(kept)}`);
  await saveCopy(sessionCopies, provider, id, kept.files);
  return kept;
}

const storedCopies = () => sessionCopies.read({ provider: 'talker', id });

describe('a session that goes by commands', () => {
  it('begins with an id of ours, leaves no file behind, and is known as ours', async () => {
    expect(await sessions.create(place())).toBe(true);
    expect(sessionText()).toBe(`${id}\n`);
    expect(readdirSync(join(root, 'private'))).toEqual([]);
    expect(sessions.placed()).toEqual([{ provider: 'talker', id }]);
  });

  it('goes back to any attempt, each of which has an export of its own', async () => {
    await sessions.create(place());
    const first = await addTurn('one');
    const second = await addTurn('two');
    expect((await storedCopies()).map(({ path }) => path)).toEqual([
      '000001-export.json',
      '000002-export.json',
    ]);
    expect(await sessions.import(place(), await storedCopies(), first.mark)).toEqual({ status: 'there' });
    expect(sessionText()).toBe(`${id}\none\n`);
    expect(await sessions.import(place(), await storedCopies(), second.mark)).toEqual({ status: 'there' });
    expect(sessionText()).toBe(`${id}\none\ntwo\n`);
  });

  it('goes back to the newest where the last attempt was cut off and has no mark', async () => {
    await sessions.create(place());
    await addTurn('one');
    await addTurn('two');
    rmSync(sessionFile());
    expect(await sessions.import(place(), await storedCopies())).toEqual({ status: 'there' });
    expect(sessionText()).toBe(`${id}\none\ntwo\n`);
  });

  it('is ahead where no export of that attempt is there, and stays as it is', async () => {
    await sessions.create(place());
    await addTurn('one');
    const mark = { length: 3, sha256: '0'.repeat(64) };
    expect(await sessions.import(place(), await storedCopies(), mark)).toMatchObject({
      status: 'session-ahead',
    });
    expect(sessionText()).toBe(`${id}\none\n`);
  });

  it('is put on the shelf once where nothing was said since', async () => {
    await sessions.create(place());
    await addTurn('one');
    const again = await sessions.export(place());
    if (again.status === 'kept') await saveCopy(sessionCopies, provider, id, again.files);
    expect(await storedCopies()).toHaveLength(1);
  });

  it('is not kept where its command fails, and the reason says so', async () => {
    expect(await sessions.export(place())).toMatchObject({
      status: 'skipped',
      reason: expect.stringMatching(/Talker for the session talk-1 ended with exit code 1: .*No such file/),
    });
    const gone = place({ environment: { HOME: join(root, 'home'), PATH: '/nowhere' } });
    expect(await sessions.export(gone)).toMatchObject({ reason: expect.stringContaining('was not found') });
    expect(await sessions.create(gone)).toBe(false);
  });

  it('is neither kept nor brought back where the text is of another session', async () => {
    await sessions.create(place());
    writeFileSync(sessionFile(), 'talk-2\none\n');
    expect(await sessions.export(place())).toMatchObject({ status: 'skipped' });
    const foreign = [{ path: '000001-export.json', content: Buffer.from('talk-2\none\n') }];
    expect(await sessions.import(place(), foreign)).toMatchObject({ status: 'refused' });
    expect(await sessions.import(place(), [])).toMatchObject({ status: 'refused' });
  });

  it('never hands a text on as an id that is none', async () => {
    expect(await sessions.export(place({ id: '--all' }))).toMatchObject({ status: 'skipped' });
    const copy = [{ path: '000001-export.json', content: Buffer.from('--all\n') }];
    expect(await sessions.import(place({ id: '--all' }), copy)).toMatchObject({ status: 'refused' });
    expect(existsSync(join(root, 'home/environment'))).toBe(false);
  });

  it('is kept without a key', async () => {
    await sessions.create(place());
    await sessions.export(place());
    const names = readFileSync(join(root, 'home/environment'), 'utf8');
    expect(names).toContain('QUIET=1');
    expect(names).not.toContain('TALK_KEY');
  });
});

describe('a session in files', () => {
  it('takes the place of its last copy on the shelf, and needs no beginning', async () => {
    const { sessionCommands: _none, ...filed } = provider;
    expect(await sessions.create(place({ provider: filed }))).toBe(true);
    const ref = { provider: 'talker', id };
    await saveCopy(sessionCopies, filed, id, [{ path: 'a', content: Buffer.from('1') }]);
    await saveCopy(sessionCopies, filed, id, [{ path: 'b', content: Buffer.from('2') }]);
    expect((await sessionCopies.read(ref)).map(({ path }) => path)).toEqual(['b']);
    expect(sessions.placed()).toEqual([]);
  });
});
