/** Tests of the mock model that the real CLIs do not cover, because they do not use all four formats here. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type ModelRule,
  type ModelServer,
  startModelServer,
  userTexts,
  type WireFormat,
} from '../../rig/model-server.js';

let server: ModelServer;
const rule: ModelRule = ({ prompt }) => (prompt === 'by rule' ? { say: 'ruled' } : undefined);

beforeEach(async () => {
  server = await startModelServer({ rules: [rule] });
});
afterEach(() => server.close());

const paths: Readonly<Record<WireFormat, string>> = {
  anthropic: '/v1/messages?beta=true',
  responses: '/v1/responses',
  chat: '/v1/chat/completions',
  gemini: '/v1beta/models/m:streamGenerateContent?alt=sse',
};

/** A conversation with these user texts in each format; results of tools may follow the last one. */
const bodies: Readonly<Record<WireFormat, (texts: readonly string[], results?: number) => object>> = {
  anthropic: (texts, results = 0) => ({
    stream: true,
    messages: [
      ...texts.map((text) => ({
        role: 'user',
        content: [
          { type: 'text', text: '<system-reminder>x' },
          { type: 'text', text },
        ],
      })),
      ...times(results, {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 'a', content: 'ok' }],
      }),
    ],
    tools: [{ name: 'Bash' }, { name: 'Write' }],
  }),
  responses: (texts, results = 0) => ({
    stream: true,
    input: [
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: '<environment_context>x' }] },
      ...texts.map((text) => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] })),
      ...times(results, { type: 'function_call_output', call_id: 'a', output: 'ok' }),
    ],
    tools: [{ type: 'function', name: 'exec_command' }],
  }),
  chat: (texts, results = 0) => ({
    stream: true,
    messages: [
      ...texts.map((content) => ({ role: 'user', content })),
      ...times(results, { role: 'tool', content: 'ok' }),
    ],
    tools: [{ type: 'function', function: { name: 'write_file' } }],
  }),
  gemini: (texts, results = 0) => ({
    contents: [
      ...texts.map((text) => ({ role: 'user', parts: [{ text }] })),
      ...times(results, { role: 'user', parts: [{ functionResponse: { name: 'a', response: {} } }] }),
    ],
    tools: [{ functionDeclarations: [{ name: 'write_file' }] }],
  }),
};

const times = <T>(count: number, value: T): readonly T[] => Array.from({ length: count }, () => value);

const ask = (format: WireFormat, texts: readonly string[], results = 0): Promise<Response> =>
  fetch(server.url + paths[format], { method: 'POST', body: JSON.stringify(bodies[format](texts, results)) });

const answer = async (format: WireFormat, texts: readonly string[], results = 0): Promise<string> =>
  (await ask(format, texts, results)).text();

describe.each(Object.keys(paths) as WireFormat[])('%s', (format) => {
  test('reports the tokens of the whole request and records it', async () => {
    expect(await answer(format, ['TOKEN-a', 'TOKEN-b'])).toContain('seen: TOKEN-a TOKEN-b');
    expect(server.requests).toMatchObject([
      { format, prompt: 'TOKEN-b', userTexts: ['TOKEN-a', 'TOKEN-b'], toolResults: 0 },
    ]);
    expect(userTexts(format, server.requests[0]?.body)).toEqual(['TOKEN-a', 'TOKEN-b']);
  });

  test('uses the markers of the newest prompt one after the other', async () => {
    const texts = ['[[say:old]]', '[[write:/tmp/a.txt|b|c]] [[say:new]] TOKEN-x'];
    const call = await answer(format, texts);
    expect(call).toContain('/tmp/a.txt');
    expect(call).toContain('b|c');
    expect(await answer(format, texts, 1)).toContain('new');
    expect(await answer(format, texts, 2)).toContain('seen: TOKEN-x');
  });

  test('answers with an error of the service', async () => {
    const busy = await ask(format, ['[[fail:429:7]]']);
    expect([busy.status, busy.headers.get('retry-after')]).toEqual([429, '7']);
    const full = await ask(format, ['[[fail:context]]']);
    expect(full.status).toBe(400);
    expect(await full.text()).toMatch(/too long|context window/);
  });

  test('uses the rules first', async () => {
    expect(await answer(format, ['by rule'])).toContain('ruled');
  });
});

test('a loop calls the tool without end', async () => {
  for (const results of [0, 1, 5])
    expect(await answer('anthropic', ['[[loop:echo on]]'], results)).toContain('echo on');
});

test('a hanging answer ends with the server', async () => {
  const hanging = ask('chat', ['[[hang]]']).then(
    () => 'answered',
    () => 'interrupted',
  );
  await server.waitForRequest(({ prompt }) => prompt === '[[hang]]');
  await server.close();
  expect(await hanging).toBe('interrupted');
});

test('counts tokens, and does not record it as a request to the model', async () => {
  const response = await fetch(`${server.url}/v1/messages/count_tokens`, { method: 'POST', body: '{}' });
  expect(await response.json()).toEqual({ input_tokens: 100 });
  expect(server.requests).toEqual([]);
});
