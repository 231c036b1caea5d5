/** What keeps a run from resuming the session of an earlier run, and where the sessions are stored. */
import { describe, expect, it } from 'vitest';
import { attemptLines, callLines } from './attempt-lines.js';
import { createHarness } from './harness.js';
import { type PullRuns, pullRuns, reviewAgain, verdict } from './pull-runs.js';

const reasonOf = (run: Awaited<ReturnType<PullRuns['run']>>) => attemptLines(run.main.report).at(-1);
const warningsOf = ({ main, post }: Awaited<ReturnType<PullRuns['run']>>) => [
  ...main.warnings,
  ...(post?.warnings ?? []),
];

const runFacts = {
  name: 'Agents',
  path: '.github/workflows/agents.yml',
  conclusion: null,
  attempt: 1,
  createdAt: '2026-11-29T06:00:00Z',
  updatedAt: '2026-11-29T06:00:00Z',
  event: 'pull_request',
  headBranch: 'pull-7',
  headSha: '',
  headRepository: 'octo/sample',
  jobs: [],
};

it('a session is not resumed by a run that starts while another one resumes it', async () => {
  const harness = await createHarness({ workflow: reviewAgain('claude'), store: 'directory' });
  const pulls = await pullRuns(harness);
  await pulls.push(7, '1001', { rules: verdict('Rename a.ts.') });
  const run = { ...runFacts, id: 1002, status: 'in_progress' as const };
  pulls.github.state.runs.push(run);
  // Its machine goes away without a word, so for others the run is still at work.
  await pulls.push(7, '1002', {
    rules: [{ do: [{ run: 'true', say: 'halfway there' }, { hang: true }] }],
    stop: { how: 'lose', when: { log: 'halfway' } },
  });
  const third = await pulls.push(7, '1003', { rules: verdict('Add a test.') });
  expect(reasonOf(third)).toBe('review#1@1 new from-in-use passed');
  expect(warningsOf(third)).toEqual([expect.stringContaining('another run that has not ended')]);
  expect((await harness.calls()).at(-1)?.prompt).toContain('Rename a.ts.');
  pulls.github.state.runs[0] = { ...run, status: 'completed' as never };
  const fourth = await pulls.push(7, '1004', { rules: verdict('Fine.') });
  expect(reasonOf(fourth)).toBe('review#1@1 resumed previous passed');
  expect(callLines(await harness.calls()).slice(-2)).toEqual([
    'claude start b after 0',
    'claude resume b after 1',
  ]);
});

it('a re-run does not continue its session while another run resumes it', async () => {
  const harness = await createHarness({ workflow: reviewAgain('claude'), store: 'directory' });
  const pulls = await pullRuns(harness);
  await pulls.push(7, '1001', { rules: verdict('Rename a.ts.', false) });
  const run = { ...runFacts, id: 1002, status: 'in_progress' as const };
  pulls.github.state.runs.push(run);
  await pulls.push(7, '1002', {
    rules: [{ do: [{ run: 'true', say: 'halfway there' }, { hang: true }] }],
    stop: { how: 'lose', when: { log: 'halfway' } },
  });
  const rerun = await pulls.run(7, '1001', { jobAttempt: 2, rules: verdict('Still bad.', false) });
  expect(reasonOf(rerun)).toBe('review#2@2 new from-in-use failed:validate');
  pulls.github.state.runs[0] = { ...run, status: 'completed' as never };
  const later = await pulls.run(7, '1001', { jobAttempt: 3, rules: verdict('Fine.') });
  expect(reasonOf(later)).toBe('review#3@3 resumed continued passed');
});

describe('the changes since the earlier run', () => {
  const prompt = 'Range {previous.range}.\n{pr.diff_since_previous}';

  it('are in the prompt, although the checkout has one commit only', async () => {
    const harness = await createHarness({ workflow: reviewAgain('claude', prompt), store: 'directory' });
    const pulls = await pullRuns(harness);
    await pulls.push(7, '1001', { rules: verdict('One.') });
    await pulls.push(7, '1002', { rules: verdict('Two.') });
    const text = (await harness.calls()).at(-1)?.prompt ?? '';
    expect(text).toContain('+// pushed before 1002');
    expect(text).not.toContain('+// pushed before 1001');
    expect(text).toContain('There are new commits since. Changed files: `src/1002.ts`.');
  });

  it('are those since the merge base after a force-push', async () => {
    const harness = await createHarness({ workflow: reviewAgain('claude', prompt), store: 'directory' });
    const pulls = await pullRuns(harness);
    await pulls.push(7, '1001', { rules: verdict('One.') });
    const base = await harness.repository.git('rev-parse', 'refs/heads/main');
    const rewritten = await harness.repository.commit({ 'src/new.ts': '// anew\n' }, { branch: 'rewritten' });
    await harness.repository.git('update-ref', 'refs/heads/pull-7', rewritten);
    const second = await pulls.run(7, '1002', { rules: verdict('Two.') });
    expect(reasonOf(second)).toBe('review#1@1 resumed previous passed');
    expect(warningsOf(second)).toEqual([
      expect.stringMatching(/^The branch was rewritten since run 1001 \(force-push\): commit \w{7} /),
    ]);
    const text = (await harness.calls()).at(-1)?.prompt ?? '';
    expect(text).toContain(`Range ${base}..HEAD.`);
    expect(text).toContain('The branch was rewritten since');
    expect(text).toContain('+// anew');
  });

  it('stop the step before its agent starts if nobody can read them', async () => {
    const harness = await createHarness({ workflow: reviewAgain('claude', prompt), store: 'directory' });
    const pulls = await pullRuns(harness);
    await pulls.push(7, '1001', { rules: verdict('One.') });
    pulls.github.inject({ path: '/compare/', status: 403 });
    const second = await pulls.push(7, '1002', { rules: verdict('Two.') });
    expect(second.main.outputs.status).toBe('failed');
    expect(second.main.errors.join()).toContain('Set `fetch-depth: 0` for `actions/checkout`');
    expect(await harness.calls()).toHaveLength(1);
  });
});

