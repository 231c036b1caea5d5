/**
 * The messages of each CLI for each problem, and their result: provider × situation → kind of failure, whether the
 * engine waits, and for how long. From transcripts of the real CLIs. Those of Cursor follow its documentation,
 * because the CLI was unavailable.
 */
import { describe, expect, test } from 'vitest';
import { nextWaitMs } from '../../src/engine/limits/backoff.js';
import type { FailureKind } from '../../src/failure.js';
import { classifyFailure, quotaPatterns } from '../../src/providers/exit-failures.js';
import { providers } from '../../src/providers/provider-registry.js';
import { readTranscript } from './read-transcript.js';
import { type Transcript, transcriptsOf } from './transcripts.js';

interface Expected {
  readonly kind: FailureKind;
  /** Whether the engine waits and retries. */
  readonly waits?: true;
  /** Whether the step gets no further attempt, whatever its retry policy. */
  readonly isFinal?: true;
}

const expectedFailures: Readonly<Record<string, Expected | 'no failure'>> = {
  401: { kind: 'auth' },
  403: { kind: 'auth' },
  429: { kind: 'rate-limit', waits: true },
  '429-silent': { kind: 'rate-limit', waits: true },
  500: { kind: 'overloaded', waits: true },
  529: { kind: 'overloaded', waits: true },
  context: { kind: 'context' },
  conversation: { kind: 'context' },
  quota: { kind: 'auth' },
  model: { kind: 'crash', isFinal: true },
  'max-turns': { kind: 'guard' },
  refused: 'no failure',
  killed: { kind: 'protocol' },
  'cut-stream': { kind: 'overloaded', waits: true },
  'no-network': { kind: 'overloaded', waits: true },
};

/** Codex and OpenCode have no limit of turns of their own; for Cursor this is unknown. */
const missingScenarios: Readonly<Record<string, readonly string[]>> = {
  codex: ['max-turns'],
  opencode: ['max-turns'],
  cursor: ['max-turns', 'refused'],
};

/** Qwen Code itself makes the model continue an incomplete answer (0.24.4). */
const recoveredScenarios: Readonly<Record<string, readonly string[]>> = { qwen: ['cut-stream'] };

/** The wait that the service requests, if the CLI passes it on. The mock service requests 2 s. */
const expectedWaits: Readonly<Record<string, [number, number] | undefined>> = {
  // It waits by itself, for 2 s and a random part, and reports how long.
  claude: [2000, 3000],
  gemini: [2000, 2000],
  qwen: [2000, 2000],
  opencode: [2000, 2000],
  // "exceeded retry limit, last status: 429 Too Many Requests" is its whole message (0.169.0).
  codex: undefined,
  cursor: undefined,
};

function lastOf(transcripts: readonly Transcript[], scenario: string): Transcript | undefined {
  return transcripts.findLast((transcript) => transcript.scenario === scenario);
}

describe.each(providers.map((provider) => [provider.id, provider] as const))('%s', (id, provider) => {
  const transcripts = transcriptsOf(provider);
  const failureIn = ({ lines, expected }: Transcript) =>
    readTranscript(provider, lines, expected.exit, expected.before).outcome.failure;

  test('has a transcript of every situation', () => {
    const missing = Object.keys(expectedFailures).filter(
      (scenario) => lastOf(transcripts, scenario) === undefined,
    );
    expect(missing).toEqual([...(missingScenarios[id] ?? [])]);
  });

  const rows = transcripts.filter(({ scenario }) => Object.hasOwn(expectedFailures, scenario));

  test.each(rows.map((transcript) => [transcript.name, transcript] as const))('%s', (_name, transcript) => {
    const failure = failureIn(transcript);
    const expected = recoveredScenarios[id]?.includes(transcript.scenario)
      ? 'no failure'
      : expectedFailures[transcript.scenario];
    if (expected === 'no failure' || expected === undefined) return expect(failure).toBeUndefined();
    if (failure === undefined) throw new Error('There is no failure.');
    expect(failure.kind).toBe(expected.kind);
    expect(failure.isFinal).toBe(expected.isFinal);
    expect(failure.message).not.toBe('');
    const ms = nextWaitMs({ failure, waits: 0, waitedMs: 0, jitter: 0 });
    expect(ms !== undefined).toBe(expected.waits === true);
  });

  test('passes on the wait that the service requests', () => {
    const range = expectedWaits[id];
    for (const transcript of transcripts.filter(({ scenario }) => scenario === '429')) {
      const retryAfterMs = failureIn(transcript)?.retryAfterMs;
      if (range === undefined) return expect(retryAfterMs).toBeUndefined();
      expect(retryAfterMs).toBeGreaterThanOrEqual(range[0]);
      expect(retryAfterMs).toBeLessThanOrEqual(range[1]);
    }
    const silent = transcripts.filter(({ scenario }) => scenario === '429-silent');
    for (const transcript of silent) expect(failureIn(transcript)?.retryAfterMs).toBeUndefined();
  });

  test('a refused conversation is distinct from a full one', () => {
    for (const transcript of transcripts.filter(({ scenario }) => scenario === 'conversation'))
      expect(failureIn(transcript)?.message).toContain('the next attempt gets a new session');
    for (const transcript of transcripts.filter(({ scenario }) => scenario === 'context'))
      expect(failureIn(transcript)?.message).not.toContain('the next attempt gets a new session');
  });

  test('explains how to fix an unknown model', () => {
    for (const transcript of transcripts.filter(({ scenario }) => scenario === 'model'))
      expect(failureIn(transcript)?.message).toContain('Set a different model');
  });
});

test('a very long message of a service is read in the time of a short one', () => {
  const page = 'limit quota 429 '.repeat(100_000);
  expect(classifyFailure(`rate limit reached. ${page}`, quotaPatterns).kind).toBe('rate-limit');
  expect(classifyFailure(`${page} try again in`, quotaPatterns).kind).toBe('crash');
});
