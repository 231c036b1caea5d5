/**
 * What each CLI says of each thing that goes wrong, and what is made of it: provider × situation → kind of
 * failure, waited out or not, and for how long. From transcripts of the real CLIs; Cursor's are written by its
 * documentation, as the CLI could not be had.
 */
import { describe, expect, test } from 'vitest';
import { nextWaitMs } from '../../src/engine/limits/backoff.js';
import type { FailureKind } from '../../src/failure.js';
import { providers } from '../../src/providers/provider-registry.js';
import { readTranscript } from './read-transcript.js';
import { type Transcript, transcriptsOf } from './transcripts.js';

interface Expected {
  readonly kind: FailureKind;
  /** Whether the engine waits and tries again. */
  readonly waits?: true;
  /** Whether no other attempt is made whatever the step says. */
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
  quota: { kind: 'auth' },
  model: { kind: 'crash', isFinal: true },
  'max-turns': { kind: 'guard' },
  refused: 'no failure',
  killed: { kind: 'protocol' },
  'cut-stream': { kind: 'overloaded', waits: true },
  'no-network': { kind: 'overloaded', waits: true },
};

/** Codex and OpenCode have no limit of turns of their own; what Cursor has is not known. */
const missingScenarios: Readonly<Record<string, readonly string[]>> = {
  codex: ['max-turns'],
  opencode: ['max-turns'],
  cursor: ['max-turns', 'refused'],
};

/** Qwen Code asks the model itself to go on where its answer broke off (0.24.4). */
const recoveredScenarios: Readonly<Record<string, readonly string[]>> = { qwen: ['cut-stream'] };

/** How long the service asked to wait, where the CLI passes it on. The mock service said 2 s. */
const expectedWaits: Readonly<Record<string, [number, number] | undefined>> = {
  // It waits by itself, by 2 s and a part at random, and tells how long.
  claude: [2000, 3000],
  gemini: [2000, 2000],
  qwen: [2000, 2000],
  opencode: [2000, 2000],
  // "exceeded retry limit, last status: 429 Too Many Requests" is all it says (0.169.0).
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

  test('passes on how long the service asks to wait', () => {
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

  test('says what to do about a model that is not there', () => {
    for (const transcript of transcripts.filter(({ scenario }) => scenario === 'model'))
      expect(failureIn(transcript)?.message).toContain('name another one');
  });
});
