import { describe, expect, it } from 'vitest';
import { npmEnvironment } from '../../src/install/npm-environment.js';
import { npmFailure } from '../../src/install/npm-failure.js';

const exit = { reason: 'exited', code: 1, stderrTail: '', durationMs: 0 } as const;
const failureOf = (stderrTail: string) => npmFailure({ ...exit, stderrTail });

describe('npmFailure', () => {
  it('reads the words of older versions of npm too', () => {
    expect(failureOf('npm ERR! code E404\nnpm ERR! 404 Not Found\n')).toBe(
      'the registry has no such package, or does not show it without a login. Look at the .npmrc. npm says: code E404 404 Not Found',
    );
  });

  it('says what npm said last where npm names no error, and how it ended where it said nothing', () => {
    expect(failureOf('one\nSyntaxError: Unexpected token\n')).toBe(
      'npm ended with exit code 1. npm says: SyntaxError: Unexpected token',
    );
    expect(failureOf('')).toBe('npm ended with exit code 1.');
    expect(npmFailure({ reason: 'exited', stderrTail: '', durationMs: 0 })).toBe('npm was killed.');
    expect(npmFailure({ ...exit, reason: 'timeout' })).toBe('npm did not end in time.');
  });

  it('stays short', () => {
    const lines = Array.from({ length: 50 }, () => `npm error ${'words '.repeat(40)}`);
    expect(failureOf(['npm error code EBADPLATFORM', ...lines].join('\n')).length).toBeLessThan(500);
  });
});

describe('npmEnvironment', () => {
  it('adds what a registry may ask for to what a gate gets, and nothing else', () => {
    const job = {
      PATH: '/bin',
      NODE_AUTH_TOKEN: 'a',
      NPM_TOKEN: 'b',
      NPM_CONFIG_USERCONFIG: '/c',
      'npm_config_//npm.example/:_authToken': 'd',
      npm_config_unset: undefined,
      OTHER_TOKEN: 'e',
      ACTIONS_RUNTIME_TOKEN: 'f',
      MY_NPM_TOKEN: 'g',
    };
    expect(npmEnvironment(job, { PATH: '/bin' })).toEqual({
      PATH: '/bin',
      NODE_AUTH_TOKEN: 'a',
      NPM_TOKEN: 'b',
      NPM_CONFIG_USERCONFIG: '/c',
      'npm_config_//npm.example/:_authToken': 'd',
    });
  });
});
