import { describe, expect, it } from 'vitest';
import { npmEnvironment } from '../../src/install/npm-environment.js';
import { npmFailure } from '../../src/install/npm-failure.js';

const exit = { reason: 'exited', code: 1, stderrTail: '', durationMs: 0 } as const;
const failureOf = (stderrTail: string) => npmFailure({ ...exit, stderrTail });

describe('npmFailure', () => {
  it('reads the output of older versions of npm too', () => {
    expect(failureOf('npm ERR! code E404\nnpm ERR! 404 Not Found\n')).toBe(
      'the registry has no such package, or requires a login for it. Check `.npmrc`. npm reported: code E404 404 Not Found',
    );
  });

  it('reports the last line of npm if there is no error line, and how npm ended if there is no output', () => {
    expect(failureOf('one\nSyntaxError: Unexpected token\n')).toBe(
      'npm ended with exit code 1. npm reported: SyntaxError: Unexpected token',
    );
    expect(failureOf('')).toBe('npm ended with exit code 1.');
    expect(npmFailure({ reason: 'exited', stderrTail: '', durationMs: 0 })).toBe('npm was killed.');
    expect(npmFailure({ ...exit, reason: 'timeout' })).toBe('npm reached the time limit. Re-run the job.');
  });

  it('stays short', () => {
    const lines = Array.from({ length: 50 }, () => `npm error ${'words '.repeat(40)}`);
    expect(failureOf(['npm error code EBADPLATFORM', ...lines].join('\n')).length).toBeLessThan(500);
  });
});

describe('npmEnvironment', () => {
  it('adds only variables for a registry to the environment of a gate', () => {
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
