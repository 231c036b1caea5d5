import { describe, expect, test } from 'vitest';
import { claude, claudeProjectFolder } from '../../src/providers/claude.js';
import type { TurnRequest, Usage } from '../../src/providers/provider.js';
import type { ProcessExit } from '../../src/system/process.js';
import { readTranscript, transcriptTime } from './read-transcript.js';

const clean: ProcessExit = { reason: 'exited', code: 0, stderrTail: '', durationMs: 1 };
const id = '3f0c2a52-5c8e-4b9a-9d0e-8f3f3a1f2b4c';

const command = (change: Partial<TurnRequest>) =>
  claude.buildCommand({
    prompt: 'x',
    session: { mode: 'start', id },
    permission: 'workspace',
    directory: '/work',
    isRoot: false,
    ...change,
  });

const read = (objects: readonly object[], exit: ProcessExit = clean, before: Usage = {}) =>
  readTranscript(
    claude,
    objects.map((object) => JSON.stringify(object)),
    exit,
    before,
  );

const success = { type: 'result', subtype: 'success', is_error: false, result: 'fine', session_id: id };
const failed = { type: 'result', subtype: 'success', is_error: true, session_id: id };

const part = (name: string, event: object, parent: string | null = null) => ({
  type: 'stream_event',
  event: { type: name, ...event },
  parent_tool_use_id: parent,
});

describe('permissions', () => {
  test('read-only allows writing below .gump/out only', () => {
    const { args } = command({ permission: 'read-only' });
    expect(args[args.indexOf('--permission-mode') + 1]).toBe('dontAsk');
    expect(args[args.indexOf('--allowedTools') + 1]).toBe('Read,Grep,Glob,Edit(.gump/out/**)');
  });

  test('as root the least restricted mode gets the sandbox variable', () => {
    expect(command({ permission: 'full', isRoot: true }).env.IS_SANDBOX).toBe('1');
    expect(command({ permission: 'full', isRoot: false }).env).not.toHaveProperty('IS_SANDBOX');
    expect(command({ permission: 'workspace', isRoot: true }).env).not.toHaveProperty('IS_SANDBOX');
  });
});

test.each([
  ['haiku', 'haiku'],
  ['opus[1m]', 'opus[1m]'],
  ['opus-4-8', 'claude-opus-4-8'],
  ['claude-opus-4-6', 'claude-opus-4-6'],
  ['us.anthropic.claude-x-v1:0', 'us.anthropic.claude-x-v1:0'],
])('the model %s is passed to the CLI as %s', (model, expected) => {
  const { args } = command({ model });
  expect(args).toContain(`--model=${expected}`);
});

describe('turns', () => {
  test('several lines of one answer are one turn', () => {
    const line = (text: string, message: string) => ({
      type: 'assistant',
      message: { id: message, content: [{ type: 'text', text }], usage: { input_tokens: 5 } },
    });
    const { events, outcome } = read([line('a', 'm1'), line('b', 'm1'), line('c', 'm2'), success]);
    expect(events.map(({ type }) => type)).toEqual(['text', 'text', 'turn', 'text', 'session', 'turn']);
    expect(outcome.usage).toEqual({ inputTokens: 10, turns: 2 });
  });

  test('a turn carries the tokens of the whole answer, not of its start', () => {
    const usage = { input_tokens: 9, output_tokens: 1 };
    const { events } = read([
      part('message_start', { message: { id: 'm1', usage } }),
      { type: 'assistant', message: { id: 'm1', content: [{ type: 'text', text: 'a' }], usage } },
      part('message_delta', { usage: { output_tokens: 70 } }),
      part('message_stop', {}),
    ]);
    expect(events).toEqual([
      { type: 'text', text: 'a' },
      { type: 'turn', usage: { inputTokens: 9, outputTokens: 70 } },
    ]);
  });

  test('answers of a sub-agent count, and do not end those of the main conversation', () => {
    const message = (name: string) => ({ message: { id: name, usage: { input_tokens: 1 } } });
    const { events, outcome } = read([
      part('message_start', message('m1')),
      part('message_start', message('s1'), 'toolu_1'),
      part('message_delta', { usage: { output_tokens: 3 } }, 'toolu_1'),
      part('message_stop', {}, 'toolu_1'),
      part('message_delta', { usage: { output_tokens: 4 } }),
      part('message_stop', {}),
    ]);
    expect(events).toEqual([
      { type: 'turn', usage: { inputTokens: 1, outputTokens: 3 } },
      { type: 'turn', usage: { inputTokens: 1, outputTokens: 4 } },
    ]);
    expect(outcome.usage.turns).toBe(2);
  });

  test("the CLI's own error texts are not turns", () => {
    const message = { id: 'x', model: '<synthetic>', content: [{ type: 'text', text: 'API Error' }] };
    const { events, outcome } = read([
      { type: 'assistant', message },
      { ...failed, result: 'API Error' },
    ]);
    expect(events).toEqual([{ type: 'session', id }]);
    expect(outcome.usage).not.toHaveProperty('turns');
  });
});

