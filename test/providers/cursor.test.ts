/** From the documentation only: these tests prove that the adapter follows it, not that the CLI does. */
import { describe, expect, test } from 'vitest';
import { cursor } from '../../src/providers/cursor.js';
import type { ProcessExit } from '../../src/system/process.js';
import { readTranscript } from './read-transcript.js';

const id = '0b5f2c1e-1111-4222-8333-444455556666';
const clean: ProcessExit = { reason: 'exited', code: 0, stderrTail: '', durationMs: 1 };

const read = (objects: readonly object[], exit: Partial<ProcessExit> = {}) =>
  readTranscript(
    cursor,
    objects.map((object) => JSON.stringify({ session_id: id, ...object })),
    { ...clean, ...exit },
    {},
  );

const says = (call: string, text: string) => ({
  type: 'assistant',
  model_call_id: call,
  message: { content: [{ type: 'text', text }] },
});
const calls = (call: string) => ({
  type: 'tool_call',
  subtype: 'started',
  model_call_id: call,
  tool_call: { shellToolCall: { args: { command: 'npm  test' } } },
});

describe('reader', () => {
  test('an answer and its tool calls are one turn', () => {
    const { events, outcome } = read([
      says('1', 'I look.'),
      calls('1'),
      calls('1'),
      says('2', 'Done.'),
      { type: 'result', is_error: false, result: 'Done.' },
    ]);
    expect(events.map(({ type }) => type)).toEqual([
      'session',
      'text',
      'tool',
      'tool',
      'turn',
      'text',
      'turn',
    ]);
    expect(outcome).toMatchObject({ status: 'done', text: 'Done.', usage: { turns: 2 } });
    expect(events[2]).toEqual({ type: 'tool', name: 'shell', detail: 'npm test' });
  });

  test('a result without `is_error: false` is a failure', () => {
    expect(read([{ type: 'result', result: 'x' }]).outcome.status).toBe('failed');
  });

  test('without a result, the reason comes from standard error', () => {
    const stderrTail = 'Error: Authentication required. Please run agent login first.';
    expect(read([], { code: 1, stderrTail }).outcome.failure?.kind).toBe('auth');
  });
});

describe('session files', () => {
  const { patterns, restorePath } = cursor.sessionFiles;

  test.each(['.cursor', '.config/cursor'])(
    'a chat in %s is restored to the folder of its directory',
    (folder) => {
      const target = `${folder}/chats/0123/${id}/store.db`;
      expect(restorePath(target, id, '/work/app', { list: () => [], read: () => undefined })).toBe(
        `${folder}/chats/7d3bc8c3c79adb12ac244d58560d89da/${id}/store.db`,
      );
      expect(patterns(id, '/work/app').some((pattern) => pattern.startsWith(`${folder}/chats/`))).toBe(true);
    },
  );
});
