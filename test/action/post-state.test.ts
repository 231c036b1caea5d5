import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createPostStateFile, type PostState, readPostState } from '../../src/action/post-state.js';

const initialState: PostState = {
  directory: '/srv/sample',
  prefix: '',
  agentPids: [],
  binding: {} as PostState['binding'],
  usedSequence: 0,
  storedEvents: 0,
  isBegun: true,
  placed: [],
  isDone: false,
};

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gump-post-state-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const stateFile = () => join(folder, readdirSync(folder)[0] ?? '');

it('keeps the last value of each field', () => {
  const postState = createPostStateFile(folder, initialState);
  postState.update({ agentPids: [17] });
  postState.update({
    usedSequence: 3,
    placed: [{ provider: 'claude', id: 'a', files: [{ path: '/home/a' }] }],
  });
  expect(readPostState(folder)).toEqual({
    ...initialState,
    agentPids: [17],
    usedSequence: 3,
    placed: [{ provider: 'claude', id: 'a', files: [{ path: '/home/a' }] }],
  });
  postState.update({ agentPids: [] });
  expect(readPostState(folder)?.agentPids).toEqual([]);
});

it('ignores an incomplete last line', () => {
  createPostStateFile(folder, initialState).update({ usedSequence: 3 });
  appendFileSync(stateFile(), '{"usedSequence":4,"isDo');
  expect(readPostState(folder)).toEqual({ ...initialState, usedSequence: 3 });
});

it('is `undefined` if main did not write it', () => {
  expect(readPostState(folder)).toBeUndefined();
  createPostStateFile(folder, initialState);
  rmSync(stateFile());
  appendFileSync(join(folder, 'handover.ndjson'), '{"directory":"/wo');
  expect(readPostState(folder)).toBeUndefined();
});

it('is readable only by its owner', () => {
  createPostStateFile(folder, initialState);
  expect(statSync(stateFile()).mode & 0o777).toBe(0o600);
});
