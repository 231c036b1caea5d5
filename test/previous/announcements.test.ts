import { describe, expect, it } from 'vitest';
import { type AnnouncementOptions, announce, sessionsInUse } from '../../src/previous/announcements.js';
import { createMemoryEntries, type MemoryEntries } from '../checkpoint/memory-entries.js';
import { credential } from '../checkpoint/sample.js';
import { storeRun, writerOf } from './entry-samples.js';

const hour = 3_600_000;

function optionsOf(
  memory: MemoryEntries,
  runId: string,
  more: Partial<AnnouncementOptions> = {},
): AnnouncementOptions {
  return {
    ...writerOf(runId),
    store: memory.open(runId),
    now: 10_000,
    hasEnded: async () => undefined,
    ...more,
  };
}

const say = (memory: MemoryEntries, runId: string, sessions = ['X']) =>
  announce(sessions, optionsOf(memory, runId));

const used = async (memory: MemoryEntries, runId: string, more: Partial<AnnouncementOptions> = {}) => [
  ...(await sessionsInUse(optionsOf(memory, runId, more))),
];

/** The store cannot tell the times of its entries apart. */
function atOnce(memory: MemoryEntries): void {
  for (const [index, entry] of memory.entries.entries())
    memory.entries[index] = { ...entry, createdAt: 1000 };
}

describe('a session that a run has announced', () => {
  it('is in use until that run has stored its entry', async () => {
    const memory = createMemoryEntries();
    await say(memory, '1001');
    await say(memory, '1002');
    expect(await used(memory, '1002')).toEqual(['X']);
    await storeRun(memory, '1001');
    expect(await used(memory, '1002')).toEqual([]);
  });

  it('is in use again in a re-run of that run', async () => {
    const memory = createMemoryEntries();
    await say(memory, '1001');
    await storeRun(memory, '1001');
    await say(memory, '1001', ['Y']);
    await say(memory, '1002');
    expect(await used(memory, '1002')).toEqual(['Y']);
  });

  it('belongs to the run that announced it first, whichever has the lower number', async () => {
    const memory = createMemoryEntries();
    await say(memory, '1002');
    await say(memory, '1001');
    expect(await used(memory, '1002')).toEqual([]);
    expect(await used(memory, '1001')).toEqual(['X']);
  });

  it('belongs to the lower run number if both announced it at once', async () => {
    const memory = createMemoryEntries();
    for (const runId of ['1002', '999', '1001']) await say(memory, runId);
    atOnce(memory);
    expect(await used(memory, '999')).toEqual([]);
    expect(await used(memory, '1001')).toEqual(['X']);
    expect(await used(memory, '1002')).toEqual(['X']);
  });

  it('is free once GitHub says that the run has ended without an entry', async () => {
    const memory = createMemoryEntries();
    await say(memory, '1001');
    await say(memory, '1002');
    const asked: string[] = [];
    const hasEnded = async (runId: string) => {
      asked.push(runId);
      return true;
    };
    expect(await used(memory, '1002', { hasEnded })).toEqual([]);
    expect(asked).toEqual(['1001']);
    expect(await used(memory, '1002', { hasEnded: async () => false })).toEqual(['X']);
  });

  it('is free after six hours if GitHub does not answer, and after five days in any case', async () => {
    const memory = createMemoryEntries();
    await say(memory, '1001');
    await say(memory, '1002');
    expect(await used(memory, '1002', { now: 6 * hour })).toEqual(['X']);
    expect(await used(memory, '1002', { now: 6 * hour + 1001 })).toEqual([]);
    const hasEnded = async () => false;
    expect(await used(memory, '1002', { hasEnded, now: 100 * hour })).toEqual(['X']);
    expect(await used(memory, '1002', { hasEnded, now: 120 * hour + 1001 })).toEqual([]);
  });

  it('is not taken from this run by somebody without the key, or by a renamed announcement', async () => {
    const memory = createMemoryEntries();
    const secrets = [credential('X', 'another secret of a length')];
    await announce(['X'], optionsOf(memory, '1001', { secrets }));
    const [entry] = memory.entries;
    await announce(['X'], optionsOf(memory, '1003', { scope: { ...writerOf('1').scope, subject: 'pr-8' } }));
    const other = memory.entries[1];
    if (entry && other) memory.entries[1] = { ...other, name: entry.name };
    await say(memory, '1002');
    expect(await used(memory, '1002')).toEqual([]);
  });

  it('is not hidden by the announcements of other runs', async () => {
    const memory = createMemoryEntries();
    // Runs of forks can store anything under the name, and lost machines leave theirs behind.
    for (let run = 3001; run < 3020; run += 1) await say(memory, String(run), ['junk']);
    for (const [index, entry] of memory.entries.entries())
      memory.entries[index] = { ...entry, createdAt: index, isFromFork: index % 2 === 0 };
    await say(memory, '1001');
    await say(memory, '1002');
    const hasEnded = async (runId: string) => runId !== '1001';
    expect(await used(memory, '1002', { hasEnded })).toEqual(['X']);
    for (const [index, entry] of memory.entries.slice(0, -2).entries())
      memory.entries[index] = { ...entry, isFromFork: true };
    expect(await used(memory, '1002', { hasEnded: async () => undefined })).toEqual(['X']);
  });

  it('counts if this run cannot see its own announcement yet', async () => {
    const memory = createMemoryEntries();
    await say(memory, '1001');
    expect(await used(memory, '1002')).toEqual(['X']);
  });

  it('is unknown if the store does not answer, and that stops nothing', async () => {
    const memory = createMemoryEntries();
    memory.fault = { status: 'denied', reason: 'no.' };
    expect(await say(memory, '1001')).toBe('no.');
    expect(await used(memory, '1001')).toEqual([]);
  });
});
