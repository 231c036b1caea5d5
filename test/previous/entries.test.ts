import { describe, expect, it } from 'vitest';
import { findNewestEntry } from '../../src/previous/find-entry.js';
import { openEntry, sealEntry } from '../../src/previous/sealed-entry.js';
import { type SubjectScope, sessionEntryName } from '../../src/previous/subject-scope.js';
import { createMemoryEntries, type MemoryEntries } from '../checkpoint/memory-entries.js';
import { credential } from '../checkpoint/sample.js';
import { commitOf, earlierStep, pullScope, sessionFile, storeRun, writerOf } from './entry-samples.js';

const find = (memory: MemoryEntries, runId = '2000', scope: SubjectScope = pullScope) =>
  findNewestEntry(memory.open(runId), writerOf(runId, scope), runId);

async function contentsOf(memory: MemoryEntries, scope: SubjectScope = pullScope) {
  const found = await find(memory, '2000', scope);
  if (found.status !== 'found') throw new Error(JSON.stringify(found));
  return found.contents;
}

/** Stores the newest entry again as an entry of another scope, as somebody who can write to the store would. */
function rename(memory: MemoryEntries, scope: SubjectScope): void {
  const newest = memory.entries.at(-1);
  if (newest === undefined) throw new Error('no entry');
  memory.entries.push({ ...newest, id: 'renamed', name: sessionEntryName(scope) });
}

describe('the entry of a subject', () => {
  it('is found by a later run, with sessions, results and commit', async () => {
    const memory = createMemoryEntries();
    await storeRun(memory, '1001', { steps: [earlierStep('review', { result: 'Fix a.ts', tokens: 12 })] });
    const contents = await contentsOf(memory);
    expect(contents).toMatchObject({ runId: '1001', jobAttempt: 1, commit: commitOf('1001'), endedAt: 1000 });
    expect(contents.steps).toEqual([earlierStep('review', { result: 'Fix a.ts', tokens: 12 })]);
  });

  it('has the files of the sessions that its steps name, and no others', async () => {
    const memory = createMemoryEntries();
    const sessions = [sessionFile('session-review', 'own'), sessionFile('other', 'not named')];
    await storeRun(memory, '1001', { steps: [earlierStep('review')], sessions });
    expect((await contentsOf(memory)).sessions).toEqual([sessionFile('session-review', 'own')]);
  });

  it('does not exist in the first run', async () => {
    expect(await find(createMemoryEntries())).toEqual({ status: 'none' });
  });

  it('is never that of the present run, whose own job attempts have the checkpoint', async () => {
    const memory = createMemoryEntries();
    await storeRun(memory, '2000');
    expect((await find(memory)).status).toBe('none');
    await storeRun(memory, '1001');
    await storeRun(memory, '2000');
    expect((await contentsOf(memory)).runId).toBe('1001');
  });

  it('is what an earlier job attempt kept of other runs, if the store has nothing else', async () => {
    const memory = createMemoryEntries();
    await storeRun(memory, '1001', { steps: [earlierStep('plan'), earlierStep('review')], sessions: [] });
    const own = { steps: [earlierStep('review', { runId: '2000', endedAt: 2000 })], endedAt: 2000 };
    await storeRun(memory, '2000', own);
    // As in the cache, which finds the newest one only.
    memory.entries.shift();
    const contents = await contentsOf(memory);
    expect(contents).toMatchObject({ runId: '1001', commit: commitOf('1001'), endedAt: 1000 });
    expect(contents.steps).toEqual([earlierStep('plan')]);
    // The next job attempt of the run passes it on.
    await storeRun(memory, '2000', own);
    const next = await find(memory, '3000');
    expect('contents' in next && next.contents.steps.map(({ path }) => path)).toEqual(['plan', 'review']);
  });

  it('is that of the run that ended last, whenever it began', async () => {
    const memory = createMemoryEntries();
    await storeRun(memory, '1002');
    await storeRun(memory, '1001');
    expect((await contentsOf(memory)).runId).toBe('1001');
  });

  it('keeps what an earlier run knows of steps that did not run, and drops what is too old', async () => {
    const memory = createMemoryEntries();
    const sessions = [sessionFile('session-a', 'a'), sessionFile('session-b', 'b')];
    await storeRun(memory, '1001', {
      steps: [earlierStep('a', { endedAt: 500 }), earlierStep('b', { endedAt: 900 })],
      sessions,
    });
    const own = { steps: [earlierStep('c', { runId: '1002' })], sessions: [sessionFile('session-c', 'c')] };
    await storeRun(memory, '1002', own, { oldest: 600 });
    const { steps, sessions: kept } = await contentsOf(memory);
    expect(steps.map(({ path, runId }) => [path, runId])).toEqual([
      ['b', '1001'],
      ['c', '1002'],
    ]);
    expect(kept.map(({ id }) => id).sort()).toEqual(['session-b', 'session-c']);
  });

  it('has a resumed session as the last run left it', async () => {
    const memory = createMemoryEntries();
    const state = (text: string) => ({
      steps: [earlierStep('review')],
      sessions: [sessionFile('session-review', text)],
    });
    await storeRun(memory, '1001', state('first\n'));
    await storeRun(memory, '1002', state('first\nsecond\n'));
    expect((await contentsOf(memory)).sessions).toEqual([sessionFile('session-review', 'first\nsecond\n')]);
  });

  it('keeps the last result if an attempt in the same session ended without one', async () => {
    const memory = createMemoryEntries();
    await storeRun(memory, '1001', {
      steps: [earlierStep('review', { result: 'r', diff: 'd' })],
      sessions: [],
    });
    await storeRun(memory, '1002', { steps: [earlierStep('review', { runId: '1002' })], sessions: [] });
    expect((await contentsOf(memory)).steps).toEqual([
      earlierStep('review', { runId: '1002', result: 'r', diff: 'd' }),
    ]);
  });
});

