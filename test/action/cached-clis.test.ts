/** Installed CLIs in the Actions cache: stored by one job, restored on the machine of another one without npm. */
import { appendFileSync, chmodSync, globSync, lstatSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CacheService, StoredEntry } from '../rig/cache-service.js';
import { startGitHub } from '../rig/github/server.js';
import { type Machine, pullRequestEvent, type StepResult } from '../rig/machine.js';
import { installStandInNpm, type NpmCall } from '../rig/stand-in-npm.js';
import { createHarness, type Harness, type RunJobOptions } from './harness.js';

const step = (agent: string) =>
  `  - name: ${agent.split('-')[0]}\n    type: code\n    agent: ${agent}\n    prompt: Do it.\n`;
const flow = (...agents: readonly string[]) => `name: flow\nsteps:\n${agents.map(step).join('')}`;

interface CliJob extends StepResult {
  /** The calls of npm. */
  readonly npm: readonly NpmCall[];
}

let runs = 0;

/** A job of a new run on a new machine that has npm and no CLIs. */
async function runWithoutClis(harness: Harness, options: RunJobOptions = {}): Promise<CliJob> {
  runs += 1;
  let calls: (() => Promise<readonly NpmCall[]>) | undefined;
  let npm: readonly NpmCall[] = [];
  const result = await harness.runJob({
    runId: String(5000 + runs),
    programs: [],
    ...options,
    async prepare(machine) {
      ({ calls } = await installStandInNpm(machine));
      await options.prepare?.(machine);
    },
    async inspect(machine) {
      npm = (await calls?.()) ?? [];
      await options.inspect?.(machine);
    },
  });
  expect([result.main.errors, result.main.outputs.status]).toEqual([[], 'passed']);
  return { ...result, npm };
}

const cliEntries = (cache: CacheService): readonly StoredEntry[] =>
  cache.entries().filter(({ key }) => key.startsWith('gump-cli-'));
const cliNames = (cache: CacheService) => cliEntries(cache).map(({ key }) => key);
const cliRequests = (cache: CacheService, from = 0) =>
  cache
    .requests()
    .slice(from)
    .filter(({ key }) => key.startsWith('gump-cli-'))
    .map(({ operation }) => operation);

const restored = 'Restored Codex CLI 0.169.0 from the Actions cache';
const installing = 'Installing Codex CLI 0.169.0';
const notUsed = 'Codex CLI 0.169.0 from the Actions cache is not used';

const codexNames = [
  expect.stringMatching(/^gump-cli-v1-codex-0\.169\.0-[a-z]+-\w+(?:-musl)?-[0-9a-f]{12}-[0-9a-f]{4}-1-$/),
];

describe('an installed CLI', () => {
  it('is stored by `post`, and restored on another machine without npm', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow('codex') });
    const first = await runWithoutClis(harness);
    expect(first.npm.map(({ argv }) => argv[0])).toEqual(['ci']);
    expect(first.main.log).toContain(installing);
    expect(first.post?.log).toMatch(/^Stored Codex CLI 0\.169\.0 in the Actions cache \(1 MB\)/m);
    expect(cliNames(harness.cache)).toEqual(codexNames);
    expect(cliRequests(harness.cache)).toEqual(['lookup', 'lookup', 'create', 'upload', 'finalize']);

    const before = harness.cache.requests().length;
    const kinds: string[] = [];
    const second = await runWithoutClis(harness, {
      inspect: async ({ toolCache }) => void kinds.push(...kindsOf(toolCache)),
    });
    expect([second.npm, second.main.warnings]).toEqual([[], []]);
    expect(second.main.log).toContain(restored);
    expect(second.main.log).not.toContain('Installing');
    expect(second.main.report?.steps[0]?.attempts[0]).toMatchObject({ cliVersion: '0.169.0' });
    expect(cliRequests(harness.cache, before)).toEqual(['lookup', 'lookup', 'download']);
    expect(kinds).toEqual(['link', 'read-only program']);
  });

  it('is stored for two agents at once, and another version of one of them in addition', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow('codex', 'claude-haiku') });
    await runWithoutClis(harness);
    expect(cliNames(harness.cache)).toHaveLength(2);
    const second = await runWithoutClis(harness);
    expect(second.npm).toEqual([]);
    expect(second.main.log).toContain(restored);
    expect(second.main.log).toContain('Restored Claude Code CLI 2.1.330 from the Actions cache');

    const inputs = { 'cli-versions': 'codex: 0.170.0' };
    const other = await runWithoutClis(harness, { inputs });
    expect(other.npm.map(({ argv }) => argv[0])).toEqual(['install']);
    expect(cliNames(harness.cache)).toHaveLength(3);
    const again = await runWithoutClis(harness, { inputs });
    expect(again.npm).toEqual([]);
    expect(again.main.log).toContain('Restored Codex CLI 0.170.0 from the Actions cache');
  });

  it('is neither stored nor restored with `cache-clis: false`, a directory store, or a CLI on PATH', async () => {
    const harness = await createHarness({ workflow: flow('codex') });
    await runWithoutClis(harness, { inputs: { 'cache-clis': 'false' } });
    await runWithoutClis(harness, {
      inputs: { 'state-store': `directory:${harness.stateDirectory}` },
    });
    await runWithoutClis(harness, { programs: ['codex'] });
    expect(cliRequests(harness.cache)).toEqual([]);
  });

  it('is installed from npm if the cache may not be used, without a warning', async () => {
    const harness = await createHarness({ workflow: flow('codex') });
    await runWithoutClis(harness);
    const before = harness.cache.requests().length;
    const { npm, post } = await runWithoutClis(harness, { cacheMode: 'none' });
    expect([npm.length, post?.warnings]).toEqual([1, []]);
    expect(cliRequests(harness.cache, before)).toEqual([]);
  });
});

