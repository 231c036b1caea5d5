import { describe, expect, it } from 'vitest';
import { readConflict, writeConflict } from '../../src/journal/conflict-event.js';
import type { JournalEvent } from '../../src/journal/event.js';
import { foldEvents } from '../../src/journal/run-state.js';

const conflict = { files: ['a.txt'], branches: { earlier: 'build/a', later: 'build/b' } };
/** As every release has stored it. */
const stored = {
  type: 'units-conflict',
  step: 'build',
  files: ['a.txt'],
  units: ['build/a', 'build/b'],
} as const;

describe('the event `units-conflict`', () => {
  it('stores the earlier branch first', () => {
    expect(writeConflict('build', conflict)).toEqual(stored);
  });

  it('is read back as it was written', () => {
    expect(readConflict(stored)).toEqual(conflict);
  });

  it('sets the conflict of its step', () => {
    const fingerprint = { definition: 'd', agent: 'a', spec: 's', vars: 'v' };
    const from = { base: 'b', commit: 'c' };
    const events: JournalEvent[] = [
      { type: 'step-started', step: 'build', fingerprint, from, at: 1 },
      { ...stored, at: 2 },
    ];
    expect(foldEvents(events).steps.get('build')?.conflict).toEqual(conflict);
  });
});
