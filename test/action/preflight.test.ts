/** The checks before an agent starts: programs, credentials, gates, git, the runner, and who triggered the event. */
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { git } from '../rig/git.js';
import { startGitHub } from '../rig/github/server.js';
import { type Machine, pullRequestEvent, type StepResult, type WorkflowEvent } from '../rig/machine.js';
import { createHarness, type Harness, type RunJobOptions } from './harness.js';

const flow = `
name: flow
steps:
  - name: tests
    type: code
    agent: claude-haiku
    prompt: write the tests
    gate: [compile, test]
  - name: impl
    type: code
    agent: codex
    prompt: make them pass
`;
const { outputs } = parse(await readFile('action.yml', 'utf8')) as { readonly outputs: object };
const simple = flow.replace(/ {4}gate: .*\n/, '');

/** All outputs of `action.yml` with their values if nothing ran. */
const emptyOutputs = {
  ...Object.fromEntries(Object.keys(outputs).map((name) => [name, ''])),
  ...{ resumed: 'false', persisted: 'false', sessions: '{}' },
};

async function expectRefused(harness: Harness, options: RunJobOptions): Promise<readonly string[]> {
  const { main } = await harness.runJob(options);
  expect(main.exitCode).toBe(1);
  expect(main.outputs).toEqual({ ...emptyOutputs, status: 'failed', report: main.outputs.report });
  // Outside a runner there is no directory for the report.
  if (main.outputs.report !== '') expect(main.report).toMatchObject({ status: 'failed', steps: [] });
  expect(main.summary).toContain('nothing ran');
  expect(main.log).not.toContain('Internal error in gump-action');
  expect(await harness.calls()).toEqual([]);
  return main.errors;
}

const dotGit = (machine: Machine) => join(machine.workspace, '.git');

describe('a missing requirement', () => {
  it('is reported together with all others: git, programs, gates and credentials', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow });
    const errors = await expectRefused(harness, {
      programs: ['codex'],
      credentials: 'none',
      inputs: { install: 'never' },
      prepare: (machine) => rm(dotGit(machine), { recursive: true }),
    });
    expect(errors).toEqual([
      expect.stringMatching(
        /^Claude Code has no credential\. Set `env:` of the action step to `ANTHROPIC_API_KEY: \$\{\{ secrets\.ANTHROPIC_API_KEY \}\}`, .*`CLAUDE_CODE_OAUTH_TOKEN`/,
      ),
      expect.stringMatching(/^Codex has no credential\. Set `env:` of the action step to `CODEX_API_KEY: /),
      expect.stringMatching(/sample` is not in a git worktree. Run `actions\/checkout` before this step/),
      'Claude Code CLI not found on PATH (program `claude`), and `install: never` allows no installation. Remove `install: never`, or install it in an earlier step of the job. Install it with `npm install -g @anthropic-ai/claude-code`.',
      expect.stringMatching(/`compile` of step `tests`: no command was found/),
      expect.stringMatching(/`test` of step `tests`: no command was found/),
    ]);
    for (const gate of errors.slice(4, 6)) expect(gate).toMatch(/commands|gump\.toml/);
  });

  it('is reported for a repository without a commit', async () => {
    const harness = await createHarness({ workflow: simple });
    const errors = await expectRefused(harness, {
      async prepare(machine) {
        await rm(dotGit(machine), { recursive: true });
        await git(machine.workspace, 'init', '--quiet');
      },
    });
    expect(errors).toEqual([expect.stringMatching(/HEAD names no commit.*create a first commit/)]);
  });

  it('is not reported for a credential in a login file of the user', async () => {
    const harness = await createHarness({ workflow: simple });
    const { main } = await harness.runJob({
      credentials: 'none',
      env: { OPENAI_API_KEY: 'sk-of-the-second-0123456789' },
      async prepare({ home }) {
        await mkdir(join(home, '.claude'), { recursive: true });
        await writeFile(join(home, '.claude', '.credentials.json'), '{}');
      },
    });
    expect(main.outputs.status).toBe('passed');
  });

  it('is reported for a state directory inside the worktree', async () => {
    const harness = await createHarness({ workflow: simple, files: { '.gitignore': 'ignored/\n' } });
    const link = async ({ root, workspace }: Machine) => symlink(workspace, join(root, 'link'));
    const at = (path: string) => ({ inputs: { 'state-store': `directory:${path}` }, prepare: link });
    for (const path of ['.', 'state/of/it', '../sample/state', '.gump/out/state', '../../../link/state'])
      expect(await expectRefused(harness, at(path)), path).toEqual([
        expect.stringMatching(/^Input `state-store`: .* is in the worktree, .*Use a path outside/),
      ]);
    for (const path of ['../state', 'ignored/state']) {
      const { main } = await harness.runJob(at(path));
      expect(main.outputs, path).toMatchObject({ status: 'passed', persisted: 'true' });
    }
  });

  it('is reported for an unsupported runner', async () => {
    const harness = await createHarness({ code: 'dist', workflow: simple });
    expect(await expectRefused(harness, { env: { RUNNER_OS: 'Windows' } })).toEqual([
      expect.stringMatching(
        /does not run on Windows. Use a Linux or macOS runner, for example `runs-on: ubuntu-latest`/,
      ),
    ]);
    const nowhere = { RUNNER_TEMP: '', GITHUB_RUN_ID: '', GITHUB_REPOSITORY: 'no-owner' };
    expect(await expectRefused(harness, { env: nowhere })).toEqual([
      expect.stringMatching(
        /"no-owner".*GITHUB_RUN_ID is not set.*Run this action as a step of a GitHub Actions job/,
      ),
    ]);
  });
});

