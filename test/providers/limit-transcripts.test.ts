/**
 * Usage limits in the words of each CLI, from recordings of the real ones and from public reports (`source` in each
 * fixture): the failure is of kind `rate-limit`, with the time at which the service accepts requests again.
 */
import { describe, expect, test } from 'vitest';
import { providers } from '../../src/providers/provider-registry.js';
import { readRecorded, type Transcript, transcriptsOf } from './transcripts.js';

/** Name → the time, or `none` if the CLI says none that can be read. */
const expectedTimes: Readonly<Record<string, string>> = {
  'claude 1.0.24.limit-epoch': '2025-06-14T18:00:00Z',
  'claude 1.0.58.limit-sentence': '2025-12-22T15:00:00Z',
  'claude 2.0.0.limit-no-zone': '2025-10-04T14:00:00Z',
  'claude 2.0.55.limit-weekly': '2025-12-02T16:00:00Z',
  'claude 2.1.120.limit-event': '2026-05-12T06:00:00Z',
  'claude 2.1.201.limit-session': '2026-07-04T07:50:00Z',
  'claude 2.1.218.limit-weekly': '2026-07-26T23:00:00Z',
  'claude 2.1.330.limit': '2026-11-29T09:05:00Z',
  'claude 2.1.330.limit-api-key': 'none',
  'claude 2.1.330.limit-weekly': '2026-12-02T06:11:00Z',
  'codex 0.39.0.limit-duration': '2025-09-25T06:11:00Z',
  'codex 0.98.0.limit-body': '2026-05-04T23:16:08Z',
  'codex 0.98.0.limit-later': 'none',
  'codex 0.98.0.limit-zone': '2026-07-23T08:15:00Z',
  'codex 0.169.0.limit': '2026-11-29T08:58:00Z',
  'codex 0.169.0.limit-days': '2026-12-02T06:11:00Z',
  'codex 0.169.0.limit-waits': '2026-11-29T08:58:24Z',
  'gemini 0.33.1.limit-clock': '2026-03-14T01:57:00Z',
  'gemini 0.36.0.limit-capacity': '2026-04-06T08:34:16Z',
  'gemini 0.61.0.limit': '2026-11-29T08:58:47.500Z',
  'gemini 0.61.0.limit-daily': '2026-11-29T08:00:00Z',
  'gemini 0.61.0.limit-waits': '2026-11-29T08:58:40Z',
  'qwen 0.24.4.limit': '2026-12-01T09:18:00Z',
  'opencode 1.18.33.limit': '2026-11-28T18:00:00.500Z',
  'opencode 1.18.33.limit-date': '2026-11-28T18:00:00Z',
  'opencode 1.18.33.limit-waits': '2026-11-29T09:00:47Z',
  'cursor documented.limit': '2026-11-28T17:59:58Z',
  'cursor documented.limit-day': 'none',
};

const limits = providers.flatMap((provider) =>
  transcriptsOf(provider).flatMap((transcript) =>
    transcript.scenario.startsWith('limit')
      ? [[`${provider.id} ${transcript.name}`, provider, transcript] as const]
      : [],
  ),
);

/** A CLI that waits was stopped for its recording: then its last event has the failure. */
function failureOf(provider: (typeof providers)[number], transcript: Transcript) {
  const { events, outcome } = readRecorded(provider, transcript);
  const refusals = events.flatMap((event) => (event.type === 'refused' ? event : []));
  if (transcript.scenario !== 'limit-waits') return outcome.failure;
  expect(refusals.every(({ isWaiting }) => isWaiting)).toBe(true);
  return refusals.at(-1)?.failure;
}

describe('a usage limit', () => {
  test.each(limits)('%s', (name, provider, transcript) => {
    const failure = failureOf(provider, transcript);
    expect(failure?.kind).toBe('rate-limit');
    const time = failure?.acceptsAgainAt;
    const expected = expectedTimes[name] ?? '';
    expect(time === undefined ? 'none' : time).toBe(expected === 'none' ? 'none' : Date.parse(expected));
    const now = transcript.expected.time?.now ?? 0;
    expect(failure?.retryAfterMs).toBe(time === undefined ? undefined : time - now);
  });

  test('every CLI has one, with its source', () => {
    expect(limits.map(([name]) => name).sort()).toEqual(Object.keys(expectedTimes).sort());
    expect(new Set(limits.map(([, { id }]) => id))).toEqual(new Set(providers.map(({ id }) => id)));
    for (const [, , { expected }] of limits) expect(expected.source).toMatch(/\w+ .*\.$/);
  });
});
