/** What standard error implies about a CLI that ended without a final result. */

import { describe, expect, test } from 'vitest';
import { defined } from '../../src/optional-keys.js';
import { missingResultFailure } from '../../src/providers/exit-failures.js';
import { findProvider, providers } from '../../src/providers/provider-registry.js';
import type { ProcessExit } from '../../src/system/process.js';
import { readTranscript } from './read-transcript.js';

const words = [
  ['auth', /authentication/i],
  ['overloaded', /timed out/i],
] as const;

/** No `code`: killed by a signal. */
const ended = (stderrTail: string, code?: number): ProcessExit => ({
  reason: 'exited',
  stderrTail,
  durationMs: 1,
  ...defined({ code }),
});
const kindOf = (stderrTail: string, code: number, endings = {}) =>
  missingResultFailure(ended(stderrTail, code), 'Agent', words, endings).kind;

describe.each(providers.map((provider) => [provider.id, provider] as const))('%s', (_id, provider) => {
  const failureOf = (exit: ProcessExit) => readTranscript(provider, [], exit, {}).outcome.failure;

  test.each([
    'MCP server "github" connection timed out\n',
    'Error: connection timed out\n',
    'rate limit reached\n',
  ])('that is killed had no time to print a reason: %j', (stderrTail) => {
    expect(failureOf(ended(stderrTail))).toMatchObject({
      kind: 'protocol',
      message: expect.stringContaining(stderrTail.trim()),
    });
  });

  test.each([
    'MCP server x: authentication required, not logged in\n',
    '[mcp_servers.x] 401 Unauthorized: invalid api key\n',
  ])('that ends after a message about an MCP server: %j', (stderrTail) => {
    expect(failureOf(ended(stderrTail, 1))?.kind).toBe('protocol');
  });
});

describe.each(providers.map((provider) => [provider.id, provider] as const))(
  'a crash of %s that mentions an API key',
  (_id, provider) => {
    const kind = (text: string) => readTranscript(provider, [], ended(text, 1), {}).outcome.failure?.kind;

    test.each([
      'ReferenceError: API_KEY is not defined\n',
      "TypeError: Cannot read properties of undefined (reading 'API_KEY')\n",
      'SyntaxError: Unexpected token in /work/src/GEMINI_API_KEY.ts\n',
      'Error: ENOENT: no such file or directory, open api_key.json\n',
      'FATAL ERROR: heap out of memory while it read apiKey: string;\n',
    ])('is no rejected key: %j', (text) => {
      expect(kind(text)).toBe('protocol');
    });
  },
);

test.each(['codex', 'gemini', 'qwen', 'opencode', 'cursor'])(
  '%s: complaints about an API key are `auth`',
  (id) => {
    const provider = findProvider(id);
    if (provider === undefined) throw new Error(id);
    const complaints = [
      'Error: API key not valid. Please pass a valid API key.',
      'Error: API Key not found. Please pass a valid API key.',
      'Error: API key expired. Please renew the API key.',
      'Error: {"reason":"API_KEY_INVALID"}',
      'Error: Incorrect API key provided: sk-1***',
      'Error: invalid api key',
      'Error: Missing API key for provider openai',
      'Error: When using Gemini API, you must specify the GEMINI_API_KEY environment variable.',
      'Error: OPENAI_API_KEY environment variable not found.',
      "Error: OpenAI API key is missing. Pass it using the 'apiKey' parameter.",
      'Error: Your API key was reported as leaked.',
    ];
    const kinds = complaints.map((text) => [
      text,
      readTranscript(provider, [], ended(`${text}\n`, 1), {}).outcome.failure?.kind,
    ]);
    expect(kinds).toEqual(complaints.map((text) => [text, 'auth']));
  },
);

test('the last lines count, also above a stack and fields, and earlier ones do not', () => {
  const stack = '    at connect (cli.js:1:1)\n    at main (cli.js:2:2) {\n  code: 1\n}\n\n';
  expect(kindOf(`Started.\nError: authentication failed\n${stack}`, 1)).toBe('auth');
  expect(kindOf('authentication failed\nTrying again\nWorking\nWorking\n', 1)).toBe('protocol');
  expect(kindOf('TypeError: x is undefined\n    at authentication (cli.js:1:1)\n', 1)).toBe('protocol');
  expect(kindOf('Error: it timed out\r\n', 0)).toBe('overloaded');
  expect(kindOf('Error: it timed out\nMCP server x: authentication required\n', 1)).toBe('overloaded');
});

test('the exit code takes precedence over the text', () => {
  expect(kindOf('Error: it timed out', 53, { 53: 'guard' })).toBe('guard');
});
