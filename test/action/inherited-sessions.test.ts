/** A pull request that the action opened continues the conversation of what it was opened for: whole runs. */
import { expect, it } from 'vitest';
import { startGitHub } from '../rig/github/server.js';
import { pullRequestEvent } from '../rig/machine.js';
import { attemptLines, callLines, promptBodies } from './attempt-lines.js';
import { createHarness } from './harness.js';

const workflow = `name: flow
steps:
  - name: implement
    type: code
    agent: codex
    session: from: implement of previous run
    prompt: Implement it.
`;

it('a pull request that a run on a branch opened resumes its session, and the branch sees nothing of it', async () => {
  const harness = await createHarness({ workflow, store: 'artifact' });
  const { repository } = harness;
  const github = await startGitHub({ git: repository, shelf: harness.cache.shelf });
  const common = { apiUrl: github.url, inputs: { 'github-token': 'ghs_token' } };

  const onBranch = await harness.runJob({
    ...common,
    runId: '1001',
    inputs: { ...common.inputs, apply: 'pull-request' },
    rules: [{ do: [{ write: 'src/a.ts', content: '// a\n' }, { say: 'Added a.' }] }],
  });
  expect(attemptLines(onBranch.main.report), onBranch.main.log).toEqual([
    'implement#1@1 new previous-not-found passed',
  ]);
  const [pull] = github.state.pulls;
  if (pull === undefined) throw new Error('There is no pull request.');

  const head = await repository.git('rev-parse', `refs/heads/${pull.headRef}`);
  const onPull = await harness.runJob({
    ...common,
    runId: '1002',
    event: pullRequestEvent({ number: pull.number, head, headRef: pull.headRef }),
    checkout: { ref: `refs/heads/${pull.headRef}` },
    rules: [{ do: [{ say: 'SECRET of the pull request.' }] }],
  });
  expect(attemptLines(onPull.main.report), onPull.main.log).toEqual([
    'implement#1@1 resumed previous passed',
  ]);
  expect(onPull.main.log).toContain('from run 1001');
  expect(onPull.main.warnings).toEqual([]);

  const again = await harness.runJob({ ...common, runId: '1003' });
  expect(attemptLines(again.main.report), again.main.log).toEqual(['implement#1@1 resumed previous passed']);
  const calls = await harness.calls();
  expect(callLines(calls)).toEqual([
    'codex start a after 0',
    'codex resume a after 1',
    'codex resume a after 1',
  ]);
  // The run on the branch continues after the first one.
  expect(promptBodies(calls[2]?.earlier ?? [])).toEqual(['Implement it.']);
  expect(calls[2]?.prompt).not.toContain('SECRET');

  // A person's pull request from the same branch inherits nothing.
  const other = await repository.pullRequest(99, { 'src/b.ts': '// b\n' });
  const onOther = await harness.runJob({
    ...common,
    runId: '1004',
    event: pullRequestEvent(other),
    checkout: { ref: `refs/heads/${other.headRef}` },
  });
  expect(attemptLines(onOther.main.report), onOther.main.log).toEqual([
    'implement#1@1 new previous-not-found passed',
  ]);
});
