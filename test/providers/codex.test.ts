import { describe, expect, test } from 'vitest';
import { codex } from '../../src/providers/codex.js';
import type { TurnRequest } from '../../src/providers/provider.js';
import type { ProcessExit } from '../../src/system/process.js';
import { readTranscript } from './read-transcript.js';

const clean: ProcessExit = { reason: 'exited', code: 0, stderrTail: '', durationMs: 1 };
const id = '01a20725-67da-7ac1-b394-7eba8e2b3bf1';

const args = (change: Partial<TurnRequest> = {}): readonly string[] =>
  codex.buildCommand({
    prompt: 'x',
    session: { mode: 'start' },
    permission: 'workspace',
    directory: '/home/me/a "b"',
    isRoot: false,
    ...change,
  }).args;

const read = (objects: readonly object[], exit: ProcessExit = clean) =>
  readTranscript(
    codex,
    objects.map((object) => JSON.stringify(object)),
    exit,
    {},
  );

const started = (item: string, type = 'command_execution') => ({
  type: 'item.started',
  item: { id: item, type, command: item },
});
const completed = (item: string, type = 'command_execution') => ({
  type: 'item.completed',
  item: { id: item, type, command: item },
});
const message = (text: string) => ({
  type: 'item.completed',
  item: { id: text, type: 'agent_message', text },
});
const done = { type: 'turn.completed', usage: {} };

describe('command', () => {
  test('all flags come before resume, and standard input comes last', () => {
    const resumed = args({ session: { mode: 'resume', id }, model: 'm' });
    expect(resumed.slice(-3)).toEqual(['resume', id, '-']);
    expect(args().at(-1)).toBe('-');
  });

  test('no snapshot of the shell with its variables is stored', () => {
    expect(args().join(' ')).toContain('--disable shell_snapshot');
  });

  test('read-only names the only writable folder, whatever its path contains', () => {
    const readOnlyArgs = args({ permission: 'read-only' });
    expect(readOnlyArgs).toContain(
      'permissions.gump_read_only.filesystem={":root"="read","/home/me/a \\"b\\"/.gump/out"="write"}',
    );
    expect(readOnlyArgs).not.toContain('-s');
  });
});

describe('turns', () => {
  const turnsOf = (objects: readonly object[]): number | undefined =>
    read([...objects, done]).outcome.usage.turns;

  test('a message and the following calls are one answer', () => {
    expect(turnsOf([message('I look.'), started('a'), completed('a'), message('Done.')])).toBe(2);
  });

  test('calls that run at the same time are one answer', () => {
    expect(turnsOf([started('a'), started('b'), completed('a'), completed('b'), message('Done.')])).toBe(2);
  });

  test('a call that is reported only at its end counts too', () => {
    expect(turnsOf([completed('a', 'file_change'), completed('b', 'web_search'), message('Done.')])).toBe(3);
  });

  test('warnings and plans are not answers', () => {
    const error = { type: 'item.completed', item: { id: 'w', type: 'error', message: 'careful' } };
    expect(
      turnsOf([error, { type: 'item.started', item: { id: 't', type: 'todo_list' } }, message('Done.')]),
    ).toBe(1);
  });

  test('an incomplete answer counts', () => {
    expect(read([started('a'), completed('a'), message('And now')]).outcome.usage.turns).toBe(2);
  });
});

test('a turn counts when its first call starts, so that a guard can stop it there', () => {
  expect(read([message('I look.'), started('a')]).events.map(({ type }) => type)).toEqual([
    'text',
    'tool',
    'turn',
  ]);
});

test('tool calls are reported with their details', () => {
  const item = (fields: object) => ({ type: 'item.started', item: { id: '1', ...fields } });
  const detail = (fields: object) => read([item(fields)]).events[0];
  expect(detail({ type: 'command_execution', command: "/bin/bash -lc 'npm test'" })).toMatchObject({
    detail: 'npm test',
  });
  expect(detail({ type: 'command_execution', command: 'ls' })).toMatchObject({ detail: 'ls' });
  const changes = [{ path: 'a.ts', kind: 'add' }, { path: 'b.ts' }];
  expect(detail({ type: 'file_change', changes })).toMatchObject({ detail: 'a.ts b.ts' });
  expect(detail({ type: 'mcp_tool_call', server: 'github', tool: 'search' })).toMatchObject({
    detail: 'github.search',
  });
});

