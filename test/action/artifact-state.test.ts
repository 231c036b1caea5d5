/** The state of a run in artifacts: where the Actions cache cannot be written, and where `state-store` says so. */
import { describe, expect, it } from 'vitest';
import { readOnlyFile } from '../../src/artifacts/zip-file.js';
import { readBinding } from '../../src/checkpoint/seal.js';
import { startGitHub } from '../rig/github/server.js';
import type { StepResult, WorkflowEvent } from '../rig/machine.js';
import type { AgentRule } from '../rig/stand-in.js';
import { createHarness, type Harness, type RunJobOptions } from './harness.js';

const flow = `
name: flow
steps:
  - name: tests
    type: code
    agent: claude-haiku
    prompt: write the tests
    gate: [bash: 'test -f tests.txt']
    retry: [exit: 1]
  - name: impl
    type: code
    agent: codex
    prompt: make them pass
    session: new
    gate: [bash: 'test -f impl.txt']
    retry: [exit: 1]
`;

const first: AgentRule = { prompt: 'write the tests', do: [{ write: 'tests.txt', content: 'x' }] };
const failing: readonly AgentRule[] = [first];
const passing: readonly AgentRule[] = [first, { do: [{ write: 'impl.txt', content: 'x' }] }];

const warnings = ({ main, post }: StepResult) => [...main.warnings, ...(post?.warnings ?? [])];
const agents = async (harness: Harness) => (await harness.calls()).map(({ provider }) => provider);
const names = ({ cache }: Harness) => cache.shelf.artifacts.map(({ name }) => name);

const comment: WorkflowEvent = {
  name: 'issue_comment',
  payload: {
    action: 'created',
    issue: { number: 12 },
    comment: { body: '/fix', author_association: 'OWNER' },
  },
};

/** A run that somebody with write permission started by a comment. */
async function openCommentRun(code: 'dist' | 'src' = 'src') {
  const harness = await createHarness({ code, workflow: flow });
  const github = await startGitHub({ git: harness.repository, shelf: harness.cache.shelf });
  github.state.permissions.octocat = 'write';
  const run = (options: RunJobOptions) => harness.runJob({ event: comment, apiUrl: github.url, ...options });
  return { harness, github, run };
}

describe('a run that was started by a comment, whose cache is read-only', () => {
  it('fails, and its re-run resumes from the artifact', async () => {
    const { harness, run } = await openCommentRun('dist');
    const failed = await run({ rules: failing });
    expect(warnings(failed)).toEqual([]);
    expect(failed.main.outputs).toMatchObject({ status: 'failed', 'failed-step': 'impl', persisted: 'true' });
    expect(failed.main.log).toContain('Checkpoints are stored as artifacts of this run.');
    expect(harness.cache.entries()).toEqual([]);
    expect(names(harness)).toContain(failed.main.outputs.checkpoint);
    // Everybody may download them.
    for (const { name, body = Buffer.alloc(0) } of harness.cache.shelf.artifacts) {
      const file = readOnlyFile(body, body.length) ?? Buffer.alloc(0);
      expect(readBinding(file)).toMatchObject({ runId: '1001', jobAttempt: 1 });
      expect(`${name} ${body.toString('latin1')}`).not.toMatch(/write the tests|tests\.txt|claude-haiku/);
    }

    const rerun = await run({ jobAttempt: 2, rules: passing });
    expect(rerun.main.outputs).toMatchObject({ status: 'passed', resumed: 'true', persisted: 'true' });
    expect(await agents(harness)).toEqual(['claude', 'codex', 'codex']);
    expect(warnings(rerun)).toEqual([]);
  });
});

