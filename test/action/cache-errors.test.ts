/**
 * Errors of the cache without artifacts (`state-store: cache`): the run continues and warns once about what a re-run can
 * restore. `artifact-state.test.ts` has those with artifacts.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { readBinding } from '../../src/checkpoint/seal.js';
import type { StepResult } from '../rig/machine.js';
import type { AgentRule } from '../rig/stand-in.js';
import { readSealedFile } from './cache-body.js';
import { createHarness, type Harness } from './harness.js';

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
    gate: [bash: 'test -f impl.txt']
    retry: [exit: 1]
`;

const first: AgentRule = { prompt: 'write the tests', do: [{ write: 'tests.txt', content: 'x' }] };
const rules = [first];
const passing: readonly AgentRule[] = [first, { do: [{ write: 'impl.txt', content: 'x' }] }];

const stored = (harness: Harness) => harness.cache.entries().filter(({ state }) => state === 'stored');
const warnings = ({ main, post }: StepResult) => [...main.warnings, ...(post?.warnings ?? [])];
const errors = ({ main, post }: StepResult) => [...main.errors, ...(post?.errors ?? [])];

/** Runs a job attempt and calls `onStored` while the second agent runs and the first attempt is stored. */
async function runWhileStoring(
  harness: Harness,
  onStored: () => unknown,
  then: readonly AgentRule[] = rules,
  inputs: Readonly<Record<string, string>> = {},
) {
  const go = join(harness.stateDirectory, '..', `go-${stored(harness).length}`);
  const waiting: AgentRule = { prompt: 'make them pass', do: [{ waitFor: go }, ...(then[1]?.do ?? [])] };
  const before = stored(harness).length;
  const running = harness.runJob({ rules: [first, waiting], inputs });
  while (stored(harness).length === before) await sleep(20);
  await onStored();
  await writeFile(go, '');
  return running;
}

describe('a cache without permission', () => {
  it('to write: restores the earlier state and reports that the run is not stored', async () => {
    const harness = await createHarness({ store: 'cache', workflow: flow });
    await harness.runJob({ rules });
    const rerun = await harness.runJob({ jobAttempt: 2, cacheMode: 'read', rules });
    expect(rerun.main.outputs).toMatchObject({ resumed: 'true', status: 'failed', persisted: 'false' });
    expect(warnings(rerun)).toEqual([
      'No checkpoint is stored. The Actions cache cannot be written in this job because `cache-mode` is `read`. ' +
        'Set `cache-mode: write` for the job if you trust the event that starts it. ' +
        'A re-run of this job starts fresh, or from an earlier checkpoint.',
    ]);
    expect(rerun.main.errors[0]).toContain('The last state is not stored');
    expect(rerun.main.summary).toContain('checkpoint not stored');
  });

  it('to read: warns in the first job attempt that a re-run cannot restore', async () => {
    const harness = await createHarness({ store: 'cache', workflow: flow });
    const { main } = await harness.runJob({ cacheMode: 'write-only', rules: passing });
    expect(main.outputs).toMatchObject({ status: 'passed', persisted: 'false' });
    expect(main.warnings).toEqual([
      expect.stringMatching(/`cache-mode` is `write-only`.*a re-run cannot find them/),
    ]);
  });

  it('to read or write, by mode or by token: runs without a checkpoint', async () => {
    const harness = await createHarness({ store: 'cache', workflow: flow });
    const none = await harness.runJob({ cacheMode: 'none', rules: passing });
    expect(none.main.outputs).toMatchObject({ status: 'passed', persisted: 'false' });
    expect(warnings(none)).toEqual([expect.stringContaining('`cache-mode` is `none`')]);
    expect(harness.cache.requests()).toEqual([]);
    const grant = { repository: 'octo/sample', read: ['refs/heads/main'] };
    const cacheToken = harness.cache.token({ ...grant, isSilent: true });
    const denied = await harness.runJob({ cacheToken, rules: passing });
    expect(denied.main.outputs).toMatchObject({ status: 'passed', persisted: 'false' });
    expect(warnings(denied)).toEqual([expect.stringMatching(/no writable scopes.*finds no checkpoint/)]);
  });
});

