/** What the readers make of usage limits, beyond the transcripts of whole runs. */
import { describe, expect, it } from 'vitest';
import { claude } from '../../src/providers/claude.js';
import { codex } from '../../src/providers/codex.js';
import { cursor } from '../../src/providers/cursor.js';
import { gemini } from '../../src/providers/gemini.js';
import { opencode } from '../../src/providers/opencode.js';
import type { Provider } from '../../src/providers/provider.js';
import { providers } from '../../src/providers/provider-registry.js';
import { qwen } from '../../src/providers/qwen.js';
import { readTranscript, transcriptTime } from './read-transcript.js';
import { transcriptsOf } from './transcripts.js';

const now = transcriptTime.now();
const at = (text: string) => Date.parse(text);
const exit = { reason: 'exited', code: 1, stderrTail: '', durationMs: 1 } as const;

const read = (provider: Provider, objects: readonly object[], errorLines: readonly string[] = [], end = {}) =>
  readTranscript(
    provider,
    objects.map((object) => JSON.stringify(object)),
    { ...exit, ...end },
    {},
    { errorLines },
  );
const failureOf = (...args: Parameters<typeof read>) => read(...args).outcome.failure;
const refusalsOf = (...args: Parameters<typeof read>) =>
  read(...args).events.flatMap((event) => (event.type === 'refused' ? event : []));

describe('Claude Code', () => {
  const five = at('2026-11-28T18:00:00Z') / 1000;
  const week = at('2026-12-02T09:00:00Z') / 1000;
  const limit = (info: object) => ({ type: 'rate_limit_event', rate_limit_info: info });
  const rejected = (info: object = {}) =>
    limit({ status: 'rejected', resetsAt: five, rateLimitType: 'five_hour', ...info });
  const result = {
    type: 'result',
    subtype: 'success',
    is_error: true,
    api_error_status: 429,
    result: "You've hit your limit · resets 7pm (UTC)",
  };
  const answer = { type: 'assistant', message: { id: 'a', content: [{ type: 'text', text: 'one' }] } };
  const timeOf = (...objects: readonly object[]) => failureOf(claude, [...objects, result])?.acceptsAgainAt;

  it('takes the time of the event, in seconds or milliseconds, before that of the text', () => {
    expect(timeOf(rejected())).toBe(five * 1000);
    expect(timeOf(rejected({ resetsAt: five * 1000 }))).toBe(five * 1000);
    expect(timeOf()).toBe(at('2026-11-28T19:00:00Z'));
    expect(timeOf(rejected({ resetsAt: undefined }))).toBe(at('2026-11-28T19:00:00Z'));
    expect(timeOf(rejected({ resetsAt: 5 }))).toBe(at('2026-11-28T19:00:00Z'));
  });

  it('waits for the last of the windows that are used up', () => {
    const windows = (state: object) => ({
      unifiedWindows: {
        five_hour: { utilization: 1, resetsAt: five },
        seven_day: { resetsAt: week, ...state },
      },
    });
    expect(timeOf(rejected(windows({ utilization: 0.9 })))).toBe(five * 1000);
    expect(timeOf(rejected(windows({ utilization: 1 })))).toBe(week * 1000);
    expect(timeOf(rejected(windows({ status: 'rejected' })))).toBe(week * 1000);
    expect(timeOf(rejected({ ...windows({}), resetsAt: undefined }))).toBe(five * 1000);
    expect(timeOf(rejected(), rejected({ rateLimitType: 'seven_day', resetsAt: week }))).toBe(week * 1000);
  });

  it('does not count a window that is paid for, or that accepts requests again', () => {
    const paid = {
      isUsingOverage: true,
      overageStatus: 'allowed',
      rateLimitType: 'seven_day',
      resetsAt: week,
    };
    expect(refusalsOf(claude, [rejected(paid)])).toEqual([]);
    expect(timeOf(rejected(paid), rejected())).toBe(five * 1000);
    const week1 = { rateLimitType: 'seven_day', resetsAt: week };
    expect(timeOf(rejected(week1), limit({ status: 'allowed', ...week1 }), rejected())).toBe(five * 1000);
    expect(refusalsOf(claude, [limit({ status: 'allowed', overageStatus: 'rejected', ...week1 })])).toEqual(
      [],
    );
    expect(refusalsOf(claude, [limit({ status: 'allowed_warning', ...week1 })])).toEqual([]);
  });

  it('waits for extra usage if that resets earlier', () => {
    const extra = { isUsingOverage: true, overageStatus: 'rejected', resetsAt: week, overageResetsAt: five };
    expect(timeOf(rejected(extra))).toBe(five * 1000);
  });

  it('fails with the limit if it ends without a result', () => {
    expect(failureOf(claude, [rejected()])).toMatchObject({
      kind: 'rate-limit',
      acceptsAgainAt: five * 1000,
    });
    expect(failureOf(claude, [rejected(), answer])?.kind).toBe('protocol');
  });

  it('does not take the time of a limit before the last answer', () => {
    expect(timeOf(rejected(), answer)).toBe(at('2026-11-28T19:00:00Z'));
  });

  it('waits by itself for a Retry-After, and only a limit is a refusal', () => {
    const retry = (status: number, ms: number) => ({
      type: 'system',
      subtype: 'api_retry',
      attempt: 1,
      retry_delay_ms: ms,
      error_status: status,
    });
    expect(refusalsOf(claude, [retry(429, 7_200_000)])).toMatchObject([
      { isWaiting: true, failure: { acceptsAgainAt: now + 7_200_000 } },
    ]);
    // Its own backoff says nothing about the service.
    expect(refusalsOf(claude, [retry(429, 600)])).toMatchObject([{ isWaiting: true }]);
    expect(refusalsOf(claude, [retry(429, 600)])[0]?.failure).not.toHaveProperty('acceptsAgainAt');
    expect(refusalsOf(claude, [retry(529, 7_200_000)])).toEqual([]);
  });

  it.each([
    "You're out of extra usage · resets 3pm (UTC)",
    '5-hour limit reached ∙ resets 3pm',
    'Opus weekly limit reached ∙ resets Dec 2, 3pm · see https://claude.ai/settings/billing',
  ])('is a limit without a status, too: %s', (text) => {
    expect(failureOf(claude, [{ ...result, api_error_status: null, result: text }])).toMatchObject({
      kind: 'rate-limit',
      acceptsAgainAt: expect.any(Number),
    });
  });
});

