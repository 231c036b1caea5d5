import { describe, expect, it } from 'vitest';
import { missingArtifacts } from '../../src/artifacts/artifact-availability.js';
import { readRuntimeToken } from '../../src/artifacts/runtime-token.js';

function jwt(claims: object): string {
  return `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.y`;
}

const scp = 'Actions.ExampleScope Actions.Results:ce7f54c7-61c7:ca395085-040a';

describe('the token of the runner', () => {
  it.each([
    ['[{"Scope":"refs/heads/main","Permission":3}]', true, true],
    ['[{"Scope":"refs/heads/main","Permission":1}]', true, false],
    ['[{"Scope":"refs/heads/main","Permission":2}]', false, true],
    ['[{"Scope":"refs/heads/x","Permission":2},{"Scope":"refs/heads/main","Permission":1}]', true, true],
    ['[]', false, false],
  ])('with the scopes %s: readable %s, writable %s', (ac, isReadable, isWritable) => {
    expect(readRuntimeToken(jwt({ scp, ac }))).toEqual({
      hasResults: true,
      cache: { isReadable, isWritable },
    });
  });

  it.each([{}, { ac: 3 }, { ac: 'no JSON' }, { ac: '{}' }, { ac: '[{"Scope":"x"}]' }, { ac: '[null]' }])(
    'says nothing about the cache with the claims %j',
    (claims) => expect(readRuntimeToken(jwt({ scp, ...claims }))).toEqual({ hasResults: true }),
  );

  it.each([undefined, '', 'opaque', 'a.b.c', `a.${Buffer.from('3').toString('base64url')}.c`])(
    'is none if it is %j',
    (token) => expect(readRuntimeToken(token)).toBeUndefined(),
  );
});

describe('artifacts', () => {
  const github = {
    GITHUB_SERVER_URL: 'https://github.com',
    ACTIONS_RESULTS_URL: 'https://results.example/',
    ACTIONS_RUNTIME_TOKEN: jwt({ scp }),
  };

  it.each([{}, { GITHUB_SERVER_URL: undefined }, { GITHUB_SERVER_URL: 'https://company.ghe.com' }])(
    'are available with %j',
    (change) => expect(missingArtifacts({ ...github, ...change })).toBeUndefined(),
  );

  it.each([
    [{ GITHUB_SERVER_URL: 'https://github.company.example' }, 'only GitHub.com and GHE.com'],
    [{ GITHUB_SERVER_URL: 'https://codeberg.org' }, 'only GitHub.com and GHE.com'],
    [{ ACT: 'true' }, 'only GitHub.com and GHE.com'],
    [{ ACTIONS_RESULTS_URL: '' }, 'no artifact service'],
    [{ ACTIONS_RUNTIME_TOKEN: undefined }, 'no artifact service'],
    [{ ACTIONS_RUNTIME_TOKEN: 'opaque' }, 'no artifact service'],
    [{ ACTIONS_RUNTIME_TOKEN: jwt({ scp: 'Actions.Results:run' }) }, 'no artifact service'],
  ])('are missing with %j', (change, why) => {
    expect(missingArtifacts({ ...github, ...change })).toContain(why);
  });
});
