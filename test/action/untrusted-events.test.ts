/** Who may start agents, and on which files. Each scene is a job on a machine, with GitHub's API on loopback. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { git } from '../rig/git.js';
import { type GitHubContent, startGitHubApi } from '../rig/github-api.js';
import { type Machine, pullRequestEvent, type WorkflowEvent } from '../rig/machine.js';
import { createHarness, type Harness, type RunJobOptions } from './harness.js';

const flow = `
name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: do it
`;

const files = { '.gitignore': 'node_modules/\n', 'kept.txt': 'kept\n', '.claude/settings.json': '{}\n' };
const people = { ada: 'write', max: 'admin', eve: 'read' };

/** A job of this event, started by ada unless the event names somebody else. */
async function runEvent(
  harness: Harness,
  event: WorkflowEvent,
  { api, ...options }: RunJobOptions & { readonly api?: GitHubContent } = {},
) {
  const service = await startGitHubApi({ permissions: people, ...api });
  const before = (await harness.calls()).length;
  const { main } = await harness.runJob({
    apiUrl: service.url,
    event: { actor: 'ada', ...event },
    ...options,
  });
  const calls = (await harness.calls()).length - before;
  return { status: main.outputs.status, errors: main.errors, calls, requests: service.requests(), main };
}

const passed = { status: 'passed', errors: [], calls: 1 };

describe('an event', () => {
  it.each(['check_suite', 'check_run', 'status', 'label', 'milestone', 'public', 'an_event_of_tomorrow'])(
    '`%s` starts agents only for people with write permission',
    async (name) => {
      const code = name === 'check_suite' ? 'dist' : 'src';
      const harness = await createHarness({ code, workflow: flow });
      const refused = await runEvent(harness, { name, actor: 'eve' });
      expect(refused).toMatchObject({ status: 'failed', calls: 0 });
      expect(refused.errors).toEqual([
        expect.stringMatching(/^eve has the permission "read" in octo\/sample/),
      ]);
    },
  );

  it('that only writers can cause starts agents without a request', async () => {
    const harness = await createHarness({ workflow: flow });
    expect(await runEvent(harness, { name: 'deployment', actor: 'eve' })).toMatchObject({
      ...passed,
      requests: [],
    });
  });

  it('`workflow_run` needs write permission of both actors of the earlier run', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow });
    const run = (actor: object | null, triggering_actor: object | null): WorkflowEvent => ({
      name: 'workflow_run',
      payload: { workflow_run: { actor, triggering_actor } },
    });
    const [ada, eve] = [{ login: 'ada' }, { login: 'eve' }];
    expect((await runEvent(harness, run(ada, eve))).errors).toEqual([expect.stringMatching(/^eve has/)]);
    expect((await runEvent(harness, run(eve, ada))).errors).toEqual([expect.stringMatching(/^eve has/)]);
    expect((await runEvent(harness, run(ada, null))).errors).toEqual([
      expect.stringMatching(/^The event does not name everybody who started the earlier workflow run/),
    ]);
    expect(await runEvent(harness, run(ada, { login: 'max' }))).toMatchObject(passed);
  });

  it('of a bot starts agents only if `allowed-bots` names it', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow });
    const event = { name: 'issue_comment', actor: 'renovate[bot]' };
    expect((await runEvent(harness, event)).errors).toEqual([
      expect.stringMatching(/^renovate\[bot\] is a bot that the input `allowed-bots` does not name\./),
    ]);
    const inputs = { 'allowed-bots': 'other\nrenovate[bot]' };
    expect(await runEvent(harness, event, { inputs })).toMatchObject({ ...passed, requests: [] });
    // A person with the name of an allowed bot is still a person.
    expect((await runEvent(harness, { ...event, actor: 'other' }, { inputs })).errors).toEqual([
      expect.stringMatching(/^other has the permission "none"/),
    ]);
  });
});

describe('a pull request of a fork', () => {
  it('needs write permission of its actor if the job has a credential', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow });
    const { head, headRef } = await harness.repository.pullRequest(7, { 'a.txt': 'a' });
    const event = pullRequestEvent({ number: 7, head, headRef, fork: 'eve' });
    const checkout = { ref: 'refs/pull/7/merge' };
    const refused = await runEvent(harness, { ...event, actor: 'eve' }, { checkout });
    expect(refused).toMatchObject({ status: 'failed', calls: 0 });
    expect(refused.errors).toEqual([expect.stringMatching(/^eve has the permission "read"/)]);
    const without = await runEvent(harness, { ...event, actor: 'eve' }, { checkout, credentials: 'none' });
    expect(without).toMatchObject({ status: 'skipped', requests: [] });
    // Somebody with write permission has labelled it.
    expect(await runEvent(harness, event, { checkout })).toMatchObject(passed);
  });
});

