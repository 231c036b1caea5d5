import { describe, expect, test } from 'vitest';
import { gemini } from '../../src/providers/gemini.js';
import { geminiProjectFolder } from '../../src/providers/gemini-project.js';
import type { HomeReader } from '../../src/providers/provider.js';
import type { ProcessExit } from '../../src/system/process.js';
import { readTranscript } from './read-transcript.js';

const clean: ProcessExit = { reason: 'exited', code: 0, stderrTail: '', durationMs: 1 };
const id = '0ba62c9e-2577-4669-8145-b7981db0b7c8';

const read = (objects: readonly object[], exit: Partial<ProcessExit> = {}) =>
  readTranscript(
    gemini,
    objects.map((object) => JSON.stringify(object)),
    { ...clean, ...exit },
    {},
  );

const piece = (content: string) => ({ type: 'message', role: 'assistant', content, delta: true });
const call = (tool_id: string, parameters: object = {}) => ({
  type: 'tool_use',
  tool_name: 'read_file',
  tool_id,
  parameters,
});
const answered = (tool_id: string) => ({ type: 'tool_result', tool_id, status: 'success' });
const done = { type: 'result', status: 'success', stats: {} };
const failed = (message: string) => ({
  type: 'result',
  status: 'error',
  error: { type: 'unknown', message },
});

/** A home folder with these files. */
function homeWith(files: Readonly<Record<string, string>>): HomeReader {
  const names = (path: string) =>
    Object.keys(files).flatMap((file) =>
      file.startsWith(`${path}/`) ? (file.slice(path.length + 1).split('/')[0] ?? []) : [],
    );
  return { read: (path) => files[path], list: (path) => [...new Set(names(path))].sort() };
}

describe('the folder of a directory', () => {
  const none = homeWith({});

  test.each([
    ['/home/runner/work/app/app', 'app'],
    ['/tmp/My_app.2', 'my-app-2'],
    ['/tmp/--a  (b)!', 'a-b'],
    ['/tmp/日本', 'project'],
    ['/', 'project'],
  ])('%s → %s', (directory, name) => {
    expect(geminiProjectFolder(directory, none)).toBe(name);
  });

  test('the list takes precedence, unless the folder records another owner', () => {
    const list = { 'projects.json': '{"projects":{"/w/app":"other"}}' };
    expect(geminiProjectFolder('/w/app', homeWith(list))).toBe('other');
    const owned = { ...list, 'tmp/other/.project_root': '/w/app', 'history/other/.project_root': '/w/app' };
    expect(geminiProjectFolder('/w/app', homeWith(owned))).toBe('other');
    for (const root of ['tmp', 'history']) {
      const lost = { ...list, [`${root}/other/.project_root`]: '/else' };
      expect(geminiProjectFolder('/w/app', homeWith(lost))).toBe('app');
    }
  });

  test('a folder that records the directory as its owner is used', () => {
    expect(geminiProjectFolder('/w/app', homeWith({ 'tmp/app-7/.project_root': '/w/app\n' }))).toBe('app-7');
    expect(geminiProjectFolder('/w/app', homeWith({ 'history/old/.project_root': '/w/app' }))).toBe('old');
  });

  test('if another directory owns the name, the next number is used', () => {
    const files = {
      'projects.json': '{"projects":{"/else/app":"app"}}',
      'tmp/app-1/.project_root': '/third/app',
    };
    expect(geminiProjectFolder('/w/app', homeWith(files))).toBe('app-2');
  });

  test('a list that is unreadable or leads out of the home folder is ignored', () => {
    expect(geminiProjectFolder('/w/app', homeWith({ 'projects.json': 'half a {' }))).toBe('app');
    const out = { 'projects.json': '{"projects":{"/w/app":"../../x"}}' };
    expect(geminiProjectFolder('/w/app', homeWith(out))).toBe('app');
  });

  test('is the folder to which a session is restored, under its own name', () => {
    const file = 'tmp/app/chats/session-2026-11-23T06-43-0ba62c9e.jsonl';
    const home = homeWith({ 'tmp/app/.project_root': '/else/app' });
    expect(gemini.sessionFiles.restorePath(file, id, '/w/app', home)).toBe(file.replace('/app/', '/app-1/'));
  });
});

