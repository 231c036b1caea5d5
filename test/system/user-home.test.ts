import { userInfo } from 'node:os';
import { expect, it } from 'vitest';
import { userHome } from '../../src/system/user-home.js';

it('is HOME, otherwise the directory in the list of users', () => {
  expect(userHome({ HOME: '/srv/home' })).toBe('/srv/home');
  expect(userHome({})).toBe(userInfo().homedir);
  expect(userHome({ HOME: '' })).toBe(userInfo().homedir);
});