describe('an entry that may not be used', () => {
  const others: readonly (readonly [string, SubjectScope])[] = [
    ['another subject', { ...pullScope, subject: 'pr-8' }],
    ['a branch', { ...pullScope, subject: 'branch-main' }],
    ['another workflow file', { ...pullScope, workflowFile: '.gump/workflows/other.yaml' }],
    ['another leg or directory', { ...pullScope, part: '{"os":"linux"}' }],
    ['another trust class', { ...pullScope, trust: 'fork' }],
    ['another repository', { ...pullScope, repositoryId: '43' }],
  ];

  it.each(others)('is that of %s: its name differs', async (_, scope) => {
    const memory = createMemoryEntries();
    await storeRun(memory, '1001');
    expect((await find(memory, '2000', scope)).status).toBe('none');
  });

  it.each(others)('is that of %s, also if it was renamed', async (_, scope) => {
    const memory = createMemoryEntries();
    await storeRun(memory, '1001');
    rename(memory, scope);
    const found = await find(memory, '2000', scope);
    expect(found).toMatchObject({ status: 'unusable' });
    expect('problems' in found && found.problems.join()).toMatch(
      /^The entry of run 1001 is not used: it (belongs|was written) /,
    );
  });

  it('names another run than the one that stored it', async () => {
    const memory = createMemoryEntries();
    await storeRun(memory, '1001');
    const [entry] = memory.entries;
    if (entry) memory.entries[0] = { ...entry, runId: '1002' };
    const found = await find(memory);
    expect(found).toEqual({
      status: 'unusable',
      problems: ['The entry of run 1002 is not used: it belongs to another run than the one that stored it.'],
    });
  });

  it('is stored by a run of a fork, for a run with files of this repository', async () => {
    const memory = createMemoryEntries();
    await storeRun(memory, '1001');
    const [entry] = memory.entries;
    if (entry) memory.entries[0] = { ...entry, isFromFork: true };
    expect((await find(memory)).status).toBe('none');
  });

  it('is sealed with another key', async () => {
    const memory = createMemoryEntries();
    await storeRun(memory, '1001', {}, { secrets: [credential('X', 'another secret of a length')] });
    expect(await find(memory)).toMatchObject({ status: 'unusable' });
  });

  it('is damaged, expired or gone, and an older one takes its place', async () => {
    const memory = createMemoryEntries();
    for (const runId of ['1001', '1002', '1003']) await storeRun(memory, runId);
    const [, second, third] = memory.entries;
    if (second) memory.entries[1] = { ...second, sealed: second.sealed.subarray(0, -1) };
    if (third) memory.entries[2] = { ...third, isExpired: true };
    const found = await find(memory);
    expect(found).toMatchObject({ status: 'found', contents: { runId: '1001' } });
    expect('problems' in found && found.problems).toEqual([
      'The entry of run 1003 is not used: it has expired.',
      'The entry of run 1002 is not used: it is damaged or was altered.',
    ]);
  });

  it('has another version', async () => {
    const memory = createMemoryEntries();
    await storeRun(memory, '1001');
    const content = Buffer.from(JSON.stringify({ version: 2, hosts: [] }));
    const sealed = await sealEntry([{ path: 'entry.json', content }], 'sessions', writerOf('1001'));
    const [entry] = memory.entries;
    if (entry) memory.entries[0] = { ...entry, sealed };
    expect(await find(memory)).toMatchObject({
      problems: [expect.stringContaining('another version of this action wrote it')],
    });
  });

  it('is a checkpoint or anything else', async () => {
    for (const bytes of ['', 'GUMPSEAL', 'zip'])
      expect(await openEntry(Buffer.from(bytes), 'sessions', '1001', writerOf('1001'))).toBe(
        'it is no entry of this action',
      );
  });

  it.each(['denied', 'failed'] as const)('is unknown if the store answers %s', async (status) => {
    const memory = createMemoryEntries();
    memory.fault = { status, reason: 'Set `actions: read`.' };
    expect(await find(memory)).toEqual({ status, reason: 'Set `actions: read`.' });
  });
});

describe('a pull request that the run opened', () => {
  const issue = { ...pullScope, subject: 'issue-12' };
  const inherit = (memory: MemoryEntries, runId: string) =>
    storeRun(memory, runId, {}, { ...writerOf(runId, issue), inheritedBy: pullScope });

  it('inherits the sessions, also from a re-run', async () => {
    const memory = createMemoryEntries();
    await inherit(memory, '1001');
    await inherit(memory, '1001');
    expect(await contentsOf(memory)).toEqual({
      ...(await contentsOf(memory, issue)),
      inheritedFrom: 'issue-12',
    });
    expect(memory.entries).toHaveLength(4);
  });

  it('inherits again from a later run, as long as it has none of its own', async () => {
    const memory = createMemoryEntries();
    await inherit(memory, '1001');
    await inherit(memory, '1002');
    expect((await contentsOf(memory)).runId).toBe('1002');
  });

  it('keeps its own once it has them', async () => {
    const memory = createMemoryEntries();
    await inherit(memory, '1001');
    await storeRun(memory, '1002');
    await inherit(memory, '1003');
    expect((await contentsOf(memory)).runId).toBe('1002');
  });
});