describe('what an earlier job attempt stored as artifacts', () => {
  it('is found through the REST API after "Re-run all jobs"', async () => {
    const { harness, run } = await openCommentRun();
    await run({ rules: failing });
    const rerun = await run({ jobAttempt: 2, isFullRerun: true, rules: passing });
    expect(rerun.main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(await agents(harness)).toEqual(['claude', 'codex', 'codex']);
  });

  it('is not found there without `actions: read`: the re-run starts fresh, and one warning says why', async () => {
    const { github, run } = await openCommentRun();
    await run({ rules: failing });
    github.state.missingPermissions.add('actions: read');
    const rerun = await run({ jobAttempt: 2, isFullRerun: true, rules: passing });
    expect(rerun.main.outputs).toMatchObject({ status: 'passed', resumed: 'false', persisted: 'true' });
    expect(warnings(rerun)).toEqual([expect.stringMatching(/^Starting fresh: .*`actions: read`/)]);
  });

  it('is found although the first attempt has changed to artifacts in the middle', async () => {
    const harness = await createHarness({ workflow: flow });
    harness.cache.injectFault('create', { status: 403 });
    const failed = await harness.runJob({ rules: failing });
    expect(failed.main.outputs).toMatchObject({ status: 'failed', persisted: 'true' });
    expect(failed.main.log).toMatch(/did not accept a checkpoint \(.*403.*stored as artifacts from now on/);
    expect(warnings(failed)).toEqual([]);
    expect(harness.cache.entries()).toEqual([]);
    harness.cache.clearFaults();
    const rerun = await harness.runJob({ jobAttempt: 2, rules: passing });
    expect(rerun.main.outputs).toMatchObject({ status: 'passed', resumed: 'true', persisted: 'true' });
    expect(await agents(harness)).toEqual(['claude', 'codex', 'codex']);
    // The re-run stores in the cache again.
    expect(harness.cache.entries().some(({ key }) => key === rerun.main.outputs.checkpoint)).toBe(true);
  });

  it('is refused if it was changed, and an older one is used', async () => {
    const { harness, run } = await openCommentRun();
    const failed = await run({ rules: failing });
    const { shelf } = harness.cache;
    const last = shelf.artifacts.find(({ name }) => name === failed.main.outputs.checkpoint);
    if (last?.body === undefined) throw new Error('There is no artifact.');
    last.body = shelf.artifacts.at(-2)?.body ?? Buffer.alloc(0);
    const rerun = await run({ jobAttempt: 2, rules: passing });
    expect(rerun.main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(warnings(rerun)).toEqual([expect.stringContaining(`\`${last.name}\` is not used`)]);
  });

  it('is not known if the service does not answer: no agent starts', async () => {
    const harness = await createHarness({ store: 'artifact', workflow: flow });
    await harness.runJob({ rules: failing });
    for (let count = 0; count < 40; count += 1)
      harness.cache.injectFault('artifact list', { reset: true, times: 1 });
    harness.cache.injectFault('artifact list', { status: 503 });
    const rerun = await harness.runJob({ jobAttempt: 2, rules: passing });
    expect(rerun.main.errors.join()).toMatch(/It is unknown whether .*artifacts did not answer/);
    expect(await agents(harness)).toEqual(['claude', 'codex']);
  });
});

describe('post', () => {
  it('stores the last state as an artifact if main was killed', async () => {
    const { harness, run } = await openCommentRun('dist');
    const hanging: AgentRule = { prompt: 'make them pass', do: [{ say: 'now hanging' }, { hang: true }] };
    const stop = { when: { log: 'now hanging' }, how: 'kill' } as const;
    const killed = await run({ rules: [first, hanging], stop });
    expect(killed.post?.log).toMatch(/Stored checkpoint `gump-v2-/);
    expect(harness.cache.entries()).toEqual([]);
    const rerun = await run({ jobAttempt: 2, rules: passing });
    expect(rerun.main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(await agents(harness)).toEqual(['claude', 'codex', 'codex']);
  });
});

describe('a runner without artifacts', () => {
  it.each([
    ['an Enterprise Server', { GITHUB_SERVER_URL: 'https://github.company.example' }],
    ['nektos/act', { ACT: 'true' }],
  ])('(%s) keeps to the cache, and warns once if that is read-only', async (_, env) => {
    const { harness, run } = await openCommentRun();
    const { main } = await run({ rules: failing, env });
    expect(main.outputs).toMatchObject({ status: 'failed', persisted: 'false' });
    expect(main.warnings).toEqual([
      expect.stringMatching(
        /^No checkpoint is stored\. .*cache.* Artifacts are unavailable: only GitHub\.com/,
      ),
    ]);
    expect(harness.cache.artifactRequests()).toEqual([]);
  });
});

describe('`state-store: artifact`', () => {
  it('stores nothing in the cache', async () => {
    const harness = await createHarness({ store: 'artifact', workflow: flow });
    const failed = await harness.runJob({ rules: failing });
    expect(failed.main.outputs).toMatchObject({ status: 'failed', persisted: 'true' });
    const rerun = await harness.runJob({ jobAttempt: 2, rules: passing });
    expect(rerun.main.outputs).toMatchObject({ status: 'passed', resumed: 'true', persisted: 'true' });
    expect(harness.cache.entries()).toEqual([]);
    expect(harness.cache.shelf.artifacts.length).toBeGreaterThan(2);
  });
});
