import { describe, expect, it } from 'vitest';
import { sessionHome } from '../../src/providers/session-home.js';

describe('sessionHome', () => {
  const folder = '.cli';

  it('is in HOME', () => {
    expect(sessionHome({ folder }, { HOME: '/home/me' }, '/work', '/home/user')).toBe('/home/me/.cli');
  });

  it('is in the home folder of the user if HOME is not set', () => {
    expect(sessionHome({ folder }, {}, '/work', '/home/user')).toBe('/home/user/.cli');
    expect(sessionHome({ folder }, { HOME: '' }, '/work', '/home/user')).toBe('/home/user/.cli');
  });

  it('is the path in a variable, or a folder in it', () => {
    const environment = { HOME: '/home/me', MOVED: 'there' };
    expect(sessionHome({ folder, variable: 'MOVED' }, environment, '/work', '/home/user')).toBe(
      '/work/there',
    );
    expect(sessionHome({ folder, parentVariable: 'MOVED' }, environment, '/work', '/home/user')).toBe(
      '/work/there/.cli',
    );
    expect(sessionHome({ folder, parentVariable: 'NOT_SET' }, environment, '/work', '/home/user')).toBe(
      '/home/me/.cli',
    );
  });
});
