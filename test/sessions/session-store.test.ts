/** What both implementations of a session store promise: files in the CLI's home, and the CLI's own commands. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHomeSessions } from '../../src/sessions/home-sessions.js';
import { openSessionCopies, type SessionCopies, saveSession } from '../../src/sessions/session-copies.js';
import type { ExportedSession, PlacedSession, SessionLocation } from '../../src/sessions/session-store.js';
import { processRunner } from '../../src/system/run-process.js';
import { byDirectory, id, installSampleProgram, providerOf, sampleCommands } from './sample-session.js';

let root: string;
let copies: SessionCopies;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gump-test-'));
  installSampleProgram(join(root, 'bin'));
  copies = openSessionCopies({ directory: join(root, 'copies') });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const session = { provider: 'sample', id };
const emptyHome = { read: () => undefined, list: () => [] };

const openStore = (alreadyPlaced: readonly PlacedSession[] = []) =>
  createHomeSessions({
    processes: processRunner,
    importDirectory: join(root, 'private'),
    // What is placed passes through a text file, because `post` is another process.
    alreadyPlaced: JSON.parse(JSON.stringify(alreadyPlaced)),
  });

const implementations = [
  { name: 'files in the home of the CLI', provider: providerOf(byDirectory) },
  {
    name: 'commands of the CLI',
    provider: providerOf({ ...byDirectory, patterns: () => [] }, sampleCommands),
  },
];

describe.each(implementations)('a session in $name', ({ provider }) => {
  const hasCommands = provider.sessionCommands !== undefined;

  function locate(machine: string, change: Partial<SessionLocation> = {}): SessionLocation {
    const home = join(root, machine);
    const directory = join(root, machine, 'work');
    mkdirSync(directory, { recursive: true });
    const environment = { HOME: home, PATH: `${join(root, 'bin')}:/usr/bin:/bin` };
    return { provider, id, directory, environment, ...change };
  }

  /** Where the CLI stores the session on that machine. */
  function storedAt({ directory, environment }: SessionLocation): string {
    const home = environment.HOME ?? '';
    if (hasCommands) return join(home, 'database', id);
    return join(home, '.sample', byDirectory.restorePath(`projects/x/${id}.jsonl`, id, directory, emptyHome));
  }

  const textOf = (location: SessionLocation) =>
    existsSync(storedAt(location)) ? readFileSync(storedAt(location), 'utf8') : undefined;

  function write(location: SessionLocation, ...lines: readonly string[]): void {
    mkdirSync(dirname(storedAt(location)), { recursive: true });
    writeFileSync(storedAt(location), [id, ...lines].map((line) => `${line}\n`).join(''));
  }

  /** Ends an attempt: the session now has these turns, and a copy of it is saved. */
  async function endAttempt(
    location: SessionLocation,
    ...turns: readonly string[]
  ): Promise<ExportedSession> {
    write(location, ...turns);
    const exported = await saveSession(openStore(), copies, location);
    if (exported.status !== 'exported') throw new Error(JSON.stringify(exported));
    return exported;
  }

  it('gets an id of ours', async () => {
    expect(await openStore().create(locate('old'))).toBe(true);
  });

  it('is restored on another machine from its copies', async () => {
    await endAttempt(locate('old'), 'one');
    await endAttempt(locate('old'), 'one', 'two');
    expect(await openStore().import(locate('new'), await copies.read(session))).toEqual({
      status: 'imported',
    });
    expect(textOf(locate('new'))).toBe(`${id}\none\ntwo\n`);
  });

  it('is rolled back to the end of any attempt', async () => {
    const first = await endAttempt(locate('old'), 'one');
    const second = await endAttempt(locate('old'), 'one', 'two');
    const store = openStore();
    const saved = await copies.read(session);
    expect(await store.import(locate('new'), saved, first.mark)).toEqual({ status: 'imported' });
    expect(textOf(locate('new'))).toBe(`${id}\none\n`);
    expect(await store.import(locate('new'), saved, second.mark)).toEqual({ status: 'imported' });
    expect(textOf(locate('new'))).toBe(`${id}\none\ntwo\n`);
  });

  it('is ahead if no copy reaches the mark, and nothing is written', async () => {
    await endAttempt(locate('old'), 'one');
    const mark = { length: 3, sha256: '0'.repeat(64) };
    const result = await openStore().import(locate('new'), await copies.read(session), mark);
    expect(result).toEqual({ status: 'session-ahead', reason: expect.stringContaining(id) });
    expect(textOf(locate('new'))).toBeUndefined();
  });

  it('is refused without copies', async () => {
    expect(await openStore().import(locate('new'), [])).toEqual({
      status: 'refused',
      reason: expect.stringContaining('the checkpoint has no'),
    });
  });

  it('is not exported if it does not exist', async () => {
    const { status } = await openStore().export(locate('old'));
    expect(status).toBe(hasCommands ? 'skipped' : 'none');
    expect(await copies.read(session)).toEqual([]);
  });

  it.each(['--help', '../../auth'])(
    'is neither exported nor imported with the invalid id %s',
    async (odd) => {
      const location = locate('old', { id: odd });
      const reason = expect.stringContaining(`"${odd}" is not a session id of Sample`);
      expect(await openStore().export(location)).toEqual({ status: 'skipped', reason });
      const copy = [{ path: 'x', content: Buffer.from(`${odd}\n`) }];
      expect(await openStore().import(location, copy)).toEqual({ status: 'refused', reason });
      expect(existsSync(join(root, 'old/environment'))).toBe(false);
    },
  );

  it('is removed at the end, by another process, if the run exported it', async () => {
    write(locate('old'), 'one');
    const store = openStore();
    await store.export(locate('old'));
    const post = openStore(store.placed());
    expect(post.placed()).toMatchObject([session]);
    await post.remove(locate('old'));
    expect(textOf(locate('old'))).toBeUndefined();
    expect(post.placed()).toEqual([]);
  });

  it('is removed at the end, by another process, if the run imported it', async () => {
    await endAttempt(locate('old'), 'one');
    const store = openStore();
    await store.import(locate('new'), await copies.read(session));
    await openStore(store.placed()).remove(locate('new'));
    expect(textOf(locate('new'))).toBeUndefined();
  });

  it('may be gone when it is removed', async () => {
    write(locate('old'), 'one');
    const store = openStore();
    await store.export(locate('old'));
    rmSync(storedAt(locate('old')));
    await store.remove(locate('old'));
    expect(store.placed()).toEqual([]);
  });

  it('does not belong to the run if only its usage was read', async () => {
    write(locate('old'), 'one');
    const store = openStore();
    await store.readUsage(locate('old'));
    expect(store.placed()).toEqual([]);
  });

  it('has one copy if no turn was added since the last one', async () => {
    await endAttempt(locate('old'), 'one');
    await endAttempt(locate('old'), 'one');
    expect(await copies.read(session)).toHaveLength(1);
  });

  it('has its restored copies again in the next checkpoint', async () => {
    await endAttempt(locate('old'), 'one');
    const restored = await copies.read(session);
    await copies.replace(session, [{ path: 'stale', content: Buffer.from('x') }]);
    await copies.replace(session, restored);
    expect(await copies.read(session)).toEqual(restored);
  });
});
