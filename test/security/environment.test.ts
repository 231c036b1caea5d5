import { describe, expect, it } from 'vitest';
import { filterEnvironment } from '../../src/security/filter-environment.js';
import { claude, codex, providers } from './sample-providers.js';

const job = {
  PATH: '/usr/bin',
  HOME: '/home/runner',
  CI: 'true',
  GITHUB_SHA: 'abc',
  GITHUB_REPOSITORY: 'o/r',
  SSH_AUTH_SOCK: '/tmp/agent',
  PWD: '/work',
  ACTIONS_RUNTIME_TOKEN: 'x',
  ACTIONS_CACHE_URL: 'x',
  'INPUT_STATE-KEY': 'x',
  INPUT_WORKFLOW: 'x',
  STATE_saved: 'x',
  GITHUB_TOKEN: 'x',
  GH_TOKEN: 'x',
  GITHUB_OUTPUT: 'x',
  GITHUB_ENV: 'x',
  GITHUB_PATH: 'x',
  GITHUB_STATE: 'x',
  GITHUB_STEP_SUMMARY: 'x',
  ANTHROPIC_API_KEY: 'x',
  ANTHROPIC_BASE_URL: 'x',
  OPENAI_API_KEY: 'x',
  OPENAI_BASE_URL: 'x',
  AWS_REGION: 'x',
  AWS_SECRET_ACCESS_KEY: 'x',
  NPM_TOKEN: 'x',
  db_password: 'x',
  DEPLOY_PAT: 'x',
  SENTRY_DSN: 'x',
  DB_PASS: 'x',
  SLACK_WEBHOOK_URL: 'x',
};

const ordinary = [
  'PATH',
  'HOME',
  'CI',
  'GITHUB_SHA',
  'GITHUB_REPOSITORY',
  'SSH_AUTH_SOCK',
  'PWD',
  'AWS_REGION',
];
const neverPassed = [
  'ACTIONS_RUNTIME_TOKEN',
  'ACTIONS_CACHE_URL',
  'INPUT_STATE-KEY',
  'INPUT_WORKFLOW',
  'STATE_saved',
  'GITHUB_OUTPUT',
  'GITHUB_ENV',
  'GITHUB_PATH',
  'GITHUB_STATE',
  'GITHUB_STEP_SUMMARY',
];

function names(request: Partial<Parameters<typeof filterEnvironment>[0]>): string[] {
  return Object.keys(filterEnvironment({ environment: job, providers, passEnv: [], ...request }).env).sort();
}

describe('environmentFor', () => {
  it('gives a gate what is no secret, and no provider its variables', () => {
    expect(names({})).toEqual([...ordinary].sort());
  });

  it("gives an agent its own provider's variables and no other's", () => {
    expect(names({ provider: claude })).toEqual(
      [...ordinary, 'ANTHROPIC_API_KEY', 'ANTHROPIC_BASE_URL'].sort(),
    );
    expect(names({ provider: codex })).toEqual([...ordinary, 'OPENAI_API_KEY', 'OPENAI_BASE_URL'].sort());
  });

  it.each(['1', 'true', 'yes'])('gives the variables of a gateway whose switch is %j', (value) => {
    const environment = { ...job, CLAUDE_CODE_USE_BEDROCK: value };
    expect(names({ environment, provider: claude })).toContain('AWS_SECRET_ACCESS_KEY');
    expect(names({ environment, provider: codex })).not.toContain('AWS_SECRET_ACCESS_KEY');
    expect(names({ environment })).not.toContain('AWS_SECRET_ACCESS_KEY');
  });

  it.each(['', '0', 'false', 'FALSE', ' '])('keeps the gateway closed when its switch is %j', (value) => {
    const environment = { ...job, CLAUDE_CODE_USE_BEDROCK: value };
    expect(names({ environment, provider: claude })).not.toContain('AWS_SECRET_ACCESS_KEY');
  });

  it('hands on what pass-env names, and what its globs match', () => {
    expect(names({ passEnv: ['NPM_TOKEN'] })).toContain('NPM_TOKEN');
    const handed = names({ passEnv: ['*_P?T', 'db_*'] });
    expect(handed).toContain('DEPLOY_PAT');
    expect(handed).toContain('db_password');
    expect(handed).not.toContain('NPM_TOKEN');
  });

  it('hands on tokens of GitHub and credentials of providers by their full name only', () => {
    const delicate = ['GITHUB_TOKEN', 'GH_TOKEN', 'ANTHROPIC_API_KEY', 'OPENAI_API_KEY'];
    const byGlob = names({ passEnv: ['*'] });
    for (const name of delicate) expect(byGlob).not.toContain(name);
    expect(byGlob).toContain('ANTHROPIC_BASE_URL');
    const byName = names({ passEnv: delicate });
    for (const name of delicate) expect(byName).toContain(name);
  });

  it('never hands on what is between the runner and the action, even to a provider that claims it', () => {
    const greedy = { environment: { ...claude.environment, variables: ['*'] } };
    const handed = names({ passEnv: ['*', ...neverPassed], provider: greedy, providers: [greedy] });
    for (const name of neverPassed) expect(handed).not.toContain(name);
  });

  it('takes the characters of a glob as they are', () => {
    expect(names({ passEnv: ['NPM.TOKE*'] })).not.toContain('NPM_TOKEN');
  });

  it('names what was withheld, and each variable is either handed on or named', () => {
    const { env, withheld } = filterEnvironment({
      environment: { ...job, GONE: undefined },
      providers,
      passEnv: [],
    });
    expect([...Object.keys(env), ...withheld].sort()).toEqual(Object.keys(job).sort());
    expect(withheld).toEqual([...withheld].sort());
    expect(env.PATH).toBe('/usr/bin');
  });
});