describe('turns', () => {
  const turnsOf = (objects: readonly object[]) => read([...objects, done]).outcome.usage.turns;

  test('many pieces are one answer, reported as one text', () => {
    const { events, outcome } = read([piece('I '), piece('look.'), done]);
    expect(events).toEqual([{ type: 'text', text: 'I look.' }, { type: 'turn' }]);
    expect(outcome).toMatchObject({ text: 'I look.', usage: { turns: 1 } });
  });

  test('calls of one answer come before any of their results', () => {
    const both = [piece('I look.'), call('a'), call('b'), answered('a'), answered('b')];
    expect(turnsOf([...both, piece('Done.')])).toBe(2);
    expect(turnsOf([call('a'), answered('a'), call('b'), answered('b')])).toBe(2);
  });

  test('an answer counts when its first call starts, so that a guard can stop it there', () => {
    expect(read([piece('I look.'), call('a'), call('b')]).events.map(({ type }) => type)).toEqual([
      'text',
      'tool',
      'turn',
      'tool',
    ]);
  });

  test('an incomplete answer counts, and so does its text', () => {
    const { outcome } = read([call('a'), answered('a'), piece('And no')]);
    expect(outcome).toMatchObject({ text: 'And no', usage: { turns: 2 } });
  });
});

test('the last answer is the final text', () => {
  expect(read([piece('first'), call('a'), answered('a'), piece('last'), done]).outcome.text).toBe('last');
});

test('tool calls are reported with their details', () => {
  const { events } = read([call('a', { file_path: 'a.ts' })]);
  expect(events[0]).toEqual({ type: 'tool', name: 'read_file', detail: 'a.ts' });
});

describe('failures', () => {
  const kindOf = (message: string, code: number) => read([failed(message)], { code }).outcome.failure?.kind;

  test.each([
    ['[API Error: whatever]', 145, 'auth'],
    ['[API Error: You exceeded your current quota, check your billing details]', 173, 'rate-limit'],
    ['[API Error: You have exhausted your daily quota on this model.]', 173, 'auth'],
    ['[API Error: {"error":{"code":400,"message":"API key not valid."}}]', 144, 'auth'],
    ['[API Error: The input token count (2000000) exceeds the maximum]', 144, 'context'],
    ['[API Error: whatever]', 247, 'overloaded'],
    ['[API Error: whatever]', 1, 'crash'],
  ])('%s with exit %i is %s', (message, code, kind) => {
    expect(kindOf(message, code)).toBe(kind);
  });

  test('the duration of a limit is read from its message', () => {
    const { failure } = read([failed('[API Error: Please retry in 34.07s.]')], { code: 173 }).outcome;
    expect(failure).toMatchObject({ kind: 'rate-limit', retryAfterMs: 34_070 });
  });

  test('a missing answer is a failure with the reason reported before', () => {
    const reason = { type: 'error', severity: 'error', message: 'The model returned nothing.' };
    const { outcome } = read([reason, { type: 'result', status: 'error', stats: {} }]);
    expect(outcome.failure).toEqual({ kind: 'crash', message: 'The model returned nothing.' });
  });

  test.each([
    [41, 'Invalid auth method selected.', 'auth'],
    [42, 'Error resuming session: Invalid session identifier "x".', 'session-lost'],
    [42, 'Unknown argument: foo', 'protocol'],
    [53, 'Reached max session turns for this session.', 'guard'],
    [55, 'Gemini CLI is not running in a trusted directory.', 'protocol'],
  ])('exit %i without a final line: %s', (code, stderrTail, kind) => {
    expect(read([], { code, stderrTail }).outcome.failure?.kind).toBe(kind);
  });
});

describe('tokens', () => {
  const note = (id: string, tokens?: object) => JSON.stringify({ id, type: 'gemini', content: '', tokens });
  const spent = (...lines: readonly string[]) =>
    gemini.sessionFiles.readUsage?.(Buffer.from(`${lines.join('\n')}\n`));

  test('the usage of the session is the sum of its answers, each counted once', () => {
    const first = { input: 100, output: 5, cached: 40, thoughts: 20, tool: 0, total: 125 };
    const second = { input: 200, output: 7, cached: 150, thoughts: 0, tool: 0, total: 207 };
    const lines = [
      '{"sessionId":"x","projectHash":"y"}',
      note('u'),
      note('a'),
      note('a', first),
      '{"$set":{"lastUpdated":"now"}}',
      note('a', first),
      note('b', second),
      `${note('c', second).slice(0, -4)}`,
    ];
    expect(spent(...lines)).toEqual({ inputTokens: 300, outputTokens: 32, cacheReadTokens: 190 });
    expect(spent(note('u'), '{"tokens":{"input":1}}', '{"id":"a","tokens":null}')).toEqual({});
  });

  test('thoughts are output, also in the final line', () => {
    const stats = { input_tokens: 100, output_tokens: 5, cached: 40, total_tokens: 125 };
    expect(read([piece('x'), { ...done, stats }]).outcome.usage).toEqual({
      inputTokens: 100,
      outputTokens: 25,
      cacheReadTokens: 40,
      turns: 1,
    });
  });
});
