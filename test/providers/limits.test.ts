/**
 * Messages of services that several CLIs use. The engine waits for the end of a temporary limit; a used-up quota
 * ends the step. Messages of both kinds mention quota, plan and billing.
 */
import { describe, expect, test } from 'vitest';
import type { FailureKind } from '../../src/failure.js';
import { codex } from '../../src/providers/codex.js';
import { cursor } from '../../src/providers/cursor.js';
import { opencode } from '../../src/providers/opencode.js';
import type { Provider } from '../../src/providers/provider.js';
import { qwen } from '../../src/providers/qwen.js';
import { readTranscript } from './read-transcript.js';

const openai =
  'Rate limit reached for gpt-5 in organization org-x on tokens per min (TPM): Limit 30000, Used 29000, ' +
  'Requested 1500. Please try again in 2s. You can increase your rate limit by adding a payment method to ' +
  'your account at https://platform.openai.com/account/billing.';
const google =
  'You exceeded your current quota, please check your plan and billing details. Quota exceeded for metric: ' +
  'generate_content_free_tier_requests, limit: 10\nPlease retry in 34.07s.';

const sentences: readonly (readonly [string, FailureKind, number | undefined])[] = [
  [openai, 'rate-limit', 2000],
  [google, 'rate-limit', 34_070],
  ['Quota exceeded for generate_content_requests_per_minute_per_project.', 'rate-limit', undefined],
  ['Allocated quota exceeded, please increase your quota limit.', 'rate-limit', undefined],
  ['Rate limit exceeded. Add credits or see your billing page.', 'rate-limit', undefined],
  ['Too many requests. See your billing page.', 'rate-limit', undefined],
  ['You exceeded your current quota, please check your plan and billing details.', 'auth', undefined],
  ['insufficient_quota', 'auth', undefined],
  ['Your credit balance is too low.', 'auth', undefined],
  [`${google} "quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"`, 'auth', undefined],
  [
    `You exceeded your daily quota, check your billing details. Please retry in 7h3m2.5s.`,
    'rate-limit',
    25_382_500,
  ],
  ['Daily quota (PerDay) reached. Please retry in 25382.5s.', 'rate-limit', 25_382_500],
  ['insufficient_quota: your quota resets at 6pm (UTC).', 'rate-limit', 10_800_000],
  ['The server is overloaded, please retry in 3s.', 'overloaded', undefined],
];

/** The line with which each CLI passes on the message of the service. */
const lines: readonly (readonly [Provider, (message: string) => object])[] = [
  [codex, (message) => ({ type: 'turn.failed', error: { message } })],
  [qwen, (message) => ({ type: 'result', is_error: true, error: { message: `[API Error: ${message}]` } })],
  [opencode, (message) => ({ type: 'error', error: { name: 'UnknownError', data: { message } } })],
  [cursor, (message) => ({ type: 'result', is_error: true, result: message })],
];

function failureOf(provider: Provider, line: object) {
  const exit = { reason: 'exited', code: 1, stderrTail: '', durationMs: 1 } as const;
  return readTranscript(provider, [JSON.stringify(line)], exit, {}).outcome.failure;
}

describe.each(lines.map(([provider, line]) => [provider.id, provider, line] as const))(
  '%s',
  (_id, provider, line) => {
    test.each(sentences)('%s is %s', (message, kind, retryAfterMs) => {
      const failure = failureOf(provider, line(message));
      expect(failure?.kind).toBe(kind);
      expect(failure?.retryAfterMs).toBe(retryAfterMs);
    });
  },
);

describe('the answer of the service that OpenCode passes on', () => {
  const refused = (message: string, responseBody: string) =>
    failureOf(opencode, {
      type: 'error',
      error: { name: 'APIError', data: { message, statusCode: 429, responseBody } },
    });

  test('is a temporary limit if it contains a duration', () => {
    const body = '{"error":{"code":429,"details":[{"retryDelay":"34s"}]}}';
    const plan = 'You exceeded your current quota, please check your plan and billing details.';
    expect(refused(plan, body)?.kind).toBe('rate-limit');
    expect(refused(plan, '{}')?.kind).toBe('auth');
    expect(refused(google, body)).toMatchObject({ kind: 'rate-limit', retryAfterMs: 34_070 });
  });
});
