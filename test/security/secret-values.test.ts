import { describe, expect, it } from 'vitest';
import { filterEnvironment } from '../../src/security/filter-environment.js';
import { secretsOf } from '../../src/security/job-secrets.js';
import { createRedactor } from '../../src/security/redact.js';
import { isSecretVariable } from '../../src/security/secret-names.js';
import { secretsIn } from '../../src/security/secret-values.js';
import { providers } from './sample-providers.js';
import { ordinaryVariables, unnamedSecrets } from './unnamed-secrets.js';

describe('a credential whose name says nothing', () => {
  it.each(unnamedSecrets)('in %s is withheld and redacted', (name, value, secret) => {
    const environment = { [name]: value };
    expect(filterEnvironment({ environment, providers, passEnv: [] })).toEqual({ env: {}, withheld: [name] });
    expect(filterEnvironment({ environment, providers, passEnv: [name] }).env).toEqual(environment);
    const redact = createRedactor(secretsOf(environment, providers, { stateKeys: [] }));
    expect(redact(`(${secret})`)).toBe('(***)');
  });

  it('hides only the secret parts of its value', () => {
    const value = 'postgres://app:CANARY-pw-0123456789@db.example.com:5432/app';
    const secrets = secretsOf({ DATABASE_URL: value }, providers, { stateKeys: [] });
    expect(createRedactor(secrets)(value)).toBe('postgres://app:***@db.example.com:5432/app');
  });
});

describe('an ordinary variable', () => {
  it.each(Object.entries(ordinaryVariables))('%s is passed, and nothing of it is redacted', (name, value) => {
    const environment = { [name]: value };
    expect(filterEnvironment({ environment, providers, passEnv: [] }).withheld).toEqual([]);
    expect(secretsOf(environment, providers, { stateKeys: [] })).toEqual([]);
  });

  it('of this machine has no secret in its value', () => {
    const ordinary = Object.entries(process.env).filter(([name]) =>
      /^(?:PATH|HOME|npm_config_user_agent)$/.test(name),
    );
    for (const [name, value = ''] of ordinary) expect(isSecretVariable(name, value), name).toBe(false);
  });
});

describe('secretsIn', () => {
  it.each([
    ['postgres://app:short@localhost/app', []],
    ['postgres://app:short@db/app', ['short']],
    ['Server=localhost;Password=short', []],
    ['Server=db;Password="with space"', ['with space']],
    ['postgres://app:p%40ss@db/app', ['p%40ss', 'p@ss']],
    ['https://hooks.slack.com/services/T0/B0/x', ['/services/T0/B0/x']],
    ['{"auth":"***-masked"}', ['***-masked']],
    ['{"token":"********"}', []],
  ])('of %s are %j', (value, parts) => expect(secretsIn(value)).toEqual(parts));

  it('takes linear time for a long value', () => {
    for (const text of [
      'a:',
      'a@',
      '"a":"',
      'eyJ',
      'sk-',
      'token=',
      '-----BEGIN PRIVATE KEY-----',
      'a/',
      ' ',
    ])
      expect(secretsIn(text.repeat(50_000)).length).toBeLessThan(100_000);
  });
});
