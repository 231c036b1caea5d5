import { describe, expect, test } from 'vitest';
import { opencode } from '../../src/providers/opencode.js';
import type { TurnRequest } from '../../src/providers/provider.js';
import { providers } from '../../src/providers/provider-registry.js';
import { filterEnvironment } from '../../src/security/filter-environment.js';
import type { ProcessExit } from '../../src/system/process.js';
import { readTranscript } from './read-transcript.js';

const clean: ProcessExit = { reason: 'exited', code: 0, stderrTail: '', durationMs: 1 };
const id = 'ses_0b5f2c1e111142228333444455';

const command = (change: Partial<TurnRequest> = {}) =>
  opencode.buildCommand({
    prompt: 'x',
    session: { mode: 'start', id },
    permission: 'workspace',
    directory: '/work/app',
    isRoot: false,
    ...change,
  });

const read = (objects: readonly object[], exit: Partial<ProcessExit> = {}) =>
  readTranscript(
    opencode,
    objects.map((object) => JSON.stringify({ sessionID: id, ...object })),
    { ...clean, ...exit },
    {},
  );

const start = { type: 'step_start', part: {} };
const text = (words: string) => ({ type: 'text', part: { text: words } });
const finish = (reason: string, more = {}) => ({ type: 'step_finish', part: { reason, ...more } });
const error = (name: string, data: object) => ({ type: 'error', error: { name, data } });

describe('command', () => {
  const settings = (content?: string) => {
    const environment = content === undefined ? {} : { OPENCODE_CONFIG_CONTENT: content };
    return command({ environment }).env.OPENCODE_CONFIG_CONTENT;
  };

  test('a refusal does not end the run, and user settings in the same variable stay', () => {
    expect(JSON.parse(settings() ?? '')).toEqual({ experimental: { continue_loop_on_deny: true } });
    expect(JSON.parse(settings('{"model":"a/b","experimental":{"x":1}}') ?? '')).toEqual({
      model: 'a/b',
      experimental: { continue_loop_on_deny: true, x: 1 },
    });
    expect(settings('{ // a comment\n}')).toBeUndefined();
  });

  test('read-only forbids commands and all edits outside the output folder', () => {
    const { env } = command({ permission: 'read-only' });
    expect(JSON.parse(env.OPENCODE_PERMISSION ?? '')).toMatchObject({
      bash: 'deny',
      edit: { '*': 'deny', '.gump/out/*': 'allow' },
    });
    expect(command().env.OPENCODE_PERMISSION).toBeUndefined();
  });
});

describe('reader', () => {
  test('an error is not a failure if the run continued, although the exit code is 1', () => {
    const full = error('ContextOverflowError', { message: 'too long' });
    const went = [full, start, finish('stop'), start, text('done'), finish('stop')];
    expect(read(went, { code: 1 }).outcome).toMatchObject({ status: 'done', text: 'done' });
    expect(read([...went, full], { code: 1 }).outcome.failure?.kind).toBe('context');
    expect(read([start, text('done'), finish('stop')], { code: 1 }).outcome.failure?.kind).toBe('crash');
  });

  test('a restarted step is not done', () => {
    expect(read([start, finish('stop'), start]).outcome.failure?.kind).toBe('protocol');
  });

  test('an incomplete answer is not a success', () => {
    const { failure } = read([start, text('half'), finish('length')]).outcome;
    expect(failure).toMatchObject({ kind: 'protocol', message: expect.stringContaining('length') });
  });

  test('steps are added up, thoughts are output, and a cost of 0 was not reported', () => {
    const tokens = { input: 10, output: 5, reasoning: 2, cache: { read: 3, write: 4 } };
    const step = finish('tool-calls', { tokens, cost: 0 });
    const { outcome, events } = read([
      start,
      step,
      start,
      { ...step, part: { ...step.part, reason: 'stop' } },
    ]);
    expect(outcome.usage).toEqual({
      inputTokens: 20,
      outputTokens: 14,
      cacheReadTokens: 6,
      cacheWriteTokens: 8,
      turns: 2,
    });
    expect(events.filter(({ type }) => type === 'turn')).toHaveLength(2);
  });

  test.each([
    ['APIError', { message: 'x', statusCode: 403 }, 'auth'],
    ['APIError', { message: 'x', statusCode: 402 }, 'auth'],
    ['APIError', { message: 'x', statusCode: 429, responseBody: '{"code":"insufficient_quota"}' }, 'auth'],
    ['APIError', { message: 'x', statusCode: 529 }, 'overloaded'],
    ['APIError', { message: 'x', statusCode: 413 }, 'context'],
    ['APIError', { message: 'prompt is too long: 250000 tokens', statusCode: 400 }, 'context'],
    ['ProviderAuthError', { message: 'x' }, 'auth'],
    ['UnknownError', { message: 'Unable to connect. Is the computer able to access the url?' }, 'overloaded'],
    ['MessageOutputLengthError', {}, 'protocol'],
    ['UnknownError', { message: 'x' }, 'crash'],
  ])('%s %o is %s', (name, data, kind) => {
    expect(read([error(name, data)], { code: 1 }).outcome.failure?.kind).toBe(kind);
  });

  test('the wait that the service requests is passed on', () => {
    const wait = (responseHeaders: object) =>
      read([error('APIError', { message: 'x', statusCode: 429, responseHeaders })], { code: 1 }).outcome
        .failure?.retryAfterMs;
    expect(wait({ 'retry-after': '3' })).toBe(3000);
    expect(wait({ 'retry-after-ms': '1500', 'retry-after': '3' })).toBe(1500);
    expect(wait({})).toBeUndefined();
  });

  test('the message about an unknown model gets a hint', () => {
    const message = 'Unexpected server error. Check server logs for details.';
    const { failure } = read([error('UnknownError', { message })], { code: 1 }).outcome;
    expect(failure?.message).toContain('opencode models');
  });

  test('standard error is reported without its colours', () => {
    const stderrTail = '\u001b[93m\u001b[1m! \u001b[0mpermission requested: bash (x); auto-rejecting\n';
    const { failure } = read([start, finish('tool-calls')], { stderrTail }).outcome;
    expect(failure).toEqual({
      kind: 'protocol',
      message:
        'OpenCode ended with exit code 0 without a final result: ! permission requested: bash (x); auto-rejecting',
    });
  });
});

