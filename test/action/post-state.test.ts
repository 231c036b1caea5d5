import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  createPostStateFile,
  hasPostState,
  type PostState,
  readPostState,
} from '../../src/action/post-state.js';

const initialState: PostState = {
  directory: '/srv/sample',
  prefix: '',
  agentPids: [],
  sealingVariables: [],
  binding: {} as PostState['binding'],
  usedSequence: 0,
  storedEvents: 0,
  isBegun: true,
  copies: {},
  placed: [],
  isDone: false,
};

const key = Buffer.alloc(32, 1);

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gump-post-state-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const stateFile = () => join(folder, readdirSync(folder)[0] ?? '');
const create = () => createPostStateFile(folder, key, initialState);
const read = () => readPostState(folder, key);

it('keeps the last value of each field', () => {
  const postState = create();
  postState.update({ agentPids: [17] });
  postState.update({
    usedSequence: 3,
    placed: [{ provider: 'claude', id: 'a', files: [{ path: '/home/a' }] }],
  });
  expect(read()).toEqual({
    isAltered: false,
    postState: {
      ...initialState,
      agentPids: [17],
      usedSequence: 3,
      placed: [{ provider: 'claude', id: 'a', files: [{ path: '/home/a' }] }],
    },
  });
  postState.update({ agentPids: [] });
  expect(read().postState?.agentPids).toEqual([]);
});

it('ignores an incomplete last line', () => {
  create().update({ usedSequence: 3 });
  appendFileSync(stateFile(), '{"usedSequence":4,"isDo');
  expect(read()).toEqual({ isAltered: false, postState: { ...initialState, usedSequence: 3 } });
});

it('is `undefined` if main did not write it', () => {
  expect([hasPostState(folder), read()]).toEqual([false, { isAltered: false }]);
  expect(hasPostState('')).toBe(false);
  create();
  rmSync(stateFile());
  appendFileSync(join(folder, 'handover.ndjson'), '{"directory":"/wo');
  expect(read()).toEqual({ isAltered: false });
});

it('is readable only by its owner', () => {
  create();
  expect(statSync(stateFile()).mode & 0o777).toBe(0o600);
});

it.each([
  ['added', (lines: readonly string[]) => [...lines, '{"agentPids":[1]}']],
  [
    'added with the code of another line',
    ([first = '', ...rest]: readonly string[]) => [
      first,
      ...rest,
      `{"agentPids":[1]}\t${rest.at(-1)?.split('\t')[1]}`,
    ],
  ],
  ['repeated', (lines: readonly string[]) => [...lines, lines[1] ?? '']],
])('believes nothing after a line that was %s', (_how, forge) => {
  const postState = create();
  postState.update({ agentPids: [17] });
  postState.update({ agentPids: [18] });
  const lines = readFileSync(stateFile(), 'utf8').split('\n').slice(0, -1);
  writeFileSync(
    stateFile(),
    forge(lines)
      .map((line) => `${line}\n`)
      .join(''),
  );
  postState.update({ agentPids: [19] });
  expect(read()).toEqual({ isAltered: true, postState: { ...initialState, agentPids: [18] } });
});

it('believes nothing of another job, or if the first line was changed', () => {
  create();
  expect(readPostState(folder, Buffer.alloc(32, 2))).toEqual({ isAltered: true });
  writeFileSync(stateFile(), readFileSync(stateFile(), 'utf8').replace('/srv/sample', '/srv/other'));
  expect(read()).toEqual({ isAltered: true });
});