it('sessions are in the Actions cache, if that is the store', async () => {
  const harness = await createHarness({ workflow: reviewAgain('codex') });
  const pulls = await pullRuns(harness);
  const inputs = { 'state-store': 'cache' };
  await pulls.push(7, '1001', { inputs, rules: verdict('One.') });
  const second = await pulls.push(7, '1002', { inputs, rules: verdict('Two.') });
  const third = await pulls.push(7, '1003', { inputs, rules: verdict('Fine.') });
  expect([second, third].map(reasonOf)).toEqual([
    'review#1@1 resumed previous passed',
    'review#1@1 resumed previous passed',
  ]);
  expect([second, third].flatMap(warningsOf)).toEqual([]);
});

describe('sessions in artifacts', () => {
  const inputs = { 'state-store': 'artifact' };

  async function open() {
    const harness = await createHarness({ workflow: reviewAgain('codex') });
    return { harness, pulls: await pullRuns(harness) };
  }

  it('are found by the next run, also by that of a comment', async () => {
    const { harness, pulls } = await open();
    await pulls.push(7, '1001', { inputs, rules: verdict('One.') });
    const second = await pulls.push(7, '1002', { inputs, rules: verdict('Two.') });
    expect(reasonOf(second)).toBe('review#1@1 resumed previous passed');
    expect(warningsOf(second)).toEqual([]);
    const names = harness.cache.shelf.artifacts.map(({ name }) => name);
    expect(
      names.filter((name) => name.startsWith('gump-sessions-pr-7-') && !name.endsWith('-in-use')),
    ).toHaveLength(2);
  });

  it('of a push are continued by a comment on the pull request', async () => {
    const { harness, pulls } = await open();
    await pulls.push(7, '1001', { inputs, rules: verdict('One.') });
    const { state } = pulls.github;
    const author = { login: 'octocat', type: 'User' as const };
    const pull = { number: 7, title: '', body: '', state: 'open' as const, base: 'main', headRef: 'pull-7' };
    state.pulls.push({ ...pull, author, headRepository: 'octo/sample' });
    state.permissions.octocat = 'write';
    const payload = { issue: { number: 7, pull_request: {} }, comment: { body: 'Go on.', user: author } };
    const second = await pulls.run(7, '1002', {
      inputs,
      event: { name: 'issue_comment', payload },
      rules: verdict('Two.'),
    });
    expect(reasonOf(second)).toBe('review#1@1 resumed previous passed');
    expect(callLines(await harness.calls())).toEqual(['codex start a after 0', 'codex resume a after 1']);
  });

  it('that have expired are not found, with one warning', async () => {
    const { harness, pulls } = await open();
    await pulls.push(7, '1001', { inputs, rules: verdict('One.') });
    for (const artifact of harness.cache.shelf.artifacts) artifact.expired = true;
    const second = await pulls.push(7, '1002', { inputs, rules: verdict('Two.') });
    expect(reasonOf(second)).toBe('review#1@1 new previous-not-found passed');
    expect(warningsOf(second)).toEqual([
      expect.stringContaining('The entry of run 1001 is not used: it has expired.'),
    ]);
  });

  it('cannot be read without the permission, with one warning that has the lines to add', async () => {
    const { pulls } = await open();
    await pulls.push(7, '1001', { inputs, rules: verdict('One.') });
    pulls.github.state.missingPermissions.add('actions: read');
    const second = await pulls.push(7, '1002', { inputs, rules: verdict('Two.') });
    expect(reasonOf(second)).toBe('review#1@1 new previous-not-found passed');
    const ofSessions = warningsOf(second).filter((text) => text.includes('sessions of earlier runs'));
    expect(ofSessions).toEqual([expect.stringContaining('permissions:\n  actions: read')]);
  });
});