describe('a failing cache service', () => {
  it.each([
    ['409', { status: 409 }],
    ['429', { status: 429 }],
    ['ECONNRESET', { reset: true }],
  ] as const)('with %s causes one warning, even if post tries again', async (word, fault) => {
    const harness = await createHarness({ store: 'cache', workflow: flow });
    harness.cache.injectFault('create', fault);
    const result = await harness.runJob({ rules });
    expect(result.main.outputs).toMatchObject({
      status: 'failed',
      'failed-step': 'impl',
      persisted: 'false',
    });
    expect(warnings(result)).toEqual([expect.stringContaining(word)]);
    expect(warnings(result)[0]).toMatch(/The run continues\. .*a re-run finds no checkpoint/);
    expect(stored(harness)).toEqual([]);
    const rerun = await harness.runJob({ jobAttempt: 2, rules: passing });
    expect(rerun.main.warnings[0]).toMatch(/^Starting fresh: .*none was found/);
    expect(rerun.main.outputs).toMatchObject({ resumed: 'false', status: 'passed', persisted: 'false' });
  });

  it('during the run: keeps the last stored checkpoint and names it in the warning', async () => {
    const harness = await createHarness({ code: 'dist', store: 'cache', workflow: flow });
    const result = await runWhileStoring(harness, () => {
      for (const operation of ['create', 'lookup', 'upload'] as const)
        harness.cache.injectFault(operation, { reset: true });
    });
    const [kept] = stored(harness);
    expect(stored(harness)).toHaveLength(1);
    expect(result.main.outputs).toMatchObject({
      status: 'failed',
      persisted: 'false',
      checkpoint: kept?.key,
    });
    expect(warnings(result)).toEqual([expect.stringContaining(`continues from checkpoint \`${kept?.key}\``)]);
    harness.cache.clearFaults();
    const rerun = await harness.runJob({ jobAttempt: 2, rules: passing });
    expect(rerun.main.outputs).toMatchObject({ resumed: 'true', status: 'passed', persisted: 'true' });
    expect((await harness.calls()).map(({ provider }) => provider)).toEqual(['claude', 'codex', 'codex']);
  });

  it('that stores but does not answer: counts as stored', async () => {
    const harness = await createHarness({ store: 'cache', workflow: flow });
    const result = await runWhileStoring(harness, () =>
      harness.cache.injectFault('finalize', { reset: true, moment: 'after' }),
    );
    const last = stored(harness).at(-1)?.key;
    expect(result.main.outputs).toMatchObject({ status: 'failed', persisted: 'true', checkpoint: last });
  });

  it('that does not find the last checkpoint afterwards: counts as not stored', async () => {
    const harness = await createHarness({ store: 'cache', workflow: flow });
    harness.cache.injectFault('lookup', { reset: true });
    const result = await harness.runJob({ rules: passing });
    expect(result.main.outputs).toMatchObject({ status: 'passed', persisted: 'false' });
    expect(warnings(result)).toEqual([expect.stringMatching(/not found there afterwards. A re-run/)]);
  });
});

describe('the look-up in a re-run', () => {
  const providersOf = async (harness: Harness) => (await harness.calls()).map(({ provider }) => provider);

  it('waits for a service that asks to wait, and then continues', async () => {
    const harness = await createHarness({ code: 'dist', store: 'cache', workflow: flow });
    await harness.runJob({ rules });
    harness.cache.injectFault('lookup', { status: 429, retryAfter: 1, times: 1 });
    const rerun = await harness.runJob({ jobAttempt: 2, rules: passing });
    expect(rerun.main.outputs).toMatchObject({ resumed: 'true', status: 'passed' });
    expect(await providersOf(harness)).toEqual(['claude', 'codex', 'codex']);
  });

  it('without an answer fails the job before any agent starts, and a later re-run continues', async () => {
    const harness = await createHarness({ code: 'dist', store: 'cache', workflow: flow });
    await harness.runJob({ rules });
    harness.cache.injectFault('lookup', { status: 429, retryAfter: 120 });
    const rerun = await harness.runJob({ jobAttempt: 2, rules: passing });
    expect(rerun.main.exitCode).toBe(1);
    expect(errors(rerun)).toEqual([
      expect.stringMatching(
        /^It is unknown whether a checkpoint .* exists: the Actions cache did not answer \(.*429.*\)\. No agent was started\. Re-run the job later/,
      ),
    ]);
    expect(await providersOf(harness)).toEqual(['claude', 'codex']);
    harness.cache.clearFaults();
    const later = await harness.runJob({ jobAttempt: 3, rules: passing });
    expect(later.main.outputs).toMatchObject({ resumed: 'true', status: 'passed' });
    expect(await providersOf(harness)).toEqual(['claude', 'codex', 'codex']);
  });

  it('finds the checkpoint behind entries of somebody else', async () => {
    const harness = await createHarness({ code: 'dist', store: 'cache', workflow: flow });
    await harness.runJob({ rules });
    const last = stored(harness).at(-1);
    if (last === undefined) throw new Error('nothing is stored');
    const { repository, scope, version, body } = last;
    const put = (sequence: string, content: Buffer) =>
      harness.cache.add(
        { repository, scope, version, key: last.key.replace(/-s\d{6}-$/, `-s${sequence}-`) },
        content,
      );
    for (const sequence of ['000300', '000301', '000302', '000303', '999999'])
      put(sequence, Buffer.from('garbage'));
    // Written last, so the service finds it first.
    put('000000', body);
    const rerun = await harness.runJob({ jobAttempt: 2, rules: passing });
    expect(rerun.main.log).toContain(`Opened checkpoint \`${last.key}\``);
    expect(await providersOf(harness)).toEqual(['claude', 'codex', 'codex']);
  });

  it('that finds only a checkpoint with another key fails the job and names the variable', async () => {
    const harness = await createHarness({ code: 'dist', store: 'cache', workflow: flow });
    const former = 'a1Qm0vX9sLr27TgPzk4WbY6u';
    await harness.runJob({ rules, inputs: { 'state-key': former } });
    const inputs = { 'state-key': 'Zq8Wn3RtYb5Kd0LmXc7VhJ2p' };
    const rerun = await harness.runJob({ jobAttempt: 2, rules: passing, inputs });
    expect(errors(rerun)).toEqual([
      expect.stringMatching(
        /^Checkpoint `gump-v2-.*` exists, but no secret of this job opens it\. It was sealed with the value of `state-key`, which was changed or removed since\. No agent was started\. Add the former value as a line of `state-key`\. To start over instead, set `resume: never`/,
      ),
    ]);
    expect(await providersOf(harness)).toEqual(['claude', 'codex']);
    const both = { 'state-key': `${inputs['state-key']}\n${former}` };
    const later = await harness.runJob({ jobAttempt: 3, rules: passing, inputs: both });
    expect(later.main.outputs).toMatchObject({ resumed: 'true', status: 'passed' });
  });
});