describe('cost', () => {
  const cost = (result: object, before: Usage) =>
    read([{ ...success, ...result }], clean, before).outcome.usage.costUsd;

  test('what was spent before is subtracted from a total of the session', () => {
    expect(cost({ total_cost_usd: 0.75 }, { costUsd: 0.5 })).toBe(0.25);
  });

  test('a total smaller than before is that of the process', () => {
    expect(cost({ total_cost_usd: 0.25 }, { costUsd: 0.5 })).toBe(0.25);
  });

  test('the cost since the last result is used if the CLI reports it', () => {
    const model_usage_since_last_result = { a: { costUSD: 0.25 }, b: { costUSD: 0.125 } };
    const result = { total_cost_usd: 0.875, model_usage_since_last_result };
    expect(cost(result, {})).toBe(0.375);
    expect(read([{ ...success, ...result }]).outcome.totals).toEqual({ costUsd: 0.875 });
  });

  test('the cost of the session is in the last cost-state line of its file', () => {
    const line = (total: number) => JSON.stringify({ type: 'cost-state', totalCostUSD: total });
    const spent = (text: string) => claude.sessionFiles.readUsage?.(Buffer.from(text));
    expect(spent(`{}\n${line(1)}\n{"type":"user","text":"\\"cost-state\\""}\n${line(2)}\n`)).toEqual({
      costUsd: 2,
    });
    expect(spent(`${line(1)}\n${line(2).slice(0, -4)}`)).toEqual({ costUsd: 1 });
    expect(spent('{"type":"user"}\n')).toEqual({});
    expect(spent('')).toEqual({});
  });
});

