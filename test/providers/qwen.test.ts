import { describe, expect, test } from 'vitest';
import type { Usage } from '../../src/providers/provider.js';
import { qwen } from '../../src/providers/qwen.js';
import { markOf, truncateToMark } from '../../src/sessions/session-mark.js';
import type { ProcessExit } from '../../src/system/process.js';
import { readTranscript } from './read-transcript.js';

const clean: ProcessExit = { reason: 'exited', code: 0, stderrTail: '', durationMs: 1 };
const { rewrite, readUsage } = qwen.sessionFiles;

const read = (objects: readonly object[], exit: Partial<ProcessExit> = {}, before: Usage = {}) =>
  readTranscript(
    qwen,
    objects.map((object) => JSON.stringify(object)),
    { ...clean, ...exit },
    before,
  );

const tokens = (input: number, output: number) => ({ input_tokens: input, output_tokens: output });
const answer = (id: string, content: readonly object[], parent: string | null = null) => ({
  type: 'assistant',
  parent_tool_use_id: parent,
  message: { id, content, usage: tokens(100, 20) },
});
const text = (words: string) => ({ type: 'text', text: words });
const result = (fields: object) => ({ type: 'result', subtype: 'success', is_error: false, ...fields });

describe('turns', () => {
  test('an answer in several lines is one answer', () => {
    const { events, outcome } = read([
      answer('a', [text('I look.')]),
      answer('a', [{ type: 'tool_use', name: 'read_file', input: { file_path: 'a.ts' } }]),
      answer('b', [text('Done.')]),
    ]);
    expect(events).toEqual([
      { type: 'text', text: 'I look.' },
      { type: 'turn', usage: { inputTokens: 100, outputTokens: 20 } },
      { type: 'tool', name: 'read_file', detail: 'a.ts', isOfLast: true },
      { type: 'text', text: 'Done.' },
      { type: 'turn', usage: { inputTokens: 100, outputTokens: 20 } },
    ]);
    expect(outcome.usage).toEqual({ inputTokens: 200, outputTokens: 40, turns: 2 });
  });

  test('answers of a sub-agent count, but are not the final text', () => {
    const { outcome } = read([answer('a', [text('Main.')]), answer('b', [text('Sub.')], 'call_1')]);
    expect(outcome).toMatchObject({ text: 'Main.', usage: { turns: 2 } });
  });

  test('an error of the service is not an answer', () => {
    const error = '[API Error: 401 bad key]';
    const { events, outcome } = read([answer('a', [text(error)])]);
    expect(events).toEqual([]);
    expect(outcome.usage).toEqual({});
  });
});

describe('usage', () => {
  test('is that of the process, although the totals are those of the session', () => {
    const before = { inputTokens: 300, outputTokens: 60 };
    const lines = [answer('a', [text('x')]), result({ result: 'x', usage: tokens(500, 100) })];
    expect(read(lines, {}, before).outcome).toMatchObject({
      usage: { inputTokens: 200, outputTokens: 40, turns: 1 },
      totals: { inputTokens: 500, outputTokens: 100 },
    });
  });

  test('the usage of the session is in its file', () => {
    const note = (name: string, input: number) =>
      JSON.stringify({
        type: 'system',
        subtype: 'ui_telemetry',
        systemPayload: {
          uiEvent: { 'event.name': name, input_token_count: input, output_token_count: 1 },
        },
      });
    const file = [
      note('qwen-code.api_response', 100),
      note('qwen-code.tool_call', 5),
      'half a {"ui_telemetry"',
    ];
    const all = [...file, note('qwen-code.api_response', 7)].join('\n');
    expect(readUsage?.(Buffer.from(all))).toEqual({ inputTokens: 107, outputTokens: 2 });
    expect(readUsage?.(Buffer.from('{"type":"user"}\n'))).toEqual({});
  });
});

describe('failures', () => {
  test.each([
    ['[API Error: 401 bad key]', 'auth'],
    ['[API Error: 429 slow down]\nPossible quota limitations in place', 'rate-limit'],
    ['[API Error: 429 You exceeded your current quota: insufficient_quota]', 'auth'],
    ['[API Error: 503 busy]', 'overloaded'],
    ['[API Error: Connection error. (cause: fetch failed)]', 'overloaded'],
    ["[API Error: 400 This model's maximum context length is 131072 tokens]", 'context'],
    ['something else', 'crash'],
  ])('%s is %s', (message, kind) => {
    const line = { type: 'result', subtype: 'error_during_execution', is_error: true, error: { message } };
    expect(read([line], { code: 1 }).outcome.failure?.kind).toBe(kind);
  });

  test('an error of the service that is reported as a success is a failure', () => {
    const { failure } = read([result({ result: '[API Error: 401 bad key]' })]).outcome;
    expect(failure?.kind).toBe('auth');
  });

  test.each([
    [53, 'Reached max session turns', 'guard'],
    [55, 'Budget exceeded', 'guard'],
    [1, 'No saved session found with ID x', 'session-lost'],
    [1, 'Session Id x is already in use.', 'protocol'],
  ])('exit %i without a final line: %s', (code, stderrTail, kind) => {
    expect(read([], { code, stderrTail }).outcome.failure?.kind).toBe(kind);
  });

  test('a wait of the CLI is reported', () => {
    const retry = { type: 'system', subtype: 'retry', data: { attempt: 1, maxRetries: 10, delayMs: 60_000 } };
    expect(read([retry]).events).toEqual([
      { type: 'notice', message: 'The model service refused the request; Qwen Code retries in 60.0 s.' },
    ]);
  });
});

describe('the session file', () => {
  const first = '{"uuid":"a","cwd":"/there","message":{"parts":[{"text":"\\"cwd\\":\\"/there\\""}]}}';
  const file = Buffer.from(`${first}\n{"uuid":"b","cwd":"/there"}\n`);

  test('names the new directory in its first line and nowhere else', () => {
    const [one, two] = rewrite?.(file, '/here "q"').toString('utf8').split('\n') ?? [];
    expect(JSON.parse(one ?? '')).toEqual({ ...JSON.parse(first), cwd: '/here "q"' });
    expect(two).toBe('{"uuid":"b","cwd":"/there"}');
  });

  test('stays unchanged if its first line names no directory or is incomplete', () => {
    for (const other of ['{"uuid":"a"}\nx\n', '{"uuid":"a","cw', ''])
      expect(rewrite?.(Buffer.from(other), '/here').toString('utf8')).toBe(other);
  });

  test('a mark is valid on another machine, before and after the rewriting', () => {
    const mark = markOf(file, qwen.sessionFiles);
    const moved = Buffer.concat([rewrite?.(file, '/here') ?? file, Buffer.from('{"uuid":"c"}\n')]);
    const truncated = truncateToMark(moved, mark, qwen.sessionFiles);
    expect(truncated && rewrite?.(truncated, '/there').toString('utf8')).toBe(file.toString('utf8'));
  });
});
