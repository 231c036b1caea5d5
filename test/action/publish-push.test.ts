/** `apply: push`: the result of a run becomes a commit at GitHub. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { git } from '../rig/git.js';
import { secondaryLimit } from '../rig/github/faults.js';
import { pullRequestEvent } from '../rig/machine.js';
import { change, flow, openApplyScene } from './apply-scene.js';

const rigToken = 'ghs_dummyTokenOfTheTestRig0000000000';

describe('apply: push', () => {
  it('makes one commit on the branch of the run, and no token reaches agent or gate', async () => {
    const workflow = `${flow}    gate:\n      - bash: env > "$RUNNER_TEMP/gate.txt"; echo by-the-gate > left.txt\n`;
    const { harness, run, writes } = await openApplyScene({ code: 'dist', workflow });
    const seen: Record<string, string> = {};
    const { main } = await run('push', {
      rules: [{ do: [...change, { run: 'env > "$RUNNER_TEMP/agent.txt"' }] }],
      prepare: async (machine) => {
        await writeFile(join(machine.workspace, 'earlier.txt'), 'by an earlier step of the job\n');
      },
      inspect: async ({ temp, workspace }) => {
        seen.agent = await readFile(join(temp, 'agent.txt'), 'utf8');
        seen.gate = await readFile(join(temp, 'gate.txt'), 'utf8');
        seen.new = await readFile(join(workspace, 'src/new.ts'), 'utf8');
        seen.status = await git(workspace, 'status', '--porcelain');
        seen.config = await readFile(join(workspace, '.git/config'), 'utf8');
      },
    });
    const { repository } = harness;
    const commit = await repository.git('rev-parse', 'main');
    expect(main.outputs, main.log).toMatchObject({ status: 'passed', commit, 'pull-request': '' });
    expect(await repository.git('rev-parse', 'main^')).toBe(repository.sha);
    expect(await repository.git('diff', '--name-status', 'main^', 'main')).toBe('A\tsrc/new.ts');
    const [message = '', session] = [
      await repository.git('log', '-1', '--format=%B', 'main'),
      JSON.parse(main.outputs.sessions ?? '{}').impl,
    ];
    expect(message.split('\n')).toEqual([
      'Add the new file',
      '',
      'Workflow flow:',
      '- impl (claude-haiku)',
      'Cost: $0.0030',
      '',
      'Gump-Workflow: flow',
      'Gump-Run: https://github.com/octo/sample/actions/runs/1001',
      expect.stringMatching(/^Gump-Change: [0-9a-f]{32}$/),
      `Gump-Session: impl claude ${session.id}`,
    ]);
    // As with `workspace`: the files are still there for later steps.
    expect(seen.new).toBe('new\n');
    expect(seen.status).toContain('?? src/');
    expect(seen.agent).toContain('RUNNER_TEMP=');
    expect(seen.gate).toContain('RUNNER_TEMP=');
    expect(JSON.stringify(seen)).not.toContain(rigToken);
    expect(main.report).toMatchObject({ published: [{ kind: 'push', branch: 'main', commit }] });
    expect(main.summary).toContain('on <code>main</code>');
    expect(writes()).toEqual([
      'POST git/blobs',
      'POST git/trees',
      'POST git/commits',
      'PATCH git/refs/heads/main',
    ]);
  });

  it('goes to the head branch of the pull request, although the checkout is at the merge commit', async () => {
    const { harness, run } = await openApplyScene();
    const pull = await harness.repository.pullRequest(7, { 'topic.txt': 't\n' });
    const base = await harness.repository.commit({ 'base.txt': 'moved\n' });
    const { main } = await run('push', {
      event: pullRequestEvent(pull),
      checkout: { ref: 'refs/pull/7/merge' },
    });
    const { repository } = harness;
    expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
    expect(await repository.git('rev-parse', 'pull-7^')).toBe(pull.head);
    expect(await repository.git('diff', '--name-status', 'pull-7^', 'pull-7')).toBe('A\tsrc/new.ts');
    expect(await repository.git('rev-parse', 'main')).toBe(base);
  });

  it('is not repeated by a re-run, and starts no agent', async () => {
    const { harness, run, calls, commitsOn, writes } = await openApplyScene();
    const first = await run('push', { laterStatus: 'failure' });
    const before = writes().length;
    await harness.repository.commit({ 'their.txt': 'x\n' });
    const second = await run('push', { jobAttempt: 2, checkout: { commit: harness.repository.sha } });
    expect(second.main.outputs, second.main.log).toMatchObject({
      status: 'passed',
      commit: first.main.outputs.commit,
    });
    expect(await calls()).toBe(1);
    expect(await commitsOn('main')).toBe(2);
    // The probe of the permission only.
    expect(writes().slice(before)).toEqual(['POST git/blobs']);
  });

  it('that fails fails the run, and a re-run pushes without an agent', async () => {
    const { github, run, calls, commitsOn } = await openApplyScene();
    github.state.protectedBranches.set('main', 'Repository rule violations found');
    const first = await run('push');
    expect(first.main.exitCode).toBe(1);
    expect(first.main.outputs).toMatchObject({
      status: 'failed',
      'failed-step': '',
      commit: '',
      persisted: 'true',
    });
    expect(first.main.errors).toEqual([
      expect.stringMatching(
        /^All steps passed, but the result was not published: GitHub did not push to `main`: its rules forbid it .*Set `apply: pull-request`.* "Re-run failed jobs" before .* tries again to publish the result, and starts no agent\.$/,
      ),
    ]);
    expect(first.main.summary).toContain('its rules forbid it');
    expect(first.main.report).toMatchObject({ status: 'failed', failure: { kind: 'output' } });
    expect(await commitsOn('main')).toBe(0);
    github.state.protectedBranches.clear();
    const second = await run('push', { jobAttempt: 2 });
    expect(second.main.outputs, second.main.log).toMatchObject({ status: 'passed' });
    expect(await calls()).toBe(1);
    expect(await commitsOn('main')).toBe(1);
  });

  it('whose machine is lost between the push and its record is found by the re-run', async () => {
    const { github, run, calls, commitsOn, harness } = await openApplyScene();
    const isPushed = () =>
      github.requests().some(({ method, status }) => method === 'PATCH' && status === 200);
    // The answer comes late, so that the machine is gone before it.
    await run('push', { code: 'dist', stop: { when: { until: isPushed }, how: 'lose' } });
    expect(await commitsOn('main')).toBe(1);
    const second = await run('push', { jobAttempt: 2, checkout: { commit: harness.repository.sha } });
    expect(second.main.outputs, second.main.log).toMatchObject({
      status: 'passed',
      commit: await harness.repository.git('rev-parse', 'main'),
    });
    expect(await calls()).toBe(1);
    expect(await commitsOn('main')).toBe(1);
  });

  it('of files that clash leaves the branch alone and names them', async () => {
    const { harness, run } = await openApplyScene({ files: { 'src/new.ts': 'old\n' } });
    const moved = await harness.repository.commit({ 'src/new.ts': 'theirs\n' });
    const { main } = await run('push', { checkout: { commit: harness.repository.sha } });
    expect(main.errors).toEqual([
      expect.stringContaining(
        'Branch `main` has other changes, and these files cannot be merged: `src/new.ts`.',
      ),
    ]);
    expect(await harness.repository.git('rev-parse', 'main')).toBe(moved);
  });

  it('refuses Git LFS, and nothing is pushed', async () => {
    const { run, commitsOn, writes } = await openApplyScene({
      files: { '.gitattributes': 'src/* filter=lfs diff=lfs merge=lfs -text\n' },
    });
    const { main } = await run('push');
    expect(main.errors).toEqual([
      expect.stringContaining(
        '`apply: push` cannot publish the change. These files are stored by Git LFS: `src/new.ts`. Nothing was published. Set `apply: workspace`',
      ),
    ]);
    expect(await commitsOn('main')).toBe(0);
    expect(writes()).toEqual(['POST git/blobs']);
  });

  it('refuses changes in a submodule', async () => {
    const { run, commitsOn } = await openApplyScene();
    const { main } = await run('commit', {
      prepare: async ({ workspace }) => {
        const inner = join(workspace, 'vendor/lib');
        await mkdir(inner, { recursive: true });
        await git(inner, 'init', '--quiet');
        await git(inner, 'commit', '--quiet', '--allow-empty', '--message', 'inner');
        await git(workspace, 'add', 'vendor/lib');
        await git(workspace, 'commit', '--quiet', '--message', 'Add the submodule');
      },
      rules: [{ do: [...change, { write: 'vendor/lib/x.txt', content: 'x' }] }],
    });
    expect(main.errors, main.log).toEqual([
      expect.stringContaining(
        '`apply: commit` cannot publish the change. It contains changes of submodules: `vendor/lib`. Nothing was published.',
      ),
    ]);
    expect(await commitsOn('main')).toBe(0);
  });

  it('is given up when the job is cancelled, and made by the re-run', async () => {
    const { github, run, calls, commitsOn } = await openApplyScene();
    const isTrying = () => github.requests().some(({ method }) => method === 'PATCH');
    github.inject({ ...secondaryLimit('/git/refs'), headers: { 'retry-after': '30' } });
    const first = await run('push', { stop: { when: { until: isTrying }, how: 'cancel' } });
    expect(first.main.outputs, first.main.log).toMatchObject({ status: 'cancelled', commit: '' });
    expect(await commitsOn('main')).toBe(0);
    github.clearFaults();
    const second = await run('push', { jobAttempt: 2 });
    expect(second.main.outputs, second.main.log).toMatchObject({ status: 'passed' });
    expect(await calls()).toBe(1);
    expect(await commitsOn('main')).toBe(1);
  });

  it('refuses workflow files with the token of a job, and nothing is pushed', async () => {
    const { run, commitsOn, writes } = await openApplyScene();
    const { main } = await run('push', {
      rules: [{ do: [{ write: '.github/workflows/ci.yml', content: 'on: push\n' }] }],
    });
    expect(main.errors, main.log).toEqual([
      expect.stringMatching(
        /Nothing was published: the change contains workflow files \(`\.github\/workflows\/ci\.yml`\).*The token of a job never may\./,
      ),
    ]);
    expect(await commitsOn('main')).toBe(0);
    expect(writes()).toEqual(['POST git/blobs', 'POST /graphql']);
  });

  it('of a run that changed nothing makes no commit', async () => {
    const { run, commitsOn } = await openApplyScene();
    const { main } = await run('push', { rules: [{ do: [{ say: 'nothing to do' }] }] });
    expect(main.outputs).toMatchObject({ status: 'passed', commit: '' });
    expect(main.log).toContain('The run changed nothing, so `apply: push` published nothing.');
    expect(await commitsOn('main')).toBe(0);
  });

  it.each([
    ['failed', { rules: [{ do: [{ write: 'src/new.ts', content: 'x' } as const, { exit: 1 } as const] }] }],
    ['paused', {}],
  ])('of a run that %s does not happen', async (status, options) => {
    const hitl = status === 'paused' ? '    hitl: true\n' : '';
    const { run, commitsOn, writes } = await openApplyScene({ workflow: `${flow}${hitl}` });
    const { main } = await run('push', options);
    expect(main.outputs, main.log).toMatchObject({ status, commit: '' });
    expect(await commitsOn('main')).toBe(0);
    expect(writes()).toEqual(['POST git/blobs']);
  });
});

describe('before the first agent starts, `apply: push` refuses', () => {
  const cases = {
    'a pull request of a fork': {
      event: pullRequestEvent({ number: 7, head: 'a'.repeat(40), headRef: 'topic', fork: 'eve' }),
      message:
        /pull request #7 comes from eve\/sample, and the action pushes only to branches of octo\/sample/,
    },
    'a tag': {
      event: { name: 'push', ref: 'refs/tags/v1' },
      message: /needs a branch, and this run is for the tag `v1`/,
    },
    'a merge queue': {
      event: { name: 'merge_group', ref: 'refs/heads/gh-readonly-queue/main/pr-7' },
      message: /the branch of a merge queue must not change/,
    },
    'a branch that is gone': {
      event: { name: 'push', ref: 'refs/heads/gone' },
      message: /branch `gone` does not exist in octo\/sample/,
    },
  } as const;
  it.each(Object.entries(cases))('%s', async (_name, { event, message }) => {
    const { harness, github, run, calls } = await openApplyScene();
    github.state.permissions.octocat = 'write';
    const checkout = { commit: harness.repository.sha };
    const { main } = await run('push', { event, checkout });
    expect(main.errors, main.log).toEqual([expect.stringMatching(message)]);
    expect(await calls()).toBe(0);
  });

  it('a token without permission, unknown names, and a checkout of another branch: all together', async () => {
    const { harness, github, run, calls } = await openApplyScene();
    github.state.missingPermissions.add('contents: write');
    await harness.repository.commit({ 'x.txt': 'x\n' }, { branch: 'develop' });
    const { main } = await run('push', { checkout: { ref: 'refs/heads/develop' } });
    expect(main.errors).toEqual([
      expect.stringContaining('publishes to `main`, but the checkout is at branch `develop`'),
      expect.stringMatching(
        /the token may not write to octo\/sample \(status 403\)\. Give the job .*`contents: write`/,
      ),
    ]);
    const names = await run('push', { inputs: { 'commit-message': '{impel.result} and {spek}' } });
    expect(names.main.errors).toEqual([
      'Input `commit-message`: `{impel.result}` is not defined. Did you mean `impl`?',
      'Input `commit-message`: `{spek}` is not defined. Did you mean `spec`?',
    ]);
    const token = await run('push', { inputs: { 'github-token': '' } });
    expect(token.main.errors).toEqual([expect.stringContaining('Input `github-token` is empty')]);
    expect(await calls()).toBe(0);
  });
});

it('a dry run says where the result would go, and asks nobody', async () => {
  const { github, run } = await openApplyScene();
  const { main } = await run('push', { inputs: { 'dry-run': 'true' } });
  expect(main.log).toMatch(/Publishing:\n +push to main/);
  expect(github.requests()).toEqual([]);
});
