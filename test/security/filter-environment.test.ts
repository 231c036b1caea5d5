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

describe('filterEnvironment', () => {
  it('gives a gate no secrets and no provider variables', () => {
    expect(names({})).toEqual([...ordinary].sort());
  });

  it('gives an agent the variables of its own provider only', () => {
    expect(names({ provider: claude })).toEqual(
      [...ordinary, 'ANTHROPIC_API_KEY', 'ANTHROPIC_BASE_URL'].sort(),
    );
    expect(names({ provider: codex })).toEqual([...ordinary, 'OPENAI_API_KEY', 'OPENAI_BASE_URL'].sort());
  });

  it.each(['1', 'true', 'yes'])('gives the variables of a gateway that is enabled with %j', (value) => {
    const environment = { ...job, CLAUDE_CODE_USE_BEDROCK: value };
    expect(names({ environment, provider: claude })).toContain('AWS_SECRET_ACCESS_KEY');
    expect(names({ environment, provider: codex })).not.toContain('AWS_SECRET_ACCESS_KEY');
    expect(names({ environment })).not.toContain('AWS_SECRET_ACCESS_KEY');
  });

  it.each(['', '0', 'false', 'FALSE', ' '])(
    'withholds the variables of a gateway if its switch is %j',
    (value) => {
      const environment = { ...job, CLAUDE_CODE_USE_BEDROCK: value };
      expect(names({ environment, provider: claude })).not.toContain('AWS_SECRET_ACCESS_KEY');
    },
  );

  it('passes variables that pass-env names or matches with a glob', () => {
    expect(names({ passEnv: ['NPM_TOKEN'] })).toContain('NPM_TOKEN');
    const passed = names({ passEnv: ['*_P?T', 'db_*'] });
    expect(passed).toContain('DEPLOY_PAT');
    expect(passed).toContain('db_password');
    expect(passed).not.toContain('NPM_TOKEN');
  });

  it('passes GitHub tokens and the variables of providers only by their full names', () => {
    const protectedNames = [
      ...['GITHUB_TOKEN', 'GH_TOKEN', 'ANTHROPIC_API_KEY', 'OPENAI_API_KEY'],
      ...['ANTHROPIC_BASE_URL', 'OPENAI_BASE_URL'],
    ];
    const byGlob = names({ passEnv: ['*'] });
    for (const name of protectedNames) expect(byGlob).not.toContain(name);
    expect(byGlob).toContain('NPM_TOKEN');
    const byName = names({ passEnv: protectedNames });
    for (const name of protectedNames) expect(byName).toContain(name);
  });

  it('never passes variables of the runner and the action, even to a provider that lists them', () => {
    const greedy = { environment: { ...claude.environment, variables: ['*'] } };
    const passed = names({ passEnv: ['*', ...neverPassed], provider: greedy, providers: [greedy] });
    for (const name of neverPassed) expect(passed).not.toContain(name);
  });

  it('withholds or passes the settings of git in the environment together', () => {
    const family = {
      GIT_CONFIG_COUNT: '2',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      GIT_CONFIG_KEY_1: 'http.extraheader',
      GIT_CONFIG_VALUE_1: 'AUTHORIZATION: basic x',
    };
    const environment = { ...family, GIT_CONFIG_GLOBAL: '/etc/gitconfig' };
    const passed = (passEnv: string[]) => names({ environment, passEnv });
    expect(passed([])).toEqual(['GIT_CONFIG_GLOBAL']);
    expect(passed(['GIT_CONFIG_KEY_0', 'GIT_CONFIG_VALUE_*'])).toEqual(['GIT_CONFIG_GLOBAL']);
    const all = Object.keys(environment).sort();
    expect(passed(['GIT_CONFIG_COUNT'])).toEqual(all);
    expect(passed(['GIT_CONFIG_*'])).toEqual(all);
  });

  it('escapes special characters in a glob', () => {
    expect(names({ passEnv: ['NPM.TOKE*'] })).not.toContain('NPM_TOKEN');
  });

  it('lists what was withheld, and every variable is either passed or listed', () => {
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