describe('Codex', () => {
  const log = (wait: string, error: string) =>
    `2026-11-28T15:00:00Z  WARN \u001b[2mcodex_core::responses_retry\u001b[0m: stream disconnected - retrying sampling request (1/5 in ${wait})... turn_id=1 retries=1 sampling_error=${error}`;

  it('says in its log how long it waits, and for what', () => {
    const limited = 'exceeded retry limit, last status: 429 Too Many Requests';
    expect(refusalsOf(codex, [], [log('10800.5s', limited)])).toEqual([
      {
        type: 'refused',
        isWaiting: true,
        failure: {
          kind: 'rate-limit',
          message: limited,
          acceptsAgainAt: now + 10_800_500,
          retryAfterMs: 10_800_500,
        },
      },
    ]);
    expect(refusalsOf(codex, [], [log('203.5ms', 'stream closed before response.completed')])).toEqual([]);
    expect(refusalsOf(codex, [], ['rate limit', 'WARN other: retrying (1/5 in 3h) 429'])).toEqual([]);
  });

  it('asks for this part of its log, next to what the user asks for', () => {
    const turn = {
      prompt: '',
      session: { mode: 'start' },
      permission: 'full',
      directory: '/',
      isRoot: false,
    } as const;
    expect(codex.buildCommand(turn).env.RUST_LOG).toBe('error,codex_core::responses_retry=warn');
    expect(codex.buildCommand({ ...turn, environment: { RUST_LOG: 'info' } }).env.RUST_LOG).toBe(
      'info,codex_core::responses_retry=warn',
    );
  });
});

describe('Gemini CLI', () => {
  it('says on standard error that it waits', () => {
    const lines = [
      'Attempt 1 failed: Resource has been exhausted. Please retry in 2s.',
      'Suggested retry after 2s.. Retrying after 2100ms...',
      'Attempt 1 failed with status 429. Retrying with backoff... ApiError: {"error":{"code":429}}',
      'Attempt 1 failed with status 503. Retrying with backoff... ApiError: {}',
      'Attempt 2 failed: You have exhausted your capacity on this model. Your quota will reset after 3h0m0s.. Retrying after 11660807ms...',
    ];
    const times = refusalsOf(gemini, [], lines).map(({ failure }) => failure.acceptsAgainAt);
    expect(times).toEqual([now + 2000, undefined, now + 3 * 3_600_000]);
  });

  it('waits for a daily quota only if the text says when it resets', () => {
    const daily = (text: string) =>
      failureOf(
        gemini,
        [{ type: 'result', status: 'error', error: { message: `[API Error: ${text}]` } }],
        [],
        { code: 173 },
      );
    expect(daily('You have exhausted your daily quota on this model.')?.kind).toBe('auth');
    expect(daily('You have exhausted your daily quota. It resets at midnight Pacific Time.')).toMatchObject({
      kind: 'rate-limit',
      acceptsAgainAt: at('2026-11-29T08:00:00Z'),
    });
  });
});

describe('Qwen Code', () => {
  const quota =
    'Quota exhausted: Your token-plan 1-week quota has been exhausted. The quota will reset at 12-01 09:18:00 UTC.';
  const message = {
    id: 'a',
    content: [{ type: 'text', text: quota }],
    usage: { input_tokens: 0, output_tokens: 0 },
  };

  it('does not count the message about its quota as an answer', () => {
    const { events, outcome } = read(qwen, [
      { type: 'assistant', message },
      { type: 'result', is_error: true, error: { message: quota } },
    ]);
    expect(events).toEqual([]);
    expect(outcome.usage.turns).toBeUndefined();
    expect(outcome.failure).toMatchObject({ kind: 'rate-limit', acceptsAgainAt: at('2026-12-01T09:18:00Z') });
  });

  it('says on standard error why it waits', () => {
    const lines = [
      'Retrying in 1200s (attempt 1/10): 429 Too many requests',
      'Retrying in 1200s (attempt 1/10): 500 no',
    ];
    expect(refusalsOf(qwen, [], lines)).toMatchObject([
      { isWaiting: true, failure: { acceptsAgainAt: now + 1_200_000 } },
    ]);
  });
});

