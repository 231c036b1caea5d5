import { describe, expect, it } from 'vitest';
import { findCredential, sealingCredentials } from '../../src/security/credentials.js';
import { claude as claudeRow, providers } from './sample-providers.js';

const claude = {
  ...claudeRow,
  sessionFiles: {
    home: { variable: 'CLAUDE_CONFIG_DIR', folder: '.claude' },
    patterns: () => [],
    restorePath: (file: string) => file,
  },
};

function find(environment: Record<string, string>, files: Record<string, string> = {}) {
  return findCredential(claude, {
    environment: { HOME: '/home/runner', ...environment },
    directory: '/work/repo',
    fileContains: (path, text) => files[path]?.includes(text ?? '') ?? false,
  });
}

describe('findCredential', () => {
  it('finds a variable first', () => {
    expect(find({ ANTHROPIC_API_KEY: 'k', CLAUDE_CODE_USE_BEDROCK: '1' })).toEqual({
      source: 'variable',
      name: 'ANTHROPIC_API_KEY',
    });
  });

  it('ignores an empty variable', () => {
    expect(find({ ANTHROPIC_API_KEY: '' })).toBeUndefined();
    expect(find({ ANTHROPIC_API_KEY: ' \n' })).toBeUndefined();
  });

  it('finds an enabled gateway', () => {
    expect(find({ CLAUDE_CODE_USE_VERTEX: 'true' })).toEqual({
      source: 'gateway',
      name: 'CLAUDE_CODE_USE_VERTEX',
    });
    expect(find({ CLAUDE_CODE_USE_VERTEX: '0' })).toBeUndefined();
  });

  it('finds a login file below HOME, or in the home that the variable names', () => {
    const text = '{"accessToken":"x"}';
    const login = (name: string) => ({ source: 'login', name });
    const usual = '/home/runner/.claude/.credentials.json';
    expect(find({}, { [usual]: text })).toEqual(login(usual));
    expect(find({ CLAUDE_CONFIG_DIR: '/elsewhere' }, { [usual]: text })).toBeUndefined();
    const moved = '/work/repo/cfg/.credentials.json';
    expect(find({ CLAUDE_CONFIG_DIR: 'cfg' }, { [moved]: text })).toEqual(login(moved));
  });

  it('ignores a login file without the expected text', () => {
    expect(find({}, { '/home/runner/.claude/.credentials.json': '{}' })).toBeUndefined();
  });
});

describe('sealingCredentials', () => {
  it('returns static credentials of at least 20 characters, sorted by variable', () => {
    const environment = {
      OPENAI_API_KEY: 'openai-key-of-20-char',
      CODEX_API_KEY: 'nineteen-characters',
      ANTHROPIC_API_KEY: ' anthropic-key-20-char\n',
      ANTHROPIC_AUTH_TOKEN: 'a-session-token-that-is-long-enough',
    };
    expect(sealingCredentials(environment, providers)).toEqual([
      { variable: 'ANTHROPIC_API_KEY', value: 'anthropic-key-20-char' },
      { variable: 'OPENAI_API_KEY', value: 'openai-key-of-20-char' },
    ]);
  });

  it('ignores the path of a credential', () => {
    expect(sealingCredentials({ OPENAI_API_KEY: '/run/secrets/openai/key' }, providers)).toEqual([]);
  });
});