describe('without a credential', () => {
  const fork = pullRequestEvent({ number: 7, head: 'a'.repeat(40), headRef: 'topic', fork: 'mallory' });
  const own = pullRequestEvent({ number: 7, head: 'a'.repeat(40), headRef: 'topic' });
  const dependabot: WorkflowEvent = { ...own, actor: 'dependabot[bot]' };

  function expectSkipped({ main, post }: StepResult): void {
    expect([main.exitCode, main.errors, main.outputs.status]).toEqual([0, [], 'skipped']);
    expect(main.report).toMatchObject({ version: 1, status: 'skipped' });
    expect(main.outputs).toEqual({
      ...emptyOutputs,
      status: 'skipped',
      report: expect.stringMatching(/json$/),
    });
    expect(main.notices).toEqual([expect.stringMatching(/^Nothing ran: Claude Code has no credential/)]);
    expect(main.summary).toContain('flow: skipped');
    expect(post?.masked.trim()).toBe('');
  }

  it('skips pull requests of forks and of Dependabot, unless `on-no-credentials` is set', async () => {
    const harness = await createHarness({ workflow: simple });
    const none = { credentials: 'none' } as const;
    expectSkipped(await harness.runJob({ ...none, event: fork }));
    expectSkipped(await harness.runJob({ ...none, event: dependabot }));
    expectSkipped(await harness.runJob({ ...none, inputs: { 'on-no-credentials': 'skip' } }));
    expect(await expectRefused(harness, { ...none, event: own })).toHaveLength(2);
    expect(
      await expectRefused(harness, { ...none, event: fork, inputs: { 'on-no-credentials': 'fail' } }),
    ).toHaveLength(2);
    expect(harness.cache.requests()).toEqual([]);
  });

  it('shows the name of the workflow as plain text without secrets', async () => {
    const harness = await createHarness({
      workflow: simple.replace('flow', '"<b>_x_ ghp_CANARY_0123456789"'),
    });
    const env = { SOME_TOKEN: 'ghp_CANARY_0123456789' };
    const { main } = await harness.runJob({ credentials: 'none', event: fork, env });
    expect(main.summary).toContain('### &lt;b&gt;\\_x\\_ \\*\\*\\*: skipped');
    expect(JSON.stringify(main.report)).not.toContain('CANARY');
  });
});

describe('an event that anyone can trigger', () => {
  const comment = (actor: string, more: Partial<WorkflowEvent> = {}): WorkflowEvent => ({
    name: 'issue_comment',
    actor,
    ...more,
  });

  it('starts agents only for people with write permission', async () => {
    const harness = await createHarness({ workflow: simple });
    const { url: apiUrl, state } = await startGitHub({ git: harness.repository });
    Object.assign(state.permissions, { ada: 'write', eve: 'read' });
    expect(await expectRefused(harness, { apiUrl, event: comment('eve') })).toEqual([
      expect.stringMatching(
        /^eve has the permission "read" in octo\/sample, .*write permission trigger the event/,
      ),
    ]);
    expect(
      await expectRefused(harness, { apiUrl, event: comment('ada', { triggeringActor: 'eve' }) }),
    ).toHaveLength(1);
    const { main } = await harness.runJob({ apiUrl, event: comment('ada'), cacheMode: 'write' });
    expect([main.outputs.status, main.outputs.persisted, main.errors]).toEqual(['passed', 'true', []]);
  });

  it('starts no agent if GitHub does not answer', async () => {
    const harness = await createHarness({ workflow: simple });
    expect(await expectRefused(harness, { event: comment('ada') })).toEqual([
      expect.stringMatching(/did not report whether ada may write to octo\/sample, so no agent starts/),
    ]);
  });
});
