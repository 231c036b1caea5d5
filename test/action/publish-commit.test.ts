/** `apply: commit`: one commit on the checked-out branch, for later steps of the job. */
import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { git } from '../rig/git.js';
import type { Machine } from '../rig/machine.js';
import { openApplyScene } from './apply-scene.js';

const settings = '[commit]\n\tgpgSign = true\n[user]\n\tname = Somebody\n\temail = s@example.com\n';

/** Hooks and signing that would fail. */
async function trap({ workspace, home }: Machine): Promise<void> {
  await mkdir(join(workspace, '.git/hooks'), { recursive: true });
  for (const name of [
    'pre-commit',
    'commit-msg',
    'post-commit',
    'reference-transaction',
    'post-index-change',
  ]) {
    await writeFile(
      join(workspace, '.git/hooks', name),
      `#!/bin/sh\ntouch '${workspace}/.git/hook-ran'\nexit 1\n`,
    );
    await chmod(join(workspace, '.git/hooks', name), 0o755);
  }
  await writeFile(join(home, '.gitconfig'), settings);
}

it('makes the commit, runs no hook and signs nothing', async () => {
  const { harness, run, github } = await openApplyScene();
  const seen: Record<string, string> = {};
  const { main } = await run('commit', {
    prepare: async (machine) => {
      await writeFile(join(machine.workspace, 'staged.txt'), 'by an earlier step\n');
      await git(machine.workspace, 'add', 'staged.txt');
      await writeFile(join(machine.workspace, 'README.md'), 'changed by an earlier step\n');
      await trap(machine);
    },
    inspect: async ({ workspace }) => {
      // First, because the commands below run hooks.
      seen.hook = String(existsSync(join(workspace, '.git/hook-ran')));
      seen.head = await git(workspace, 'rev-parse', 'refs/heads/main');
      seen.changed = await git(workspace, 'diff', '--name-status', 'HEAD^', 'HEAD');
      seen.who = await git(workspace, 'log', '-1', '--format=%an <%ae>|%cn <%ce>|%G?|%P');
      seen.status = await git(workspace, 'status', '--porcelain', '--branch');
      seen.fsck = await git(workspace, 'fsck', '--strict', '--no-dangling');
    },
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed', commit: seen.head });
  const who = 'github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>';
  expect(seen).toMatchObject({
    changed: 'A\tsrc/new.ts',
    who: `${who}|${who}|N|${harness.repository.sha}`,
    hook: 'false',
  });
  expect(seen.status?.split('\n').slice(1)).toEqual([' M README.md', 'A  staged.txt']);
  expect(await harness.repository.git('rev-parse', 'main')).toBe(harness.repository.sha);
  expect(github.requests()).toEqual([]);
});

it('is made again by a re-run, because it was in the checkout of another machine', async () => {
  const { run, calls } = await openApplyScene();
  await run('commit', { laterStatus: 'failure' });
  let changed = '';
  const { main } = await run('commit', {
    jobAttempt: 2,
    inspect: async ({ workspace }) => {
      changed = await git(workspace, 'show', '--name-only', '--format=%H', 'HEAD');
    },
  });
  expect(changed.split('\n').filter(Boolean)).toEqual([main.outputs.commit, 'src/new.ts']);
  expect(await calls()).toBe(1);
});

it('is on no branch if HEAD is detached, which a notice says', async () => {
  const { harness, run } = await openApplyScene({ code: 'dist' });
  let head = '';
  const { main } = await run('commit', {
    checkout: { commit: harness.repository.sha },
    inspect: async ({ workspace }) => {
      head = await git(workspace, 'rev-parse', 'HEAD');
    },
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed', commit: head });
  expect(main.log).toContain(`HEAD is detached, so commit ${head} is on no branch.`);
});

it('is not half made if git left a lock, and the failure says so', async () => {
  const { harness, run } = await openApplyScene();
  let head = '';
  const { main } = await run('commit', {
    prepare: ({ workspace }) => writeFile(join(workspace, '.git/index.lock'), ''),
    inspect: async ({ workspace }) => {
      head = await git(workspace, 'rev-parse', 'refs/heads/main');
    },
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'failed', commit: '' });
  expect(main.errors).toEqual([
    expect.stringMatching(/git update-index said "fatal: .*index\.lock': File exists"/),
  ]);
  expect(head).toBe(harness.repository.sha);
});