test('the last message is the final text', () => {
  expect(read([message('first'), started('a'), completed('a'), message('last'), done]).outcome.text).toBe(
    'last',
  );
});

test('a top-level error is not a failure if the turn completes', () => {
  const { events, outcome } = read([
    { type: 'error', message: 'Reconnecting... 1/5' },
    message('fine'),
    done,
  ]);
  expect(outcome.status).toBe('done');
  expect(events[0]).toEqual({ type: 'notice', message: 'Reconnecting... 1/5' });
});

describe('failures', () => {
  const failureOf = (text: string) =>
    read([{ type: 'turn.failed', error: { message: text } }], { ...clean, code: 1 }).outcome.failure;

  test.each([
    ['unexpected status 403 Forbidden: no', 'auth'],
    ['Missing environment variable: `OPENAI_API_KEY`.', 'auth'],
    ['Quota exceeded. Check your plan and billing details.', 'auth'],
    ['unexpected status 402 Payment Required: This request requires more credits', 'auth'],
    ['Your workspace is out of credits. Add credits to continue.', 'auth'],
    ['Billing hard limit has been reached', 'auth'],
    ["You've hit your usage limit.", 'rate-limit'],
    ["You've hit your usage limit. Upgrade to Pro or purchase more credits.", 'rate-limit'],
    ['unexpected status 529 <unknown status code>: x', 'overloaded'],
    ['stream disconnected before completion: error sending request for url', 'overloaded'],
    ['This chat uses model provider "mock", which is no longer configured', 'session-lost'],
    ['something new', 'crash'],
  ])('%s is %s', (text, kind) => {
    expect(failureOf(text)?.kind).toBe(kind);
  });

  test('the wait that the service requests is read from its message', () => {
    expect(failureOf('Rate limit reached. Please try again in 11.054s.')?.retryAfterMs).toBe(11_054);
    expect(failureOf('Rate limit reached. Please try again in 1m26.4s.')?.retryAfterMs).toBe(86_400);
    expect(failureOf('Rate limit reached. Please try again in 250ms.')?.retryAfterMs).toBe(250);
    expect(failureOf('Rate limit reached. Please try again in 2 minutes.')?.retryAfterMs).toBe(120_000);
    expect(failureOf('Rate limit reached.')).not.toHaveProperty('retryAfterMs');
  });

  test('an error line without an end of the turn is a failure of its kind', () => {
    const { failure } = read([{ type: 'error', message: 'unexpected status 401 Unauthorized' }], {
      ...clean,
      code: 1,
    }).outcome;
    expect(failure?.kind).toBe('auth');
  });
});

test('the usage of the thread is in the last token count of its file', () => {
  const line = (total: number) =>
    JSON.stringify({
      type: 'event_msg',
      payload: {
        type: 'token_count',
        info: { total_token_usage: { input_tokens: total, output_tokens: 2, cached_input_tokens: 1 } },
      },
    });
  const spent = (text: string) => codex.sessionFiles.readUsage?.(Buffer.from(text));
  expect(
    spent(`${line(1)}\n${line(5)}\n{"type":"x","text":"\\"token_count\\""}\n${line(9).slice(0, -9)}`),
  ).toEqual({
    inputTokens: 5,
    outputTokens: 2,
    cacheReadTokens: 1,
  });
  expect(spent('{"type":"event_msg","payload":{"type":"token_count","info":null}}\n')).toEqual({});
});

test('the context of the thread is its last request and the answer, in the last token count of its file', () => {
  const line = (info: unknown) =>
    JSON.stringify({ type: 'event_msg', payload: { type: 'token_count', info } });
  const of = (...infos: readonly unknown[]) =>
    codex.sessionFiles.readContextTokens?.(Buffer.from(infos.map(line).join('\n')));
  const counted = (total: number) => ({ last_token_usage: { total_tokens: total } });
  expect(of(counted(5), counted(9), null)).toBe(9);
  expect(of({ total_token_usage: { input_tokens: 3 } })).toBeUndefined();
});
