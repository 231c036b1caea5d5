import { describe, expect, it } from 'vitest';
import { secretsOf } from '../../src/security/job-secrets.js';
import { createRedactor } from '../../src/security/redact.js';
import { providers } from './sample-providers.js';

const none = { stateKeys: [] };

describe('secretsOf', () => {
  it('returns the credentials of all providers, the inputs and the tokens of the job', () => {
    const environment = {
      ANTHROPIC_API_KEY: 'anthropic-key-0001',
      ANTHROPIC_AUTH_TOKEN: 'anthropic-token-01',
      OPENAI_API_KEY: 'openai-key-0000001',
      ACTIONS_RUNTIME_TOKEN: 'runtime-token-0001',
      GH_TOKEN: 'gh-token-000000001',
    };
    const inputs = {
      stateKeys: ['state-key-line-one-1', 'state-key-line-two-2'],
      githubToken: 'ghs_0000000000000001',
    };
    expect([...secretsOf(environment, providers, inputs)].sort()).toEqual(
      [...Object.values(environment), ...inputs.stateKeys, inputs.githubToken].sort(),
    );
  });

  it('returns values of variables with secret names only', () => {
    const environment = {
      NPM_TOKEN: 'npm_abcdefghijklmnop',
      GREETING: 'good morning everybody',
      SHORT_KEY: 'fifteen-letters',
    };
    expect(secretsOf(environment, providers, none)).toEqual(['npm_abcdefghijklmnop']);
  });

  it('ignores paths and plain URLs, which are in many log lines', () => {
    const environment = {
      KEY_FILE: '/home/runner/.config/key',
      TOKEN_PATH: '~/.config/some/token',
      SECRET_DIR: './secrets/of/the/project',
      KEY_SERVER: 'https://keys.example.com/pks/lookup',
    };
    expect(secretsOf(environment, providers, none)).toEqual([]);
  });

  it('returns a static credential or a state key even if it looks like a path', () => {
    const environment = { OPENAI_API_KEY: '/abcdefg/hijklmnopq' };
    expect(secretsOf(environment, providers, { stateKeys: ['/ab/cdefghijklmnopqrs'] })).toEqual([
      '/ab/cdefghijklmnopqrs',
      '/abcdefg/hijklmnopq',
    ]);
  });

  it('returns base64 that begins with a slash', () => {
    const environment = { AWS_SECRET_ACCESS_KEY: '/wJalrXUtnFEMI+K7MDENG/bPxRfiCYEXAMPLEKEY' };
    expect(secretsOf(environment, providers, none)).toEqual([environment.AWS_SECRET_ACCESS_KEY]);
  });

  it('returns passwords in URLs, encoded and decoded', () => {
    const environment = { DATABASE: 'postgres://app:pass%2Fword-0123456@db.example.com/app' };
    expect(secretsOf(environment, providers, none)).toEqual(['pass%2Fword-0123456', 'pass/word-0123456']);
  });

  it('returns a webhook URL without its host', () => {
    const environment = { SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T0/B0/abcdefghij' };
    const secrets = secretsOf(environment, providers, none);
    expect(secrets).toEqual(['/services/T0/B0/abcdefghij']);
    expect(createRedactor(secrets)(environment.SLACK_WEBHOOK_URL)).toBe('https://hooks.slack.com***');
  });

  it('returns a secret with several lines as a whole and line by line, so that a single line is redacted', () => {
    const body = ['MIIEvQIBADANBgkqhkiG9w0BAQEFAASC', 'BKcwggSjAgEAAoIBAQDIw2H0yB4hBh8P'];
    const pem = ['-----BEGIN PRIVATE KEY-----', ...body, '-----END PRIVATE KEY-----', ''].join('\r\n');
    const secrets = secretsOf({ DEPLOY_KEY: pem }, providers, none);
    expect(secrets).toContain(pem.trim());
    for (const line of body) {
      expect(secrets).toContain(line);
      expect(createRedactor(secrets)(`| ${line} |`)).toBe('| *** |');
    }
  });

  it('returns each secret once', () => {
    const environment = { GITHUB_TOKEN: 'ghs_0000000000000001', GH_TOKEN: 'ghs_0000000000000001' };
    expect(
      secretsOf(environment, providers, { stateKeys: [], githubToken: 'ghs_0000000000000001' }),
    ).toHaveLength(1);
  });
});
