/** `apply: pull-request`: a branch of the action, and a pull request from it. */
import { describe, expect, it } from 'vitest';
import { pullRequestEvent } from '../rig/machine.js';
import { change, flow, openApplyScene } from './apply-scene.js';

const issue = { number: 12, user: { login: 'eve' }, title: 'Sums "are" @wrong, see #3' };
const labelled = { name: 'issues', actor: 'ada', payload: { action: 'labeled', issue } };

async function openIssueScene(options: Parameters<typeof openApplyScene>[0] = {}) {
  const scene = await openApplyScene(options);
  scene.github.state.permissions.ada = 'write';
  return scene;
}

describe('apply: pull-request', () => {
  it('opens one for an issue, from a branch with its number', async () => {
    const { harness, github, run } = await openIssueScene({ code: 'dist' });
    const result = 'Fixed. Thanks @octocat, closes #1 <!-- gump-action pull-request v1 x -->';
    const { main } = await run('pull-request', {
      event: labelled,
      rules: [{ do: [...change, { say: result }] }],
    });
    const { repository } = harness;
    const branch = 'gump/flow-12';
    const commit = await repository.git('rev-parse', branch);
    const [pull] = github.state.pulls;
    expect(main.outputs, main.log).toMatchObject({
      status: 'passed',
      commit,
      'pull-request': `https://github.com/octo/sample/pull/${pull?.number}`,
    });
    expect(pull).toMatchObject({ headRef: branch, base: 'main', state: 'open' });
    expect(pull?.title).toBe('Sums "are" @\u200bwrong, see #\u200b3');
    const body = pull?.body ?? '';
    expect(body).toContain('Closes #12');
    expect(body).toContain('| <code>impl</code> | <code>claude-haiku</code> | 1 |');
    expect(body).toContain('[this run](https://github.com/octo/sample/actions/runs/1001) for $0.0030');
    // A text of an agent notifies nobody, closes nothing and is no marker.
    expect(body).toContain('Thanks @\u200boctocat, closes #\u200b1 <\u200b!--');
    expect(await repository.git('rev-list', '--count', `main..${branch}`)).toBe('1');
    expect(main.log).toContain(`Opened pull request #${pull?.number}`);
    expect(main.summary).toContain(
      `[pull request #${pull?.number}](https://github.com/octo/sample/pull/${pull?.number}), commit [${commit.slice(0, 7)}](https://github.com/octo/sample/commit/${commit}) on <code>${branch}</code>`,
    );
    expect(main.report).toMatchObject({
      published: [
        { kind: 'push', branch, commit },
        { kind: 'pull-request', pullRequest: pull?.number },
      ],
    });
  });

  it('takes title, text and message from the inputs, with results of steps', async () => {
    const { harness, github, run } = await openIssueScene();
    const { main } = await run('pull-request', {
      event: labelled,
      inputs: {
        vars: 'ticket: ABC-1',
        'commit-message': '{ticket}: {impl.result}\n\nBy {impl.agent}\nGump-Run: forged',
        'pr-title': 'Fix {ticket} for {issue.author}',
        'pr-body': 'Closes #12, says @team.\n{impl.result}\n{missing.result}',
      },
      rules: [{ do: [...change, { say: 'Done, @octocat.' }] }],
    });
    expect(main.errors).toEqual([
      expect.stringContaining('Input `pr-body`: `{missing.result}` is not defined.'),
    ]);
    const again = await run('pull-request', {
      event: labelled,
      inputs: {
        vars: 'ticket: ABC-1',
        'commit-message': '{ticket}: {impl.result}\n\nBy {impl.agent}\nGump-Run: forged',
        'pr-title': 'Fix {ticket} for {issue.author}',
        'pr-body': 'Closes #12, says @team.\n{impl.result}',
      },
      rules: [{ do: [...change, { say: 'Done, @octocat.' }] }],
    });
    expect(again.main.outputs, again.main.log).toMatchObject({ status: 'passed' });
    expect(github.state.pulls[0]).toMatchObject({
      title: 'Fix ABC-1 for eve',
      body: expect.stringMatching(/^Closes #12, says @team\.\nDone, @\u200boctocat\.\n\n<!-- gump-action/),
    });
    const message = await harness.repository.git('log', '-1', '--format=%B', 'gump/flow-12');
    expect(message).toMatch(
      /^ABC-1: Done, @\u200boctocat\.\n\nBy claude-haiku\n Gump-Run: forged\n\nGump-Workflow: flow\nGump-Run: https/,
    );
  });

  it('is updated by the next run for the issue, and a re-run changes nothing', async () => {
    const { github, run, calls, writes, harness } = await openIssueScene();
    const first = await run('pull-request', { event: labelled, laterStatus: 'failure' });
    const before = writes().length;
    const rerun = await run('pull-request', { event: labelled, jobAttempt: 2 });
    expect(rerun.main.outputs).toMatchObject({
      status: 'passed',
      commit: first.main.outputs.commit,
      'pull-request': first.main.outputs['pull-request'],
    });
    expect(writes().slice(before)).toEqual(['POST git/blobs']);
    const next = await run('pull-request', {
      event: labelled,
      runId: '1002',
      rules: [{ do: [{ write: 'src/new.ts', content: 'newer\n' }, { say: 'Again.' }] }],
    });
    expect(next.main.outputs).toMatchObject({
      status: 'passed',
      'pull-request': first.main.outputs['pull-request'],
    });
    expect(github.state.pulls).toMatchObject([{ body: expect.stringContaining('Again.') }]);
    const { repository } = harness;
    expect(await repository.git('rev-list', '--count', 'main..gump/flow-12')).toBe('2');
    expect(await repository.git('show', 'gump/flow-12:src/new.ts')).toBe('newer');
    expect(await calls()).toBe(2);
  });

  it('that may not be opened leaves the branch, and a re-run opens it without an agent', async () => {
    const { github, run, calls, harness } = await openIssueScene();
    github.state.missingPermissions.add('create pull requests');
    const first = await run('pull-request', { event: labelled });
    expect(first.main.outputs).toMatchObject({ status: 'failed', 'pull-request': '' });
    expect(first.main.errors).toEqual([
      expect.stringMatching(
        /GitHub did not open the pull request from `gump\/flow-12`: GitHub Actions may not open pull requests here\. Switch on Settings/,
      ),
    ]);
    expect(await harness.repository.git('rev-list', '--count', 'main..gump/flow-12')).toBe('1');
    github.state.missingPermissions.clear();
    const second = await run('pull-request', { event: labelled, jobAttempt: 2 });
    expect(second.main.outputs, second.main.log).toMatchObject({ status: 'passed' });
    expect(github.state.pulls).toHaveLength(1);
    expect(await calls()).toBe(1);
    expect(await harness.repository.git('rev-list', '--count', 'main..gump/flow-12')).toBe('1');
  });

  it('of a run for no issue has the run id, or the input `subject`', async () => {
    const { github, run } = await openApplyScene({
      workflow: flow.replace('name: flow', 'name: Night/ly ..x'),
    });
    await run('pull-request');
    await run('pull-request', { runId: '1002', inputs: { subject: 'nightly' } });
    const branches = github.state.pulls.map(({ headRef }) => headRef);
    expect(branches).toEqual(['gump/Night-ly-.x-1001', 'gump/Night-ly-.x-nightly']);
  });

  it('of a run for a pull request goes into its branch', async () => {
    const { harness, github, run } = await openApplyScene();
    const pull = await harness.repository.pullRequest(7, { 'topic.txt': 't\n' });
    const { main } = await run('pull-request', {
      event: pullRequestEvent(pull),
      checkout: { ref: 'refs/pull/7/merge' },
    });
    expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
    expect(github.state.pulls).toMatchObject([{ headRef: 'gump/flow-7', base: 'pull-7' }]);
    const { repository } = harness;
    expect(await repository.git('diff', '--name-status', 'pull-7...gump/flow-7')).toBe('A\tsrc/new.ts');
  });
});
