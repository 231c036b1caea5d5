import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openShell } from '../../src/workspace/shell.js';
import { temporaryDirectory } from './checkout.js';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

it('ends on close after all earlier commands, and starts again for a later command', async () => {
  const directory = temporaryDirectory();
  const shell = openShell({ directory, env: { PATH: process.env.PATH ?? '' }, parameters: [] });
  const answer = shell.run('echo $$ >pid; exit_with() { return 3; }; exit_with');
  await shell.close();
  expect(await answer).toBe(3);
  const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'));
  await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
  expect(await shell.run('true')).toBe(0);
  await shell.close();
  await shell.close();
});
