import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createHandover, type Handover, readHandover } from '../../src/action/handover.js';

const first: Handover = {
  directory: '/srv/sample',
  prefix: '',
  agentPids: [],
  binding: {} as Handover['binding'],
  usedSequence: 0,
  storedEvents: 0,
  isBegun: true,
  placed: [],
  isDone: false,
};

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gump-handover-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = () => join(folder, readdirSync(folder)[0] ?? '');

it('hands over what was last said of everything', () => {
  const handover = createHandover(folder, first);
  handover.update({ agentPids: [17] });
  handover.update({ usedSequence: 3, placed: [{ path: '/home/a' }] });
  expect(readHandover(folder)).toEqual({
    ...first,
    agentPids: [17],
    usedSequence: 3,
    placed: [{ path: '/home/a' }],
  });
  handover.update({ agentPids: [] });
  expect(readHandover(folder)?.agentPids).toEqual([]);
});

it('leaves out a line that was cut off while it was written', () => {
  createHandover(folder, first).update({ usedSequence: 3 });
  appendFileSync(file(), '{"usedSequence":4,"isDo');
  expect(readHandover(folder)).toEqual({ ...first, usedSequence: 3 });
});

it('hands over nothing where main did not come to it', () => {
  expect(readHandover(folder)).toBeUndefined();
  createHandover(folder, first);
  rmSync(file());
  appendFileSync(join(folder, 'handover.ndjson'), '{"directory":"/wo');
  expect(readHandover(folder)).toBeUndefined();
});

it('can be read by its owner alone', () => {
  createHandover(folder, first);
  expect(statSync(file()).mode & 0o777).toBe(0o600);
});
