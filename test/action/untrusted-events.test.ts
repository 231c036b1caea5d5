/** Who may start agents, and on which files. Each scene is a job on a machine, with GitHub's API on loopback. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { git } from '../rig/git.js';
import { startGitHub } from '../rig/github/server.js';
import type { GitHubState, StoredPull } from '../rig/github/state.js';
import { storedPull } from '../rig/github/stored-pull.js';
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

interface EventOptions extends RunJobOptions {
  readonly pulls?: readonly StoredPull[];
  /** Changes what GitHub knows. */
  readonly api?: (state: GitHubState) => void;
}

/** A job of this event, started by ada unless the event names somebody else. */
async function runEvent(
  harness: Harness,
  event: WorkflowEvent,
  { pulls = [], api, ...options }: EventOptions = {},
) {
  const service = await startGitHub({ git: harness.repository });
  Object.assign(service.state.permissions, people);
  service.state.pulls.push(...pulls);
  api?.(service.state);
  const before = (await harness.calls()).length;
  const { main } = await harness.runJob({
    apiUrl: service.url,
    event: { actor: 'ada', ...event },
    ...options,
  });
  const calls = (await harness.calls()).length - before;
  const requests = service.requests().map(({ path }) => path);
  return { status: main.outputs.status, errors: main.errors, calls, requests, main };
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
      expect(await runEvent(harness, event, { checkout, pulls: [storedPull(pull)] })).toMatchObject(passed);
      for (const headRepository of ['eve/sample', null]) {
        const refused = await runEvent(harness, event, {
          checkout,
          pulls: [storedPull({ ...pull, headRepository })],
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

  it('may be those of the merge that the checkout got, although GitHub names another one or none', async () => {
    const harness = await createHarness({ workflow: flow, files });
    const { sha } = harness.repository;
    const { merge: _merge, ...pull } = await harness.repository.pullRequest(7, { 'a.txt': 'a' });
    const event = { ...comment, sha };
    const checkout = { ref: 'refs/pull/7/merge' };
    expect(await runEvent(harness, event, { checkout, pulls: [storedPull(pull)] })).toMatchObject(passed);
    const newer = await harness.repository.commit({ 'b.txt': 'b' }, { branch: 'newer' });
    const pulls = [storedPull({ ...pull, merge: newer })];
    expect(await runEvent(harness, event, { checkout, pulls })).toMatchObject(passed);
  });

  it('may be those of an older merge only if its files are those of an allowed commit', async () => {
    const harness = await createHarness({ workflow: flow, files });
    const { sha, git: runGit } = harness.repository;
    const pull = await harness.repository.pullRequest(7, { 'a.txt': 'a' });
    const moveRefs = async () => {
      // GitHub has made a new merge since.
      await runGit('branch', '-f', 'old-merge', pull.merge);
      await harness.repository.commit({ 'b.txt': 'b' });
      return harness.repository.pullRequest(7, {});
    };
    const newer = await moveRefs();
    const checkout = { commit: pull.merge };
    const event = { ...comment, sha };
    const pulls = [storedPull({ ...newer, head: pull.head })];
    // The base had no commit of its own, so the merge has the files of the head, which the shallow checkout lacks.
    const result = await runEvent(harness, event, { checkout, pulls });
    expect(result).toMatchObject(passed);
    expect(result.requests).toContain(`/repos/octo/sample/git/commits/${pull.head}`);

    const stale = newer.merge;
    await runGit('branch', '-f', 'old-merge', stale);
    await harness.repository.commit({ 'c.txt': 'c' });
    const newest = await harness.repository.pullRequest(7, {});
    const refused = await runEvent(harness, event, {
      checkout: { commit: stale },
      pulls: [storedPull(newest)],
    });
    expect(refused).toMatchObject({ status: 'failed', calls: 0 });
    expect(refused.errors).toEqual([
      expect.stringMatching(/If the pull request or its base got a push since the checkout, re-run the job/),
    ]);
  });

  it('may be those of a closed pull request, and those of a fork only with `allow-untrusted-checkout`', async () => {
    const harness = await createHarness({ workflow: flow, files });
    const { sha } = harness.repository;
    const pull = await harness.repository.pullRequest(7, { 'a.txt': 'a' });
    const event = { ...comment, sha };
    const checkout = { ref: 'refs/pull/7/head' };
    const closed = [storedPull({ ...pull, state: 'closed' })];
    expect(await runEvent(harness, event, { checkout, pulls: closed })).toMatchObject(passed);
    const fork = [storedPull({ ...pull, headRepository: 'eve/sample' })];
    expect(await runEvent(harness, event, { checkout, pulls: fork })).toMatchObject({ calls: 0 });
    const inputs = { 'allow-untrusted-checkout': 'true' };
    expect(await runEvent(harness, event, { checkout, pulls: fork, inputs })).toMatchObject(passed);
  });

  it('may be a commit of a fork with the files of an allowed commit: the files count', async () => {
    const harness = await createHarness({ workflow: flow, files });
    const { sha } = harness.repository;
    const pull = await harness.repository.pullRequest(7, { 'a.txt': 'a' });
    const same = await harness.repository.commit({ 'a.txt': 'a' }, { branch: 'copy', message: 'By a fork' });
    const pulls = [
      storedPull(pull),
      storedPull({ number: 8, headRef: 'copy', headRepository: 'eve/sample' }),
    ];
    const event = { ...comment, sha };
    expect(await runEvent(harness, event, { checkout: { commit: same }, pulls })).toMatchObject(passed);
  });

  it('may be those of the head at a review, also after a push', async () => {
    const harness = await createHarness({ workflow: flow, files });
    const { sha } = harness.repository;
    const pull = await harness.repository.pullRequest(7, { 'a.txt': 'a' });
    await harness.repository.commit({ 'a.txt': 'b' }, { branch: pull.headRef });
    const head = (full_name: string) => ({ sha: pull.head, ref: pull.headRef, repo: { full_name } });
    const review = (from: string): WorkflowEvent => ({
      name: 'pull_request_review',
      sha,
      payload: { pull_request: { number: 7, head: head(from) } },
    });
    const { head: _head, ...moved } = pull;
    const checkout = { commit: pull.head };
    const pulls = [storedPull(moved)];
    const result = await runEvent(harness, review('octo/sample'), { checkout, pulls });
    expect(result).toMatchObject({ ...passed, requests: [expect.stringContaining('/collaborators/ada/')] });
    const ofFork = [storedPull({ ...moved, headRepository: 'eve/sample' })];
    const refused = await runEvent(harness, review('eve/sample'), { checkout, pulls: ofFork });
    expect(refused).toMatchObject({ status: 'failed', calls: 0 });
  });

  it('are those of the own commit of a review comment, without a look-up', async () => {
    const harness = await createHarness({ workflow: flow, files });
    const pull = await harness.repository.pullRequest(7, { 'a.txt': 'a' });
    const event = { ...comment, name: 'pull_request_review_comment', sha: pull.merge };
    const checkout = { ref: 'refs/pull/7/merge' };
    const result = await runEvent(harness, event, { checkout });
    expect(result).toMatchObject({ ...passed, requests: [expect.stringContaining('/collaborators/ada/')] });
  });

  it('may not be another commit for a comment on an issue', async () => {
    const harness = await createHarness({ workflow: flow, files });
    const { sha } = harness.repository;
    const other = await harness.repository.commit({ 'a.txt': 'a' }, { branch: 'topic' });
    const event = { name: 'issue_comment', sha, payload: { issue: { number: 12 } } };
    const refused = await runEvent(harness, event, { checkout: { commit: other } });
    expect(refused).toMatchObject({ status: 'failed', calls: 0 });
    expect(refused.requests).not.toContain('/repos/octo/sample/pulls/12');
  });

  it('may be those of a pull request that the event does not name', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow, files });
    const { sha } = harness.repository;
    const pull = await harness.repository.pullRequest(7, { 'a.txt': 'a' });
    const event = { name: 'discussion_comment', sha };
    const checkout = { ref: 'refs/pull/7/head' };
    expect(await runEvent(harness, event, { checkout, pulls: [storedPull(pull)] })).toMatchObject(passed);
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
    const withoutPulls = ({ missingPermissions }: GitHubState) =>
      void missingPermissions.add('pull-requests: read');
    const denied = await runEvent(harness, event, { checkout, api: withoutPulls });
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
