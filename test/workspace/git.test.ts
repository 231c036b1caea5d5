import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openGit, openGitShell } from '../../src/workspace/git.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';

it('two commands at once fail if the status of one of them could not be written', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'gump-git-'));
  cleanUpAfterTest(() => rmSync(scratch, { recursive: true, force: true }));
  const shell = openGitShell(scratch, { PATH: process.env.PATH ?? '', HOME: scratch });
  cleanUpAfterTest(() => shell.close());
  const git = openGit({ shell, scratch, directory: scratch });
  const both = () => git.runBoth(['version'], ['version']);
  const [one, other] = await both();
  expect(String(other.stdout)).toBe(String(one.stdout));
  expect(String(one.stdout)).toMatch(/^git version /);
  for (const name of ['stdout0', 'stderr0', 'stdout1', 'stderr1', 'status1']) rmSync(join(scratch, name));
  // As on a full disk: the file exists, and nothing can be written to it.
  writeFileSync(join(scratch, 'status0'), '');
  await shell.run('set -C');
  await expect(both()).rejects.toThrow(/exit status of `git version` could not be written/);
});
