/**
 * From an issue to a pull request, and from a review comment to a push, through `dist/`: one conversation over runs,
 * job attempts and machines.
 */
import { expect, it } from 'vitest';
import { actionsBot, type GitHubState } from '../rig/github/state.js';
import { storedPull } from '../rig/github/stored-pull.js';
import { attemptLines, callLines, promptBodies } from './attempt-lines.js';
import { addTest, writeAdd } from './example-project.js';
import { createHarness, type Harness } from './harness.js';
import { openIssueScene } from './issue-scene.js';

const workflow = `
name: flow
steps:
  - name: implement
    type: code
    agent: claude-sonnet
    session: from: implement of previous run
    prompt: |
      {issue.title}
      {issue.body}
      {comment.author}
      {comment.path}
      {comment.body}
    gate:
      - tests_found
      - "untouched: .github/**"
      - test
    retry: [exit: 2]
`;

const files = {
  'package.json': JSON.stringify({ type: 'module', scripts: { test: 'node --test' } }),
  'src/add.js': 'export const add = (a, b) => a - b;\n',
};

const addLimit = { write: 'src/limit.js', content: 'export const limit = 9;\n' };

const sessionEntries = ({ cache }: Harness) =>
  cache.shelf.artifacts
    .filter(({ name }) => name.startsWith('gump-sessions-') && !name.endsWith('-in-use'))
    .map(({ runId, attempt, name }) => `${runId}/${attempt} ${name.replace(/-[0-9a-f]{20}$/, '')}`);

const stickyComments = ({ comments }: GitHubState) =>
  comments.map(({ number, author, body }) => ({ number, author, headline: body.split('\n')[1] ?? '' }));