describe('OpenCode', () => {
  const refused = (responseHeaders: object, message = 'Rate limit reached.') =>
    failureOf(opencode, [
      { type: 'error', error: { name: 'APIError', data: { message, statusCode: 429, responseHeaders } } },
    ]);

  it.each([
    [{ 'retry-after-ms': '1500.5', 'retry-after': '9' }, now + 1501],
    [{ 'retry-after': '10800' }, now + 10_800_000],
    [{ 'retry-after': 'Sat, 28 Nov 2026 18:00:00 GMT' }, now + 3 * 3_600_000],
    [{ 'retry-after': 'Sat, 28 Nov 2020 18:00:00 GMT' }, undefined],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '' }, undefined],
    [{}, undefined],
  ])('takes the time of the header %j', (headers, expected) => {
    expect(refused(headers)?.acceptsAgainAt).toBe(expected);
  });

  it('takes the time of its words if there is no header', () => {
    expect(refused({}, 'Weekly usage limit reached. It will reset in 2 days.')).toMatchObject({
      kind: 'rate-limit',
      acceptsAgainAt: now + 2 * 86_400_000,
    });
  });

  it('says in its log that it waits, but not for the title of a session', () => {
    const log = (small: boolean, error: string) =>
      `timestamp=2026-11-28T15:00:00Z level=ERROR run=1 message="stream error" providerID=x small=${small} agent=build mode=primary error.error=${JSON.stringify(error)}`;
    const limit = 'AI_APICallError: Weekly "usage" limit reached.\nIt will reset in 3 hours.';
    expect(refusalsOf(opencode, [], [log(false, limit)])).toEqual([
      {
        type: 'refused',
        isWaiting: true,
        failure: {
          kind: 'rate-limit',
          message: 'Weekly "usage" limit reached.\nIt will reset in 3 hours.',
          acceptsAgainAt: now + 3 * 3_600_000,
          retryAfterMs: 3 * 3_600_000,
        },
      },
    ]);
    expect(
      refusalsOf(opencode, [], [log(true, limit), log(false, 'AI_APICallError: Overloaded'), limit]),
    ).toEqual([]);
    expect(refusalsOf(opencode, [], ['message="stream error" small=false error.error="broken'])).toEqual([]);
  });
});

describe('Cursor', () => {
  it('takes the time of the words of a service, from its result or standard error', () => {
    const text = 'Rate limit exceeded. Please try again in 3h.';
    const expected = { kind: 'rate-limit', acceptsAgainAt: now + 3 * 3_600_000 };
    expect(failureOf(cursor, [{ type: 'result', is_error: true, result: text }])).toMatchObject(expected);
    expect(failureOf(cursor, [], [], { stderrTail: `${text}\n` })).toMatchObject(expected);
    expect(refusalsOf(cursor, [], [text])).toMatchObject([{ isWaiting: false, failure: expected }]);
  });
});

describe.each(providers.map((provider) => [provider.id, provider] as const))('%s', (_id, provider) => {
  it('refuses nothing in a run that succeeds', () => {
    for (const { lines, scenario } of transcriptsOf(provider)) {
      if (!['success', 'tool', 'resume', 'refused'].includes(scenario)) continue;
      const { events } = readTranscript(provider, lines, { ...exit, code: 0 }, {});
      expect(events.filter(({ type }) => type === 'refused')).toEqual([]);
    }
  });

  it.each([
    ['Error: Usage limit reached. It resets 6pm (UTC)', '2026-11-28T18:00:00Z'],
    ['Rate limit exceeded, please try again in 3 hours', '2026-11-28T18:00:00Z'],
    ['Your billing quota is exhausted. The quota will reset at 11-28 18:00:00 UTC.', '2026-11-28T18:00:00Z'],
    ['429 Too many requests: rate limit', undefined],
  ])('takes the limit from standard error if it ends without a result: %s', (text, expected) => {
    const failure = failureOf(provider, [], [], { stderrTail: `a warning\n${text}\n` });
    expect(failure?.kind).toBe('rate-limit');
    expect(failure?.acceptsAgainAt).toBe(expected === undefined ? undefined : at(expected));
  });

  it('reads any line of standard error without an error', () => {
    const reader = provider.createReader({}, transcriptTime);
    for (const line of [
      '',
      '{',
      'Retrying after ',
      'limit reached|99999999999999',
      '\u0000',
      'x'.repeat(100_000),
    ])
      expect(() => reader.readErrorLine?.(line)).not.toThrow();
  });
});