describe('the files of the checkout', () => {
  const comment: WorkflowEvent = {
    name: 'issue_comment',
    payload: { issue: { number: 7, pull_request: { url: 'x' } } },
  };

  const changes: Readonly<Record<string, (machine: Machine) => Promise<void>>> = {
    'kept.txt': ({ workspace }) => writeFile(join(workspace, 'kept.txt'), 'changed\n'),
    'new.txt': ({ workspace }) => writeFile(join(workspace, 'new.txt'), 'new\n'),
    '.claude/settings.json': async ({ workspace }) => {
      await writeFile(join(workspace, '.claude/settings.json'), '{"hooks":{}}');
      await git(workspace, 'add', '-A');
    },
    'pull/': async ({ workspace }) => {
      await git(workspace, 'clone', '--quiet', '.', 'pull');
    },
  };

  it.each(Object.entries(changes))('must be those of the commit: %s is refused', async (name, prepare) => {
    const code = name.startsWith('.claude') ? 'dist' : 'src';
    const harness = await createHarness({ code, workflow: flow, files });
    const { sha } = harness.repository;
    const refused = await runEvent(harness, { ...comment, sha }, { prepare });
    expect(refused).toMatchObject({ status: 'failed', calls: 0 });
    expect(refused.errors).toEqual([
      expect.stringMatching(
        `^The files of the checkout are not those of ${sha} \\(the commit of the event\\): \`${name}\`\\. On `,
      ),
    ]);
    const inputs = { 'allow-untrusted-checkout': 'true' };
    expect(await runEvent(harness, { ...comment, sha }, { prepare, inputs })).toMatchObject(passed);
  });

  it('may include ignored files and the credentials that other actions leave', async () => {
    const harness = await createHarness({ workflow: flow, files });
    const result = await runEvent(harness, comment, {
      async prepare({ workspace }) {
        await mkdir(join(workspace, 'node_modules/a'), { recursive: true });
        await writeFile(join(workspace, 'node_modules/a/index.js'), '');
        await writeFile(join(workspace, 'gha-creds-12ab.json'), '{}');
      },
    });
    expect(result).toMatchObject({ ...passed, requests: [expect.stringContaining('/collaborators/ada/')] });
  });

  it.each(['head', 'merge'] as const)(
    'may be those of the %s of a pull request of the repository',
    async (which) => {
      const harness = await createHarness({ workflow: flow, files });
      const { sha } = harness.repository;
      const pull = await harness.repository.pullRequest(7, { 'a.txt': 'a' });
      const event = { ...comment, sha };
      const checkout = { ref: `refs/pull/7/${which}` };
      expect(await runEvent(harness, event, { checkout, api: { pulls: [pull] } })).toMatchObject(passed);
      for (const headRepository of ['eve/sample', null]) {
        const refused = await runEvent(harness, event, {
          checkout,
          api: { pulls: [{ ...pull, headRepository }] },
        });
        expect(refused).toMatchObject({ status: 'failed', calls: 0 });
        expect(refused.errors).toEqual([
          expect.stringMatching(
            `^The checkout is at ${pull[which]}, not at a commit that agents may run on for \`issue_comment\`: ` +
              `${sha} \\(the commit of the event\\)\\. Pull request #7 comes from ` +
              `${headRepository ?? 'a deleted repository'}, so its commits are not allowed\\. Remove \`ref:\``,
          ),
        ]);
      }
    },
  );

  it('may be those of a pull request that the event does not name', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow, files });
    const { sha } = harness.repository;
    const pull = await harness.repository.pullRequest(7, { 'a.txt': 'a' });
    const event = { name: 'discussion_comment', sha };
    const checkout = { ref: 'refs/pull/7/head' };
    expect(await runEvent(harness, event, { checkout, api: { pulls: [pull] } })).toMatchObject(passed);
  });

  it('may not be those of another branch, nor of a pull request that GitHub does not report', async () => {
    const harness = await createHarness({ workflow: flow, files });
    const { sha } = harness.repository;
    const head = await harness.repository.commit({ 'evil.txt': 'x' }, { branch: 'topic' });
    const event = { ...comment, sha };
    const checkout = { commit: head };
    expect((await runEvent(harness, event, { checkout })).errors).toEqual([
      expect.stringMatching(`^The checkout is at ${head}, .*Remove \`ref:\` from the checkout step`),
    ]);
    const denied = await runEvent(harness, event, { checkout, api: { pullStatus: 403 } });
    expect(denied).toMatchObject({ status: 'failed', calls: 0 });
    expect(denied.errors).toEqual([
      expect.stringMatching(/did not report which commits pull request #7 has.*`pull-requests: read`/),
    ]);
  });

  it.each([
    ['octo/sample', 'passed'],
    ['eve/sample', 'failed'],
  ])('may be those of an earlier run, here of %s: %s', async (full_name, status) => {
    const harness = await createHarness({ workflow: flow, files });
    const { sha } = harness.repository;
    const head = await harness.repository.commit({ 'a.txt': 'a' }, { branch: 'topic' });
    const ada = { login: 'ada' };
    const workflow_run = {
      actor: ada,
      triggering_actor: ada,
      head_sha: head,
      head_repository: { full_name },
    };
    const event = { name: 'workflow_run', sha, payload: { workflow_run } };
    expect(await runEvent(harness, event, { checkout: { commit: head } })).toMatchObject({ status });
  });
});