describe('failures', () => {
  const kindOf = (result: object, stderrTail = '') =>
    read([{ ...failed, ...result }], { ...clean, code: 1, stderrTail }).outcome.failure?.kind;

  test.each([
    [{ api_error_status: 403, result: 'API Error: 403' }, 'auth'],
    [{ api_error_status: 529, result: 'API Error: 529' }, 'overloaded'],
    [{ api_error_status: 413, result: 'Request too large' }, 'context'],
    [{ result: 'Not logged in · Please run /login' }, 'auth'],
    [{ result: 'Credit balance is too low' }, 'auth'],
    [{ result: 'API Error: Unable to connect to API (ConnectionRefused)' }, 'overloaded'],
    [{ subtype: 'error_max_budget_usd', errors: ['Reached maximum budget'] }, 'guard'],
    [{ subtype: 'error_during_execution', errors: ['something else'] }, 'crash'],
  ])('%j is %s', (result, kind) => {
    expect(kindOf(result)).toBe(kind);
  });

  test('an error without a text takes it from standard error', () => {
    expect(kindOf({ subtype: 'error_during_execution' }, 'No conversation found with session ID: x')).toBe(
      'session-lost',
    );
  });

  test('a wait that the service requests is passed on; the backoff of the CLI is not', () => {
    const waitAfter = (attempt: number, delay: number) =>
      read([
        { type: 'system', subtype: 'api_retry', attempt, retry_delay_ms: delay, error_status: 429 },
        { ...failed, api_error_status: 429, result: 'API Error' },
      ]).outcome.failure?.retryAfterMs;
    expect(waitAfter(1, 30_000)).toBe(30_000);
    expect(waitAfter(1, 598.2)).toBeUndefined();
    expect(waitAfter(4, 4_389)).toBeUndefined();
  });

  test('a refused start without standard output is reported with its text', () => {
    const { outcome } = readTranscript(
      claude,
      [],
      { ...clean, code: 1, stderrTail: `Error: Session ID ${id} is already in use.\n` },
      {},
    );
    expect(outcome.failure).toEqual({
      kind: 'protocol',
      message: `Claude Code ended with exit code 1 without a final result: Error: Session ID ${id} is already in use.`,
    });
  });

  test('a lost session is not reported as the session of the turn', () => {
    const lost = {
      ...failed,
      subtype: 'error_during_execution',
      errors: ['No conversation found with session ID: x'],
    };
    expect(read([lost], { ...clean, code: 1 }).outcome).not.toHaveProperty('session');
  });
});

test('a changed session id is reported again', () => {
  const { events, outcome } = read([
    { type: 'system', session_id: id },
    { ...success, session_id: 'other' },
  ]);
  expect(events).toEqual([
    { type: 'session', id },
    { type: 'session', id: 'other' },
  ]);
  expect(outcome.session).toBe('other');
});

test('the detail of a tool call is one line of bounded length', () => {
  const content = [
    { type: 'tool_use', name: 'Bash', input: { description: 'Run', command: `a\n${'b'.repeat(500)}` } },
  ];
  const [event] = read([{ type: 'assistant', message: { id: 'm', content } }]).events;
  expect(event).toMatchObject({ type: 'tool', name: 'Bash' });
  expect(event && 'detail' in event && event.detail).toMatch(/^a b{197}…$/);
});

test('the folder of a long path has the hash that both versions produced', () => {
  const directory = `/tmp/p/${'long_dir.name/'.repeat(18)}end`;
  expect(claudeProjectFolder(directory)).toHaveLength(207);
  expect(claudeProjectFolder(directory)).toMatch(/^-tmp-p-long-dir-name-long.*-long-dir-na-fdxewl$/);
  expect(claudeProjectFolder('/home/a_b/c.d e')).toBe('-home-a-b-c-d-e');
});

describe('a part of a text', () => {
  const delta = (order: 'printed' | 'other') => {
    const event = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'x' } };
    const line =
      order === 'printed'
        ? { type: 'stream_event', event, session_id: id, parent_tool_use_id: null }
        : { type: 'stream_event', session_id: id, parent_tool_use_id: null, event };
    return JSON.stringify(line);
  };

  test.each(['printed', 'other'] as const)(
    'gives no event and ends no answer (%s order of keys)',
    (order) => {
      const reader = claude.createReader({}, transcriptTime);
      const message = { id: 'msg_1', content: [], usage: { input_tokens: 5, output_tokens: 1 } };
      reader.readLine(JSON.stringify({ type: 'assistant', message, session_id: id }));
      expect(reader.readLine(delta(order))).toEqual([]);
      reader.readLine(JSON.stringify(success));
      expect(reader.resultState?.()).toBe('final');
      expect(reader.readLine(delta(order))).toEqual([]);
      expect(reader.resultState?.()).toBe('none');
      expect(reader.finish(clean).usage).toMatchObject({ turns: 1, inputTokens: 5 });
    },
  );

  test.each(['printed', 'other'] as const)('reports a session that is not known yet (%s)', (order) => {
    expect(claude.createReader({}, transcriptTime).readLine(delta(order))).toEqual([{ type: 'session', id }]);
  });
});
