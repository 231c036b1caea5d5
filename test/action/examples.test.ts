/** Runs each example unchanged, and the file with which the README begins. */
import { writeFileSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startGitHub } from '../rig/github/server.js';
import { storedPull } from '../rig/github/stored-pull.js';
import { pullRequestEvent } from '../rig/machine.js';
import type { AgentRule } from '../rig/stand-in.js';
import { planRule, verdictRule } from './answer-rules.js';
import { attemptLines, callLines } from './attempt-lines.js';
import {
  addTest,
  exampleFolder,
  openExample,
  openProject,
  testedExamples,
  writeAdd,
} from './example-project.js';
import { runAndReadPatch, runPublish } from './example-publish.js';
import { runResumeExample } from './example-resume.js';
import { openIssueScene } from './issue-scene.js';

it('the start of the README', async () => {
  const readme = await readFile(join(exampleFolder, '../README.md'), 'utf8');
  const workflow = /^```yaml\n(name: bugfix\n[\s\S]*?)^```$/m.exec(readme)?.[1] ?? '';
  const { harness, inputs } = await openProject({ '.github/workflows/bugfix.yml': workflow });
  const { main } = await harness.runJob({
    inputs: inputs[0] ?? {},
    rules: [
      planRule('Find the cause of this bug', { name: 'sum', files: ['src/add.js', 'test/*'] }),
      { prompt: 'Write a test that shows this bug', do: [addTest] },
      { prompt: 'The test shows the bug', do: [writeAdd('+')] },
    ],
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
  expect(main.warnings).toEqual([]);
  expect((await harness.calls())[0]?.prompt).toContain('SPEC: sums are wrong');
});

it('tdd', async () => {
  const { harness, inputs } = await openExample('tdd');
  const rules: readonly AgentRule[] = [
    { prompt: 'Write tests for the following', do: [addTest] },
    { prompt: 'Write the code', do: [writeAdd('+')] },
  ];
  const { main } = await harness.runJob({ inputs: inputs[0] ?? {}, rules });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
  expect(main.warnings).toEqual([]);
  expect(attemptLines(main.report)).toEqual([
    'tests#1@1 new declared-new passed',
    'impl#1@1 resumed from passed',
  ]);
});

it('feature', async () => {
  const { harness, inputs } = await openExample('feature');
  const { main } = await harness.runJob({
    inputs: inputs[0] ?? {},
    rules: [
      planRule('Split the following specification', { name: 'sum', files: ['src/add.js', 'test/*'] }),
      { prompt: 'Write tests for this task', do: [addTest] },
      { prompt: 'Write the code', do: [writeAdd('*')] },
      { prompt: 'The tests for this task exist', do: [writeAdd('+')] },
      verdictRule('Review all changes', true, 'fine'),
    ],
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed', tasks: '["sum"]' });
  expect(attemptLines(main.report)).toEqual([
    'build#1@1 new declared-new passed',
    'build/sum/tests#1@1 new declared-new passed',
    'build/sum/impl#1@1 resumed from failed:gate',
    'build/sum/impl#2@1 resumed kept-on-retry failed:gate',
    'build/sum/impl#3@1 new agent-changed passed',
    'review#1@1 new declared-new passed',
    'quality#1@1 gates passed',
  ]);
  expect(main.warnings).toEqual([expect.stringContaining('Step `build/sum/impl`, attempt 3: new session')]);
});

it('escalate', async () => {
  const { harness, inputs } = await openExample('escalate');
  expect(inputs[0]?.commands).toContain('compile:');
  const { main } = await harness.runJob({
    // The compiler of the example's project is not installed.
    inputs: { ...inputs[0], commands: 'compile: node --check src/add.js' },
    rules: [
      { prompt: 'Fix the following issue', do: [addTest, writeAdd('*')] },
      { prompt: 'The checks failed. Read', do: [writeAdd('/')] },
      { prompt: 'Another agent tried this', do: [addTest, writeAdd('+')] },
      verdictRule('Review the following change', true, 'REMARK: rename it'),
    ],
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
  expect(attemptLines(main.report)).toEqual([
    'fix#1@1 new declared-new failed:gate',
    'fix#2@1 resumed kept-on-retry failed:gate',
    'fix#3@1 new agent-changed passed',
    'review#1@1 new declared-new passed',
    'remarks#1@1 resumed from passed',
  ]);
  const calls = await harness.calls();
  expect(calls[2]?.prompt).toContain('AssertionError');
  expect(calls[3]?.prompt).toContain('+export const add = (a, b) => a + b;');
  expect(calls[4]?.prompt).toContain('REMARK: rename it');
});

it('parallel-tasks', async () => {
  const { harness, inputs } = await openExample('parallel-tasks');
  const { main } = await harness.runJob({
    inputs: inputs[0] ?? {},
    rules: [
      planRule(
        'Split the following specification',
        { name: 'sum', description: 'Fix sums.', files: ['src/*', 'test/*'] },
        { name: 'docs', description: 'Write docs.', files: ['docs'] },
      ),
      { prompt: 'Fix sums.', do: [addTest, writeAdd('+')] },
      { prompt: 'Write docs.', call: 1, do: [{ write: 'README.md', content: 'Adds.\n' }] },
      {
        prompt: 'Write docs.',
        do: [{ run: 'git checkout README.md' }, { write: 'docs/add.md', content: 'Adds.\n' }],
      },
    ],
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed', tasks: '["sum","docs"]' });
  expect(main.warnings).toEqual([]);
  expect(attemptLines(main.report)).toEqual([
    'build#1@1 new declared-new passed',
    'build/sum/impl#1@1 new declared-new passed',
    'build/docs/impl#1@1 new declared-new failed:gate',
    'build/docs/impl#2@1 resumed kept-on-retry passed',
    'whole#1@1 gates passed',
  ]);
});

it('two-providers', async () => {
  const { harness, inputs } = await openExample('two-providers');
  const { main } = await harness.runJob({
    inputs: inputs[0] ?? {},
    rules: [
      { prompt: 'Two reviewers will check', do: [addTest, writeAdd('+')] },
      verdictRule('Review the security of this change', false, 'REMARK: numbers overflow', 1),
      verdictRule('You review a change', true, ''),
      { prompt: 'The security reviewer found', do: [{ write: 'src/limit.js', content: 'export {};\n' }] },
      verdictRule('Review the security of this change', true, ''),
    ],
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
  // The limit of the reviewer is in USD.
  expect(main.warnings).toEqual([expect.stringMatching(/do not count the cost of Codex/)]);
  const calls = await harness.calls();
  expect(calls.map(({ provider }) => provider)).toEqual([
    'claude',
    'codex',
    'claude',
    'claude',
    'codex',
    'claude',
  ]);
  expect(calls[1]?.prompt).toContain('below src/ is reachable');
  expect(calls[1]?.prompt).toContain('+export const add = (a, b) => a + b;');
  expect(calls[3]?.prompt).toContain('REMARK: numbers overflow');
});

it('plan-approve-build', async () => {
  const { harness, inputs } = await openExample('plan-approve-build');
  const rules: readonly AgentRule[] = [
    { prompt: 'Write a plan', do: [{ write: '.gump/out/artifact.txt', content: 'PLAN: use +.\n' }] },
    { prompt: 'Your plan is approved', do: [addTest, writeAdd('+')] },
  ];
  const plan = await harness.runJob({ job: 'plan', inputs: inputs[0] ?? {}, rules });
  expect(plan.main.outputs, plan.main.log).toMatchObject({
    status: 'paused',
    'failed-step': 'plan',
    result: 'PLAN: use +.\n',
  });
  expect(plan.main.exitCode).toBe(0);
  expect(await harness.calls()).toHaveLength(1);
  // The second job of the example reads this output of the first job.
  const approve = plan.main.outputs['failed-step'] ?? '';
  const build = await harness.runJob({ job: 'build', inputs: { ...inputs[1], approve }, rules });
  expect(build.main.outputs, build.main.log).toMatchObject({ status: 'passed', resumed: 'true' });
  expect(build.main.warnings).toEqual([]);
  expect(attemptLines(build.main.report)).toEqual([
    'plan#1@1 new declared-new passed',
    'build#1@1 resumed from passed',
  ]);
});

it('review-pull-request', async () => {
  const { harness, inputs } = await openExample('review-pull-request');
  const pull = await harness.repository.pullRequest(7, {
    'src/add.js': 'export const add = (a, b) => a * b;\n',
  });
  const api = await startGitHub({ git: harness.repository });
  api.state.pulls.push(storedPull(pull));
  const event = pullRequestEvent(pull);
  const findings = [{ path: 'src/add.js', line: 1, severity: 'error', message: 'REMARK: not a sum' }];
  const { main } = await harness.runJob({
    apiUrl: api.url,
    event,
    checkout: { ref: 'refs/pull/7/merge' },
    inputs: inputs[0] ?? {},
    rules: [
      {
        prompt: 'Review the pull request',
        do: [
          {
            write: '.gump/out/validate.json',
            content: JSON.stringify({ pass: false, comments: 'One error.', findings }),
          },
        ],
      },
    ],
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'failed', 'failed-step': 'review' });
  expect(main.log).toMatch(/^::error .*file=src\/add\.js,.*REMARK: not a sum/m);
  const prompt = (await harness.calls())[0]?.prompt;
  expect(prompt).toContain('+export const add = (a, b) => a * b;');
  expect(prompt).toContain('-export const add = (a, b) => a - b;');
  expect(prompt).toContain('Pull request by ada: Change 7');
});

it('review-comments', async () => {
  const { harness, inputs } = await openExample('review-comments');
  const github = await startGitHub({ git: harness.repository });
  const pull = await harness.repository.pullRequest(7, {
    'src/add.js': 'export const add = (a, b) => a * b;\n',
  });
  github.state.pulls.push({
    number: 7,
    title: 'Change',
    body: '',
    author: { login: 'ada', type: 'User' },
    state: 'open',
    base: 'main',
    headRef: pull.headRef,
    headRepository: 'octo/sample',
  });
  const suggestion = 'export const add = (a, b) => a + b;';
  const finding = { path: 'src/add.js', line: 1, severity: 'error', message: 'Not a sum.', suggestion };
  const { main } = await harness.runJob({
    apiUrl: github.url,
    event: pullRequestEvent(pull),
    checkout: { ref: 'refs/pull/7/merge', depth: 2 },
    inputs: { ...inputs[0], 'github-token': 'ghs_token' },
    rules: [
      {
        prompt: 'Review the change',
        do: [
          {
            write: '.gump/out/validate.json',
            content: JSON.stringify({ pass: false, comments: 'One error.', findings: [finding] }),
          },
        ],
      },
    ],
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'failed', 'failed-step': 'review' });
  expect(github.state.reviews).toMatchObject([{ commit: pull.head, state: 'COMMENTED' }]);
  expect(github.state.reviewComments[0]?.body).toContain(`\`\`\`suggestion\n${suggestion}\n\`\`\``);
  expect(github.state.comments[0]?.body).toContain('**Result of review (not passed)**\n\nOne error.');
});

// Two jobs.
it('issue-to-pull-request', async () => {
  const { harness, inputs } = await openExample('issue-to-pull-request');
  const { repository } = harness;
  const issue = { number: 12, title: 'Sums "are" $(wrong)', body: 'See <!-- x -->add.' };
  const scene = await openIssueScene(harness, ['ada', 'max'], [issue]);
  const apiUrl = scene.github.url;
  const { main } = await harness.runJob({
    apiUrl,
    event: scene.label(12, 'ada'),
    inputs: inputs[0] ?? {},
    rules: [{ prompt: 'See add.', do: [addTest, writeAdd('+'), { say: 'The sign was wrong.' }] }],
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
  expect(main.warnings).toEqual([]);
  const [pull] = scene.github.state.pulls;
  if (pull === undefined) throw new Error('There is no pull request.');
  expect(pull).toMatchObject({
    headRef: 'gump/issue-12',
    base: 'main',
    title: 'Sums "are" $(wrong)',
    body: expect.stringMatching(/^The sign was wrong\.\n\nCloses #12\n/),
  });
  expect((await harness.calls())[0]?.prompt).toContain('Sums "are" $(wrong)\n\nSee add.\n');
  const commit = await repository.git('log', '-1', '--format=%s|%P', 'gump/issue-12');
  expect(commit).toBe(`Sums "are" $(wrong)|${repository.sha}`);
  const changed = await repository.git('diff', '--name-only', 'main', 'gump/issue-12');
  expect(changed.split('\n')).toEqual(['src/add.js', 'test/add.test.js']);

  const { review } = await scene.reviewLine(pull, 'max', {
    path: 'src/add.js',
    line: 1,
    body: 'Please add a limit.',
  });
  const answer = await harness.runJob({
    apiUrl,
    runId: '1002',
    event: review,
    checkout: { ref: `refs/pull/${pull.number}/head` },
    inputs: inputs[1] ?? {},
    rules: [{ do: [{ write: 'src/limit.js', content: 'export {};\n' }, { say: 'Added a limit.' }] }],
  });
  expect(answer.main.outputs, answer.main.log).toMatchObject({ status: 'passed' });
  expect(answer.main.warnings).toEqual([]);
  const prompt = (await harness.calls()).at(-1)?.prompt;
  expect(prompt).toMatch(/\n\nmax wrote on src\/add\.js:1 .*:\n {2}Please add a limit\.\n/);
  expect(callLines(await harness.calls())).toEqual(['claude start a after 0', 'claude resume a after 1']);
  expect(await repository.git('diff', '--name-only', 'gump/issue-12^', 'gump/issue-12')).toBe('src/limit.js');
  expect(scene.github.state.comments).toMatchObject([
    { number: pull.number, body: expect.stringContaining('**Result of implement**\n\nAdded a limit.') },
  ]);
}, 120_000);

it('fix-ci', async () => {
  const { harness, inputs, publish } = await openExample('fix-ci', {
    // The runner empties the folder when the job starts, and an earlier step of the job writes the log.
    changeStage: (stage) => {
      writeFileSync(join(stage.env.RUNNER_TEMP ?? '', 'failed.log'), 'LOG: 1 + 2 is -1\n');
      return stage;
    },
  });
  const head = await harness.repository.commit({ 'src/more.js': 'export {};\n' }, { branch: 'topic' });
  const api = await startGitHub({ git: harness.repository });
  api.state.permissions.ada = 'write';
  const ada = { login: 'ada' };
  const run = {
    actor: ada,
    triggering_actor: ada,
    head_sha: head,
    head_repository: { full_name: 'octo/sample' },
  };
  const patch = await runAndReadPatch(harness, {
    apiUrl: api.url,
    event: { name: 'workflow_run', actor: 'ada', payload: { workflow_run: run } },
    checkout: { commit: head },
    inputs: inputs[0] ?? {},
    rules: [{ prompt: 'The CI run of this commit failed', do: [addTest, writeAdd('+')] }],
  });
  expect((await harness.calls())[0]?.prompt).toContain('LOG: 1 + 2 is -1');
  const env = { BRANCH: 'gump/fix-ci-1', TITLE: 'Fix', BODY: 'Run', BASE: 'topic' };
  const opened = await runPublish({ harness, script: publish, patch, env, branch: 'topic' });
  expect(opened).toEqual(['pr create --head gump/fix-ci-1 --base topic --title Fix --body Run']);
  expect(await harness.repository.git('diff', '--name-only', 'topic', 'gump/fix-ci-1')).toContain(
    'src/add.js',
  );
});

it('nightly-refactoring', async () => {
  const { harness, inputs, publish } = await openExample('nightly-refactoring');
  const patch = await runAndReadPatch(harness, {
    event: { name: 'schedule' },
    inputs: inputs[0] ?? {},
    rules: [
      { prompt: 'Choose one place', do: [{ write: '.gump/out/artifact.txt', content: 'src/add.js\n' }] },
      { prompt: 'Make this change', do: [writeAdd('- -')] },
    ],
  });
  const env = { BRANCH: 'gump/nightly', TITLE: 'Refactor', BODY: 'x' };
  expect(await runPublish({ harness, script: publish, patch, env })).toHaveLength(1);
  // The next night: the pull request is open, and its branch is replaced.
  expect(await runPublish({ harness, script: publish, patch, env, openPullRequests: 1 })).toEqual([]);
  expect(await runPublish({ harness, script: publish, patch: '', env })).toEqual([]);
});

// Two jobs with four agents.
it('self-hosted', async () => {
  const { harness, inputs } = await openExample('self-hosted');
  expect(inputs[0]?.['state-store']).toMatch(/^directory:\//);
  const own = { ...inputs[0], 'state-store': `directory:${harness.stateDirectory}` };
  const first = await harness.runJob({
    inputs: own,
    rules: [1, 2, 3].map((call) => ({ call, do: [addTest, writeAdd('*')] })),
  });
  expect(first.main.outputs, first.main.log).toMatchObject({ status: 'failed', persisted: 'true' });
  const second = await harness.runJob({
    jobAttempt: 2,
    inputs: own,
    rules: [{ do: [addTest, writeAdd('+')] }],
  });
  expect(second.main.outputs, second.main.log).toMatchObject({ status: 'passed', resumed: 'true' });
}, 120_000);

it('resume-by-schedule', async () => {
  const { harness, inputs } = await openExample('resume-by-schedule');
  expect(inputs[0]).toMatchObject({ 'max-time': '5h45m' });
  const { main } = await harness.runJob({
    inputs: inputs[0] ?? {},
    rules: [{ prompt: 'SPEC: sums are wrong', do: [addTest, writeAdd('+')] }],
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
  expect(main.warnings).toEqual([]);
  const resumed = await runResumeExample('resume-by-schedule', harness.repository);
  expect(resumed.main.errors, resumed.main.log).toEqual([]);
  expect(resumed.run.attempt).toBe(2);
  expect(resumed.main.outputs.resumed).toBe(`[${resumed.run.id}]`);
});

it('container', async () => {
  const { harness, inputs } = await openExample('container');
  const { main } = await harness.runJob({
    inputs: inputs[0] ?? {},
    rules: [{ prompt: 'SPEC: sums are wrong', do: [addTest, writeAdd('+')] }],
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
  expect(main.warnings).toEqual([]);
});

it('the tests cover all examples', async () => {
  const names = new Set<string>();
  for await (const path of glob('*/.gump/workflows/*.yaml', { cwd: exampleFolder }))
    names.add(path.split('/')[0] ?? '');
  expect([...testedExamples].toSorted()).toEqual([...names].toSorted());
});