it('an issue becomes a pull request, and a review comment on it becomes a push', async () => {
  const harness = await createHarness({ workflow, files, code: 'dist', store: 'artifact' });
  const { repository } = harness;
  const issue = { number: 12, title: 'Sums are wrong', body: 'See <!-- hidden -->add.' };
  const scene = await openIssueScene(harness, ['ada', 'max'], [issue]);
  const { state } = scene.github;
  const inputs = { 'github-token': 'ghs_token', comment: 'always' };
  const common = { apiUrl: scene.github.url };
  const newest = () => repository.git('rev-parse', 'refs/heads/gump/flow-12');

  // Run 1: ada sets the label. The first change does not pass the tests.
  const first = await harness.runJob({
    ...common,
    runId: '1001',
    event: scene.label(12, 'ada'),
    inputs: { ...inputs, apply: 'pull-request' },
    rules: [
      { session: 'start', do: [addTest, writeAdd('*')] },
      { do: [writeAdd('+'), { say: 'The sign was wrong.' }] },
    ],
  });
  expect(attemptLines(first.main.report), first.main.log).toEqual([
    'implement#1@1 new previous-not-found failed:gate',
    'implement#2@1 resumed kept-on-retry passed',
  ]);
  expect(first.main.warnings).toEqual([]);
  expect(first.main.notices).toEqual([expect.stringContaining('This is the first run of')]);
  const [pull] = state.pulls;
  if (pull === undefined) throw new Error('There is no pull request.');
  const opened = await newest();
  const pullUrl = `https://github.com/octo/sample/pull/${pull.number}`;
  expect(pull).toMatchObject({ headRef: 'gump/flow-12', base: 'main', author: actionsBot, state: 'open' });
  expect(pull.title).toBe('Sums are wrong');
  expect(pull.body).toMatch(/^The sign was wrong\.\n\nCloses #12\n/);
  expect(first.main.outputs).toMatchObject({ status: 'passed', commit: opened, 'pull-request': pullUrl });
  expect(first.main.summary).toContain(pullUrl);
  // The tree has what the agent wrote, and nothing else.
  expect(await repository.git('rev-parse', `${opened}^`)).toBe(repository.sha);
  const changed = await repository.git('diff', '--name-status', 'main', opened);
  expect(changed.split('\n')).toEqual(['M\tsrc/add.js', 'A\ttest/add.test.js']);
  expect(await repository.git('show', `${opened}:src/add.js`)).toBe('export const add = (a, b) => a + b;');
  expect(await repository.git('show', `${opened}:test/add.test.js`)).toContain("test('adds'");
  expect(stickyComments(state)).toEqual([
    { number: 12, author: actionsBot, headline: expect.stringContaining('flow: passed') },
  ]);
  expect(state.comments[0]?.body).toContain(`Pull request: [#${pull.number}](${pullUrl})`);
  expect(sessionEntries(harness)).toEqual([
    '1001/1 gump-sessions-issue-12',
    `1001/1 gump-sessions-pr-${pull.number}`,
  ]);

  // Run 2: max comments on a line. The agent answers, and GitHub does not accept the push.
  const written = { path: 'src/add.js', line: 1, body: 'Add a limit, please.' };
  const { comment: event } = await scene.reviewLine(pull, 'max', written);
  const answer = {
    ...common,
    runId: '1002',
    event,
    checkout: { ref: `refs/pull/${pull.number}/head` },
    inputs: { ...inputs, apply: 'push' },
    rules: [{ do: [addLimit, { say: 'Added a limit.' }] }],
  };
  const refused = { method: 'PATCH', path: '/git/refs/heads', status: 429 };
  scene.github.inject({ ...refused, headers: { 'retry-after': '600' } });
  const second = await harness.runJob(answer);
  const session = '(run 1001, at commit ';
  expect(attemptLines(second.main.report), second.main.log).toEqual([
    'implement#1@1 resumed previous passed',
  ]);
  expect(second.main.warnings).toEqual([]);
  expect(second.main.outputs).toMatchObject({ status: 'failed', commit: '', persisted: 'true' });
  expect(second.main.errors).toEqual([
    expect.stringMatching(/the result was not published: .*rate limit.* starts no agent\.$/),
  ]);
  expect(await newest()).toBe(opened);
  const calls = await harness.calls();
  expect(callLines(calls)).toEqual([
    'claude start a after 0',
    'claude resume a after 1',
    'claude resume a after 2',
  ]);
  const id = calls[0]?.session.id ?? '';
  expect(calls[2]?.argv.join(' ')).toContain(`--resume ${id}`);
  expect(promptBodies(calls[2]?.earlier ?? [])[0]).toBe('Sums are wrong\nSee add.');
  expect(promptBodies([calls[2]?.prompt ?? ''])).toEqual(['max\nsrc/add.js\nAdd a limit, please.']);
  expect(calls[2]?.prompt).toContain(session);
  expect(stickyComments(state)[1]).toMatchObject({
    number: pull.number,
    headline: expect.stringContaining('flow: failed'),
  });

  // The same run on a new machine: one push, no agent, no second comment.
  scene.github.clearFaults();
  const rerun = await harness.runJob({ ...answer, jobAttempt: 2, rules: [] });
  const pushed = await newest();
  expect(rerun.main.outputs, rerun.main.log).toMatchObject({
    status: 'passed',
    resumed: 'true',
    commit: pushed,
  });
  expect([...rerun.main.warnings, ...(rerun.post?.warnings ?? [])]).toEqual([]);
  expect(rerun.main.log).toContain('implement: passed in job attempt 1, result reused');
  expect(await harness.calls()).toHaveLength(3);
  expect(await repository.git('rev-list', '--parents', `${opened}..${pushed}`)).toBe(`${pushed} ${opened}`);
  expect(await repository.git('diff', '--name-status', opened, pushed)).toBe('A\tsrc/limit.js');
  const message = await repository.git('log', '-1', '--format=%B', pushed);
  expect(message).toMatch(/^Added a limit\n[\s\S]*\nGump-Run: https:.*\/runs\/1002\n/);
  expect(message).toContain(`Gump-Session: implement claude ${id}`);
  expect(state.pulls).toHaveLength(1);
  expect(stickyComments(state)).toMatchObject([
    { number: 12 },
    { number: pull.number, headline: expect.stringContaining('flow: passed') },
  ]);
  const [, updated] = state.comments;
  expect(updated?.body).toContain(`[${pushed.slice(0, 7)}](https://github.com/octo/sample/commit/${pushed})`);
  expect(updated?.body).toContain('/runs/1002/attempts/2)');

  // A review of somebody else's pull request: nothing of the conversation is there.
  const other = storedPull(await repository.pullRequest(99, { 'src/other.js': 'export {};\n' }));
  state.pulls.push(other);
  const asked = await scene.reviewLine(other, 'ada', { path: 'src/other.js', line: 1, body: 'Why?' });
  const third = await harness.runJob({
    ...common,
    runId: '1003',
    event: asked.comment,
    checkout: { ref: 'refs/pull/99/head' },
    inputs: { ...inputs, apply: 'push' },
    rules: [{ do: [addTest, writeAdd('+')] }],
  });
  expect(attemptLines(third.main.report), third.main.log).toEqual([
    'implement#1@1 new previous-not-found passed',
  ]);
  expect(third.main.warnings).toEqual([]);
  expect(third.main.notices).toEqual([expect.stringContaining('on `pr-99` that stores its sessions')]);
  const last = (await harness.calls()).at(-1);
  expect(last).toMatchObject({ session: { mode: 'start' }, earlier: [] });
  expect(last?.prompt).toBe('ada\nsrc/other.js\nWhy?\n');
  expect(await newest()).toBe(pushed);
}, 240_000);
