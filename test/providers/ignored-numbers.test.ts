/** Numbers that cannot be true: a CLI has an error, or something else prints its lines. They do not count. */
import { describe, expect, it } from 'vitest';
import type { Usage } from '../../src/providers/provider.js';
import { providers } from '../../src/providers/provider-registry.js';
import { readTranscript, transcriptTime } from './read-transcript.js';
import { transcriptsOf } from './transcripts.js';

/** The line with this text for each number of a usage or a cost. */
function withNumbers(line: string, number: string): string {
  const names =
    /("(?:\w*tokens?|input|output|cached?|read|write|reasoning|total|\w*cost\w*|inputTokens|outputTokens|cacheReadTokens|cacheWriteTokens)":)\d[\d.e-]*/gi;
  return line.replace(names, `$1${number}`);
}

const numbersOf = (usage: Usage) => Object.entries(usage).filter(([name]) => name !== 'turns');

describe.each(providers.map((provider) => [provider.id, provider] as const))('%s', (_id, provider) => {
  const transcripts = transcriptsOf(provider).filter(({ scenario }) =>
    ['success', 'tool', 'resume'].includes(scenario),
  );

  it.each(['-5', '-0.001', '1e300', '1e+400', '99999999999999999'])(
    '%s is ignored, and reported',
    (number) => {
      for (const { lines, expected } of transcripts) {
        const changed = lines.map((line) => withNumbers(line, number));
        const { outcome, events } = readTranscript(provider, changed, expected.exit, expected.before);
        expect(numbersOf(outcome.usage)).toEqual([]);
        expect(numbersOf(outcome.totals ?? {})).toEqual([]);
        expect(outcome.usage.turns).toBe(expected.outcome.usage.turns);
        for (const event of events)
          if (event.type === 'turn') expect(numbersOf(event.usage ?? {})).toEqual([]);
        expect(events.filter(({ type }) => type === 'ignored-number')).not.toEqual([]);
      }
    },
  );

  it('a real stream has no such number', () => {
    for (const { lines, expected } of transcriptsOf(provider)) {
      const { events } = readTranscript(provider, lines, expected.exit, expected.before);
      expect(events.filter(({ type }) => type === 'ignored-number')).toEqual([]);
    }
  });

  it('reads a line that is nested very deep', () => {
    const depth = 100_000;
    const line = `{"a":${'{"a":'.repeat(depth)}{"input_tokens":-1}${'}'.repeat(depth)}}`;
    expect(provider.createReader({}, transcriptTime).readLine(line)).toEqual([]);
  });
});