describe('session commands', () => {
  const commands = opencode.sessionCommands;

  test('the empty session is an export of itself, and denies questions', () => {
    const text = commands?.emptyExport(id, '/work/app') ?? '';
    expect(commands?.isExport(text, id)).toBe(true);
    expect(JSON.parse(text).info.permission).toContainEqual({
      permission: 'question',
      pattern: '*',
      action: 'deny',
    });
    expect(commands?.isExport(text, 'ses_ffffffffffffffffffffffffff')).toBe(false);
    expect(commands?.isExport(text.slice(0, -9), id)).toBe(false);
  });

  test('no plugin of the checkout runs', () => {
    for (const { args } of [commands?.export(id), commands?.import('/x'), commands?.remove(id)].flatMap(
      (one) => one ?? [],
    ))
      expect(args).toContain('--pure');
  });
});

describe('variables', () => {
  const job = {
    PATH: '/bin',
    ANTHROPIC_API_KEY: 'x',
    OPENAI_API_KEY: 'x',
    GEMINI_API_KEY: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
    AWS_REGION: 'x',
    OPENCODE_API_KEY: 'x',
  };
  const visibleTo = (model: string | undefined) => {
    const environment = opencode.environmentForModel?.(model) ?? opencode.environment;
    const { env } = filterEnvironment({
      environment: job,
      providers,
      provider: { environment },
      passEnv: [],
    });
    return Object.keys(env).filter((name) => name !== 'PATH' && name !== 'AWS_REGION');
  };

  test('an agent gets those of the service of its model', () => {
    expect(visibleTo('anthropic/claude-haiku-4-5')).toEqual(['ANTHROPIC_API_KEY', 'OPENCODE_API_KEY']);
    expect(visibleTo('google/gemini-3.1-pro-preview')).toEqual(['GEMINI_API_KEY', 'OPENCODE_API_KEY']);
    expect(visibleTo('amazon-bedrock/some-model')).toEqual(['AWS_SECRET_ACCESS_KEY', 'OPENCODE_API_KEY']);
  });

  test('an agent gets those of all services if its service is unknown', () => {
    const all = Object.keys(job).filter((name) => name !== 'PATH' && name !== 'AWS_REGION');
    for (const model of [undefined, 'my-gateway/some-model', 'constructor/x'])
      expect(visibleTo(model)).toEqual(all);
  });

  test('no key is required for a service that only the user knows or that needs none', () => {
    for (const model of ['ollama/some-model', 'opencode/big-pickle'])
      expect(opencode.environmentForModel?.(model).credentials).toEqual([]);
  });

  test('a region of a cloud is withheld from nobody', () => {
    expect(filterEnvironment({ environment: job, providers, passEnv: [] }).env).toEqual({
      PATH: '/bin',
      AWS_REGION: 'x',
    });
  });
});
