import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findCredential, sealingCredentials, staticVariables } from '../../src/security/credentials.js';
import { isPlaceholder } from '../../src/security/placeholder.js';
import { holds } from '../fakes/holds.js';
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
  const variables = staticVariables(providers);

  it('returns static credentials of at least 20 characters, sorted by variable', () => {
    const environment = {
      OPENAI_API_KEY: 'sk-Vd3Yk6Pf1Jc8Mw5Gx2Tb',
      CODEX_API_KEY: 'Vd3Yk6Pf1Jc8Mw5Gx2T',
      ANTHROPIC_API_KEY: ' sk-ant-Zt5Wq8Lm2Xv7Kb4Rn9Hs\n',
      ANTHROPIC_AUTH_TOKEN: 'Hr6Nc3Zx9Vb1Qm7Ks4LdHr6Nc3',
    };
    expect(sealingCredentials(environment, variables)).toEqual([
      { variable: 'ANTHROPIC_API_KEY', value: 'sk-ant-Zt5Wq8Lm2Xv7Kb4Rn9Hs' },
      { variable: 'OPENAI_API_KEY', value: 'sk-Vd3Yk6Pf1Jc8Mw5Gx2Tb' },
    ]);
    expect(sealingCredentials(environment, ['OPENAI_API_KEY'])).toHaveLength(1);
  });

  it('ignores the path of a credential', () => {
    expect(sealingCredentials({ OPENAI_API_KEY: '/run/secrets/openai/key' }, variables)).toEqual([]);
  });

  it.each([
    'sk-no-key-required-local',
    'sk-no-key-required-00000000',
    'not-needed-for-the-local-model',
    'dummy-7Hq2mZ9vKp4Ws1Lx8Tn3Rb6',
    'your-api-key-goes-here-please',
    'sk-this-is-a-secret-of-my-team',
    'correct horse battery staple again',
    'ollama-local-server-2026-token',
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    '12121212121212121212121212',
    'xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx',
    'LM_STUDIO_LOCAL_API_TOKEN',
  ])('ignores the placeholder %s', (value) => {
    expect(sealingCredentials({ OPENAI_API_KEY: value }, variables)).toEqual([]);
  });

  it('takes random keys of every usual form', () => {
    // The generator prefers small numbers, which no real key consists of.
    const bytes = fc
      .tuple(fc.string(), fc.integer({ min: 24, max: 64 }))
      .map(([seed, length]) => createHash('sha512').update(seed).digest().subarray(0, length));
    const forms = [
      (buffer: Buffer) => `sk-ant-api03-${buffer.toString('base64url')}`,
      (buffer: Buffer) => `sk-proj-${buffer.toString('base64')}`,
      (buffer: Buffer) => buffer.toString('hex'),
      (buffer: Buffer) => `key_${buffer.toString('hex')}`,
      (buffer: Buffer) => `AIza${buffer.toString('base64url').slice(0, 35)}`,
    ];
    holds(
      fc.property(bytes, fc.constantFrom(...forms), (buffer, form) => {
        expect(isPlaceholder(form(buffer))).toBe(false);
      }),
      200,
    );
    expect(isPlaceholder('5f1c0a9e-7b3d-4e62-8c15-d09f2a6b47e3')).toBe(false);
  });
});
