/** "Did you mean" for agent names, from the table of providers. */
import { describe, expect, it } from 'vitest';
import { providers } from '../../src/providers/provider-registry.js';
import { suggestAgent, suggestModel } from '../../src/workflow/agent-hints.js';

describe('an unknown agent name', () => {
  it.each([
    // A model without its provider.
    ['sonnet', 'claude-sonnet'],
    ['opus', 'claude-opus'],
    ['haiku', 'claude-haiku'],
    ['opus-4-6', 'claude-opus-4-6'],
    ['sonnet-5', 'claude-sonnet-5'],
    ['gpt-5', 'codex-gpt-5'],
    ['gpt-5.4', 'codex-gpt54'],
    ['gpt54', 'codex-gpt54'],
    ['gpt', 'codex'],
    ['chatgpt', 'codex'],
    ['o3', 'codex-o3'],
    ['o4-mini', 'codex-o4-mini'],
    ['flash', 'gemini-flash'],
    ['pro', 'gemini-pro'],
    ['flash-lite', 'gemini-flash-lite'],
    ['coder', 'qwen-coder'],
    ['composer-1', 'cursor-composer-1'],
    // Another separator or another case.
    ['claude_haiku', 'claude-haiku'],
    ['claude haiku', 'claude-haiku'],
    ['claude:haiku', 'claude-haiku'],
    ['claude/haiku', 'claude-haiku'],
    ['claude.haiku', 'claude-haiku'],
    ['claudehaiku', 'claude-haiku'],
    ['Claude-Haiku', 'claude-haiku'],
    ['codex_gpt_5.4', 'codex-gpt-5.4'],
    ['qwen3-coder', 'qwen-coder'],
    ['gemini_flash_lite', 'gemini-flash-lite'],
    // A maker or a service in front, or a product.
    ['anthropic/claude-haiku', 'claude-haiku'],
    ['anthropic/claude-sonnet-4-6', 'claude-sonnet-4-6'],
    ['anthropic', 'claude'],
    ['openai', 'codex'],
    ['openai/gpt-5', 'codex-gpt-5'],
    ['google', 'gemini'],
    ['google/gemini-flash', 'gemini-flash'],
    ['groq/llama-3.3-70b', 'opencode-groq/llama-3.3-70b'],
    ['Claude Code', 'claude'],
    ['claude_code', 'claude'],
    ['gemini_cli', 'gemini'],
    ['cursor_agent', 'cursor'],
    // Typing errors.
    ['cluade-haiku', 'claude-haiku'],
    ['cluade-hiaku', 'claude-haiku'],
    ['gemni', 'gemini'],
    ['sonet', 'claude-sonnet'],
    ['hiaku', 'claude-haiku'],
    ['claude_hiaku', 'claude-haiku'],
    ['open-code', 'opencode'],
  ])('%s probably means %s', (name, meant) => {
    expect(suggestAgent(name)).toBe(meant);
  });

  it.each(['', 'llama', 'x', 'foo-bar', 'gp', 'the best one', '/', 'a/b'])('%j has no suggestion', (name) => {
    expect(suggestAgent(name)).toBeUndefined();
  });

  it('is never suggested again, and every suggestion begins with a provider', () => {
    for (const { models, families = [], id } of providers)
      for (const word of [...Object.keys(models), ...families]) {
        if (providers.some((provider) => provider.id === word)) continue;
        const found = suggestAgent(word);
        expect(found).not.toBe(word);
        expect(found?.split('-')[0], `${id} ${word}`).toSatisfy((one: string) =>
          providers.some((provider) => provider.id === one),
        );
      }
  });
});

describe('a known provider', () => {
  it.each([
    ['claude-hiaku', 'claude-haiku'],
    ['claude-sonet', 'claude-sonnet'],
    ['claude-hiaku-4-5', 'claude-haiku-4-5'],
    ['claude-code', 'claude'],
    ['codex-gtp-5.4', 'codex-gpt-5.4'],
    ['codex-cli', 'codex'],
    ['gemini-falsh', 'gemini-flash'],
    ['gemini-25-falsh', 'gemini-25-flash'],
    ['qwen-codr', 'qwen-coder'],
    ['cursor-sonet', 'cursor-sonnet'],
    ['opencode-antropic/claude-haiku-4-5', 'opencode-anthropic/claude-haiku-4-5'],
    ['opencode-opnai/gpt-5', 'opencode-openai/gpt-5'],
  ])('with a misspelled model, %s, probably means %s', (name, meant) => {
    expect(suggestModel(name)).toBe(meant);
  });

  it.each([
    'claude',
    'claude-haiku-4-6',
    'claude-haiku-5',
    'claude-claude-opus-5-20270101',
    'claude-opusplan',
    'claude-sonnet[1m]',
    'claude-fable-1',
    'codex-gpt-6',
    'codex-mini',
    'codex-o5-pro',
    'gemini-4-pro',
    'gemini-nano',
    'qwen-max',
    'qwen-qwen4-coder-next',
    'cursor-auto',
    'cursor-grok-5',
    'opencode-my-service/my-model',
    'opencode-openai/gpt-5.4',
    'opencode-moonshotai/kimi-k3',
  ])('%s may be a model that is not listed', (name) => {
    expect(suggestModel(name)).toBeUndefined();
  });

  it('has no suggestion for any name in the table', () => {
    for (const { id, models } of providers)
      for (const model of Object.entries(models).flat())
        if (model !== undefined) expect(suggestModel(`${id}-${model}`)).toBeUndefined();
  });
});