describe('another job', () => {
  it('of a later job attempt makes this one report that its state does not count', async () => {
    const harness = await createHarness({ code: 'dist', store: 'cache', workflow: flow });
    const result = await runWhileStoring(harness, () => copyAs(harness, '-a1-', '-a2-'));
    expect(warnings(result)).toEqual([expect.stringMatching(/^Job attempt 2 of this run has stored/)]);
    expect(result.main.outputs).toMatchObject({ status: 'failed', persisted: 'false' });
  });

  it.each([
    ['with the same state name', { 'state-name': 'shared' }],
    ['that has the same derived state name', {}],
  ])('%s at the same time causes an error in one of the two', async (_how, inputs) => {
    const harness = await createHarness({ code: 'dist', store: 'cache', workflow: flow });
    const others: StepResult[] = [];
    const result = await runWhileStoring(
      harness,
      async () => others.push(await harness.runJob({ rules: passing, inputs })),
      rules,
      inputs,
    );
    expect(errors(result)[0]).toMatch(
      /^Two jobs use the state name ".*" at the same time\..* Set a different `state-name`/,
    );
    expect(result.main.outputs.persisted).toBe('false');
    expect(others.map(({ main }) => [main.outputs.status, main.outputs.persisted, main.errors])).toEqual([
      ['passed', 'true', []],
    ]);
  });
});

describe('the requests of a run', () => {
  it('are three for each checkpoint, and a few look-ups for the whole job', async () => {
    const steps = Array.from(
      { length: 8 },
      (_, index) => `  - {name: s${index}, type: code, agent: claude-haiku, prompt: go}\n`,
    );
    const harness = await createHarness({
      code: 'dist',
      workflow: `name: flow\nsteps:\n${steps.join('')}`,
    });
    const { main } = await harness.runJob({});
    expect(main.outputs).toMatchObject({ status: 'passed', persisted: 'true' });
    const requests = harness.cache.requests().map(({ operation }) => operation);
    const checkpoints = stored(harness).length;
    expect(checkpoints).toBeGreaterThanOrEqual(9);
    const count = (operation: string) => requests.filter((one) => one === operation).length;
    expect([count('create'), count('upload'), count('finalize')]).toEqual([
      checkpoints,
      checkpoints,
      checkpoints,
    ]);
    // `main` at its start and at its end; `post` before and after the mark that the job passed.
    const links = stored(harness)
      .slice(-2)
      .map(({ body }) => readBinding(Buffer.from(readSealedFile(body)))?.chain?.length ?? 0);
    expect(count('lookup')).toBe(4 + (links[0] ?? 0) + (links[1] ?? 0));
    expect(count('download')).toBe(0);
  });
});

function copyAs(harness: Harness, from: string, to: string): void {
  const newest = stored(harness).at(-1);
  if (newest === undefined) throw new Error('No checkpoint is stored.');
  harness.cache.add({ ...newest, key: newest.key.replace(from, to) }, newest.body);
}

describe('the output of the cache client', () => {
  it('is in the log only with debug logging', async () => {
    const harness = await createHarness({ code: 'dist', store: 'cache', workflow: flow });
    const silent = await harness.runJob({ rules: passing });
    const debug = await harness.runJob({ runId: '1002', rules: passing, env: { RUNNER_DEBUG: '1' } });
    const clientOutput = /Cache (?:saved|Size|hit)|Resolved Keys|Sent \d+ of|sig=|::debug::/;
    expect(silent.main.log).not.toMatch(clientOutput);
    expect(silent.main.log + silent.post?.log).not.toContain('checkpoint.gump');
    expect(debug.main.log).toMatch(/::debug::Resolved Keys/);
    for (const { main, post } of [silent, debug]) {
      expect(main.masked + post?.masked).not.toMatch(/sig=[0-9a-f]/);
    }
  });
});
