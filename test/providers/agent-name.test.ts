import { describe, expect, test } from 'vitest';
import { readAgentName } from '../../src/providers/agent-name.js';
import { claude } from '../../src/providers/claude.js';
import { findProvider, providers } from '../../src/providers/provider-registry.js';

const read = (name: string) => {
  const agent = readAgentName(name);
  return agent.status === 'known' ? [agent.provider.id, agent.model] : agent.status;
};

test.each([
  ['claude', ['claude', undefined]],
  ['claude-haiku', ['claude', 'haiku']],
  ['claude-haiku-4-5', ['claude', 'claude-haiku-4-5-20251001']],
  ['claude-opus-4-6', ['claude', 'claude-opus-4-6']],
  ['claude-opus[1m]', ['claude', 'opus[1m]']],
  ['codex', ['codex', undefined]],
  ['codex-gpt54-mini', ['codex', 'gpt-5.4-mini']],
  ['codex-gpt-6.1-sol', ['codex', 'gpt-6.1-sol']],
  ['claude-', ['claude', undefined]],
  ['claude-constructor', ['claude', 'constructor']],
])('%s', (name, expected) => {
  expect(read(name)).toEqual(expected);
});

describe('an unknown provider', () => {
  test('is reported with the valid names', () => {
    expect(readAgentName('clawd-haiku')).toMatchObject({
      status: 'unknown',
      provider: 'clawd',
      known: providers.map(({ id }) => id),
      message: expect.stringContaining('unknown provider `clawd` in agent `clawd-haiku`'),
    });
  });

  test.each(['', '-haiku', 'Claude', 'toString'])('is every text like "%s"', (name) => {
    expect(read(name)).toBe('unknown');
  });
});

describe('a model that is not a name', () => {
  // With a space between option and value, some CLIs take a value that begins with `-` for an option.
  test.each([
    'qwen---allowed-tools=run_shell_command',
    'claude--p',
    'claude- haiku',
    'claude-haiku --dangerously-skip-permissions',
    'claude-haiku\n--resume',
    'codex-$(id)',
    'opencode-=x',
    'gemini-ﬁne',
  ])('is refused in %j', (name) => {
    expect(readAgentName(name)).toMatchObject({
      status: 'unknown',
      message: expect.stringContaining('is not a model name. A model name begins with a letter or a digit'),
    });
  });

  test.each(providers.map(({ id }) => id))('names with all allowed characters are known to %s', (id) => {
    expect(read(`${id}-us.anthropic/claude_x-v1:0@2[1m]`)).toEqual([id, 'us.anthropic/claude_x-v1:0@2[1m]']);
  });
});

test('a further row in the table adds a provider', () => {
  const table = [...providers, { ...claude, id: 'made', models: { fast: undefined } }];
  expect(findProvider('made')).toBeUndefined();
  expect(findProvider('made', table)?.id).toBe('made');
  expect(readAgentName('made-fast', table)).toEqual({ status: 'known', provider: table.at(-1) });
});