describe('a cached CLI is not used', () => {
  it('if it was altered; the next machine uses the one that was stored in its place', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow('codex') });
    await runWithoutClis(harness);
    const [name = ''] = cliNames(harness.cache);
    harness.cache.corrupt(name, flipLastByte);
    const { npm, main } = await runWithoutClis(harness);
    expect(npm).toHaveLength(1);
    expect(main.log).toContain(`${notUsed}: it was altered.`);
    expect(main.warnings).toEqual([]);
    expect(cliNames(harness.cache)).toEqual([name, name.replace(/1-$/, '2-')]);
    const third = await runWithoutClis(harness);
    expect([third.npm, third.main.log.includes(restored)]).toEqual([[], true]);
  });

  it('if it was stored under the name of another one', async () => {
    const harness = await createHarness({ workflow: flow('codex') });
    await runWithoutClis(harness);
    await runWithoutClis(harness, { inputs: { 'cli-versions': 'codex: 0.170.0' } });
    const [older, newer] = cliEntries(harness.cache);
    harness.cache.corrupt(newer?.key ?? '', () => older?.body ?? Buffer.alloc(0));
    const { npm, main } = await runWithoutClis(harness, { inputs: { 'cli-versions': 'codex: 0.170.0' } });
    expect(npm).toHaveLength(1);
    expect(main.log).toContain(
      'Codex CLI 0.170.0 from the Actions cache is not used: it belongs to another entry.',
    );
  });

  it('with another key, which gets an entry of its own', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow('codex') });
    await runWithoutClis(harness);
    const env = { OPENAI_API_KEY: 'sk-proj-OTHER-9876543210zyxwvutsrq' };
    const other = await runWithoutClis(harness, { env });
    expect(other.npm).toHaveLength(1);
    expect(other.main.log).not.toContain('from the Actions cache is not used');
    expect(new Set(cliNames(harness.cache)).size).toBe(2);
    expect((await runWithoutClis(harness, { env })).npm).toEqual([]);
    expect((await runWithoutClis(harness)).npm).toEqual([]);
  });

  it('unless one line of `state-key` opens it', async () => {
    const harness = await createHarness({ workflow: flow('codex') });
    const [old, own] = ['an old state key 0123456789', 'a new state key 0123456789'];
    await runWithoutClis(harness, { inputs: { 'state-key': old } });
    expect((await runWithoutClis(harness)).npm).toHaveLength(1);
    const both = await runWithoutClis(harness, { inputs: { 'state-key': `${own}\n${old}` } });
    expect([both.npm, both.main.log.includes(restored)]).toEqual([[], true]);
    expect((await runWithoutClis(harness, { inputs: { 'state-key': own } })).npm).toHaveLength(1);
  });
});

describe('a CLI is not stored', () => {
  it('by a pull request of a fork, by an event that anybody can cause, and with a read-only cache', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow('codex') });
    const api = await startGitHub({ git: harness.repository });
    api.state.permissions.ada = 'write';
    const { head, headRef } = await harness.repository.pullRequest(7, { 'a.txt': 'a' });
    const fork = { ...pullRequestEvent({ number: 7, head, headRef, fork: 'eve' }), actor: 'ada' };
    const checkout = { ref: 'refs/pull/7/merge' };
    await runWithoutClis(harness, { event: fork, checkout, apiUrl: api.url });
    const comment = { name: 'issue_comment', actor: 'ada', payload: { issue: { number: 7 } } };
    await runWithoutClis(harness, { event: comment, apiUrl: api.url, cacheMode: 'write' });
    await runWithoutClis(harness, { cacheMode: 'read' });
    expect(cliNames(harness.cache)).toEqual([]);

    // All of them may use what a run of the repository has stored.
    await runWithoutClis(harness);
    expect(cliNames(harness.cache)).toHaveLength(1);
    const { npm } = await runWithoutClis(harness, { event: comment, apiUrl: api.url });
    expect(npm).toEqual([]);
  });

  it('if its files were changed after it was installed', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow('codex') });
    const { post } = await runWithoutClis(harness, {
      beforePost: async ({ toolCache }) => {
        const [file = ''] = programsIn(toolCache);
        chmodSync(file, 0o755);
        appendFileSync(file, '// planted\n');
      },
    });
    expect(post?.warnings).toEqual([
      expect.stringMatching(/^Codex CLI 0\.169\.0 was changed during the run, so it is not stored/),
    ]);
    expect(cliNames(harness.cache)).toEqual([]);
  });

  it('if the job was cancelled', async () => {
    const harness = await createHarness({ workflow: flow('codex') });
    await runWithoutClis(harness, { laterStatus: 'cancelled' });
    expect(cliNames(harness.cache)).toEqual([]);
  });
});

/** The programs of Codex in the tool cache. */
function programsIn(toolCache: Machine['toolCache']): readonly string[] {
  return globSync(join(toolCache, 'gump-clis/codex/*/*/node_modules/.bin/codex'));
}

/** What the program on the path of the CLI is, and where it leads. */
function kindsOf(toolCache: Machine['toolCache']): readonly string[] {
  return programsIn(toolCache).flatMap((path) => {
    const { mode } = lstatSync(realpathSync(path));
    const program = `${(mode & 0o222) === 0 ? 'read-only' : 'writable'} ${(mode & 0o111) === 0 ? 'file' : 'program'}`;
    return [lstatSync(path).isSymbolicLink() ? 'link' : 'file', program];
  });
}

/** Changes the last byte of the one file in a tar archive. */
function flipLastByte(body: Buffer): Buffer {
  const end = 512 + Number.parseInt(body.toString('latin1', 124, 136), 8) - 1;
  body[end] = (body[end] ?? 0) ^ 1;
  return body;
}
