/** Secrecy and integrity of checkpoints, and which checkpoint a re-run uses. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Binding } from '../../src/checkpoint/binding.js';
import { openCheckpoint, sealCheckpoint } from '../../src/checkpoint/checkpoint.js';
import { chooseSecrets } from '../../src/checkpoint/seal-secrets.js';
import type { StepResult } from '../rig/machine.js';
import type { AgentRule } from '../rig/stand-in.js';
import { makeCacheBody, readSealedFile } from './cache-body.js';
import { anthropicKey, createHarness, type Harness, openaiKey, type RunJobOptions } from './harness.js';

/** Four checkpoints or more: one after each attempt. */
const flow = `
name: flow
steps:
  - name: tests
    type: code
    agent: claude-haiku
    prompt: "PROMPTCANARY write the tests for {spec}"
    gate: [bash: 'test -f tests.txt']
    retry: [exit: 1]
  - name: impl
    type: code
    agent: codex
    prompt: make them pass
    gate: [bash: 'test -f impl.txt']
    retry: [exit: 3]
`;

/** One step, which fails. */
const short = flow.replace(/ {2}- name: tests[\s\S]*(?= {2}- name: impl)/, '').replace('exit: 3', 'exit: 1');

const rules: readonly AgentRule[] = [
  { prompt: 'PROMPTCANARY', do: [{ write: 'tests.txt', content: 'CONTENTCANARY' }, { say: 'SAIDCANARY' }] },
];
const passing: readonly AgentRule[] = [...rules, { do: [{ write: 'impl.txt', content: 'done' }] }];

const secrets = chooseSecrets({
  stateKeys: [],
  credentials: [
    { variable: 'ANTHROPIC_API_KEY', value: anthropicKey },
    { variable: 'OPENAI_API_KEY', value: openaiKey },
  ],
});

/** Newest first. */
function entriesOf(harness: Harness) {
  return harness.cache.entries().toReversed();
}

/** Applies one change to each of the last entries of job attempt 1, newest first. Returns all keys. */
async function corruptCheckpoint(
  harness: Harness,
  changes: readonly ((sealed: Buffer) => Buffer | Promise<Buffer>)[],
): Promise<readonly string[]> {
  const keys = entriesOf(harness).map(({ key }) => key);
  for (const [index, change] of changes.entries()) {
    const entry = entriesOf(harness)[index];
    if (entry === undefined) throw new Error('There are fewer checkpoints than changes.');
    const body = makeCacheBody(await change(Buffer.from(readSealedFile(entry.body))));
    harness.cache.corrupt(entry.key, () => body);
  }
  return keys;
}

/** The same declared inputs in every job attempt. */
function run(harness: Harness, options: RunJobOptions): Promise<StepResult> {
  return harness.runJob({ ...options, inputs: { spec: 'SPECCANARY', ...options.inputs } });
}

/** Runs a job attempt that stores nothing, so that the next one finds the same checkpoints. */
function runWithoutStoring(harness: Harness): Promise<StepResult> {
  const inputs = { 'state-store': 'cache' };
  return run(harness, { jobAttempt: 2, cacheMode: 'read', rules: passing, inputs });
}

function flipByte(at: (sealed: Buffer) => number): (sealed: Buffer) => Buffer {
  return (sealed) => {
    const position = at(sealed);
    sealed[position] = (sealed[position] ?? 0) ^ 1;
    return sealed;
  };
}

/** Seals the same content with the same secrets under the same key, but with another binding. */
function reseal(change: Partial<Binding>): (sealed: Buffer) => Promise<Buffer> {
  return async (sealed) => {
    const length = sealed.readUInt32BE(12);
    const binding = JSON.parse(sealed.toString('utf8', 16, 16 + length)) as Binding;
    const key = keyText(binding);
    const opened = await openCheckpoint(sealed, secrets, { ...binding, key });
    if (opened.status !== 'opened') throw new Error(opened.reason);
    return sealCheckpoint(opened.entries, { ...binding, ...change }, secrets);
  };
}

function keyText({ jobAttempt, sequence, ...place }: Binding): string {
  const key = currentKeys.find((text) => text.endsWith(`-s${String(sequence).padStart(6, '0')}-`));
  if (key === undefined) throw new Error(`No key for job attempt ${jobAttempt} of run ${place.runId}.`);
  return key;
}

const stateKeyText = 'a1Qm0vX9sLr27TgPzk4WbY6u';

let currentKeys: readonly string[] = [];

async function runFailingJob(): Promise<Harness> {
  const harness = await createHarness({ workflow: flow });
  const { main } = await run(harness, { rules });
  expect(main.outputs).toMatchObject({ status: 'failed', persisted: 'true' });
  currentKeys = harness.cache.entries().map(({ key }) => key);
  expect(currentKeys.length).toBeGreaterThanOrEqual(4);
  return harness;
}

const refusals = (result: StepResult) => result.main.warnings.filter((text) => text.includes('is not used'));

describe('a stored checkpoint', () => {
  it('contains no readable content', async () => {
    const harness = await runFailingJob();
    const sessions = (await harness.calls()).map(({ session }) => session.id ?? '');
    const words = [
      ...['PROMPTCANARY', 'CONTENTCANARY', 'SAIDCANARY', 'SPECCANARY', 'tests.txt', 'impl'],
      ...['attempt-started', 'agent-ended', 'job-started', 'claude', anthropicKey, openaiKey, 'GUMPPACK'],
      ...sessions,
    ];
    for (const { body } of harness.cache.entries()) {
      for (const bytes of [body, readSealedFile(body)]) {
        for (const word of words) expect(bytes.includes(word), word).toBe(false);
      }
    }
  });

  it('is rejected if any byte changed, and the re-run uses the next older one', async () => {
    const harness = await runFailingJob();
    const slots = (sealed: Buffer) => 16 + sealed.readUInt32BE(12) + 4;
    const end = (sealed: Buffer) => slots(sealed) + sealed.readUInt32BE(slots(sealed) - 4);
    const keys = await corruptCheckpoint(harness, [
      flipByte((sealed) => sealed.length - 1),
      flipByte((sealed) => end(sealed) + 30),
      flipByte((sealed) => end(sealed)),
    ]);
    const first = await runWithoutStoring(harness);
    expect(refusals(first)).toEqual(
      keys
        .slice(0, 3)
        .map((key) => expect.stringMatching(`^Checkpoint \`${key}\` is not used: it is damaged`)),
    );
    expect(first.main.log).toContain(`Opened checkpoint \`${keys[3]}\``);
    expect(first.main.outputs.resumed).toBe('true');
    await corruptCheckpoint(harness, [
      flipByte(() => 3),
      flipByte(() => 11),
      flipByte(() => 20),
      flipByte((sealed) => slots(sealed) + 80),
    ]);
    const second = await runWithoutStoring(harness);
    expect(refusals(second)).toHaveLength(4);
    expect(second.main.outputs).toMatchObject({ resumed: 'false', status: 'passed' });
    expect(second.main.warnings).toContainEqual(expect.stringMatching(/^Starting fresh: .*could be used/));
  });

  it('of another repository, run, state name or branch is rejected even under our key', async () => {
    const harness = await runFailingJob();
    await corruptCheckpoint(harness, [
      reseal({ repositoryId: '777' }),
      reseal({ runId: '1002' }),
      reseal({ stateName: 'another' }),
      reseal({ ref: 'refs/heads/topic' }),
    ]);
    const first = await runWithoutStoring(harness);
    expect(refusals(first).map((text) => text.replace(/^.*?: /, ''))).toEqual([
      'it belongs to another repository.',
      'it belongs to another workflow run.',
      'it belongs to another state name.',
      'it belongs to another branch, tag or pull request.',
    ]);
    expect(first.main.outputs.resumed).toBe('false');
  });

  it('of another trust class, or under a key of a newer one, is rejected, and the next older one is used', async () => {
    const harness = await runFailingJob();
    const older = entriesOf(harness)[2];
    const keys = await corruptCheckpoint(harness, [
      reseal({ trust: 'fork' }),
      () => readSealedFile(older?.body ?? Buffer.alloc(0)),
    ]);
    const { main } = await runWithoutStoring(harness);
    expect(main.warnings[0]).toContain('`cache-mode` is `read`');
    expect(main.warnings.slice(1)).toEqual([
      `Checkpoint \`${keys[0]}\` is not used: it was written for an event with a different trust class.`,
      `Checkpoint \`${keys[1]}\` is not used: it is stored under a key that is not its own.`,
    ]);
    expect(main.log).toContain(`Opened checkpoint \`${keys[2]}\``);
    expect(main.outputs).toMatchObject({ resumed: 'true', status: 'passed' });
  });

  it('that the service returns damaged is skipped', async () => {
    const harness = await runFailingJob();
    const [newest = ''] = entriesOf(harness).map(({ key }) => key);
    harness.cache.corrupt(newest, (body) => body.map((byte) => byte ^ 0x5a) as Buffer);
    const { main } = await run(harness, { jobAttempt: 2, code: 'dist', rules: passing });
    expect(main.warnings).toEqual([
      expect.stringMatching(`^Checkpoint \`${newest}\` is not used: it could not be read`),
    ]);
    expect(main.outputs).toMatchObject({ resumed: 'true', status: 'passed', persisted: 'true' });
  });
});

describe('the keys of a checkpoint', () => {
  it('open it if one of two keys changed and another was added, but not if both changed', async () => {
    const harness = await createHarness({ code: 'dist', workflow: short });
    await run(harness, {});
    const codex = 'cdx-7Hq2mZ9vKp4Ws1Lx8Tn3Rb6';
    const second = await run(harness, { jobAttempt: 2, env: { CODEX_API_KEY: codex } });
    const env3 = { CODEX_API_KEY: codex, OPENAI_API_KEY: 'sk-proj-Vd3Yk6Pf1Jc8Mw5Gx2Tb' };
    const third = await run(harness, { jobAttempt: 3, env: env3 });
    expect([second, third].map(({ main }) => [main.outputs.resumed, main.warnings])).toEqual([
      ['true', []],
      ['true', []],
    ]);
    const others = { CODEX_API_KEY: 'cdx-Zt5Wq8Lm2Xv7Kb4Rn9Hs', OPENAI_API_KEY: 'x'.repeat(30) };
    const fourth = await run(harness, { jobAttempt: 4, rules: passing, env: others });
    expect(refusals(fourth)[0]).toContain('the secret that sealed it was changed or removed');
    expect(fourth.main.errors[0]).toMatch(
      /with the value of `CODEX_API_KEY`, `OPENAI_API_KEY`, .*No agent was started/,
    );
    const inputs = { 'state-key': codex };
    const fifth = await run(harness, { jobAttempt: 5, rules: passing, env: others, inputs });
    expect(fifth.main.outputs).toMatchObject({ resumed: 'true', status: 'passed' });
  });

  it('are the lines of `state-key` if it is set: every line seals, and any line opens', async () => {
    const harness = await createHarness({ workflow: short });
    const [old, fresh] = ['old-state-key-0123456789', 'new-state-key-0123456789'];
    await run(harness, { inputs: { 'state-key': old } });
    const second = await run(harness, { jobAttempt: 2, inputs: { 'state-key': `${fresh}\n${old}\n` } });
    expect([second.main.outputs.resumed, second.main.warnings]).toEqual(['true', []]);
    const third = await run(harness, {
      jobAttempt: 3,
      credentials: 'none',
      env: { ANTHROPIC_API_KEY: 'short', OPENAI_API_KEY: 'short' },
      inputs: { 'state-key': fresh },
    });
    expect([third.main.outputs.resumed, third.main.warnings]).toEqual(['true', []]);
    const fourth = await run(harness, { jobAttempt: 4, rules: passing });
    expect(fourth.main.errors[0]).toContain('with the value of `state-key`');
    expect(refusals(fourth)[0]).toContain('none of the keys of this job opens it');
  });

  it('can be replaced after a service rejected one: the errors say how, and no agent starts before', async () => {
    const claudeOnly =
      'name: flow\nsteps:\n  - name: a\n    type: code\n    agent: claude-haiku\n    prompt: go\n';
    const harness = await createHarness({ code: 'dist', workflow: claudeOnly });
    // As from `${{ secrets.GUMP_STATE_KEY }}` without such a secret.
    const inputs = { 'state-key': '' };
    const first = await run(harness, { rules: [{ do: [{ fail: 401 }] }], inputs });
    expect(first.main.outputs).toMatchObject({ status: 'failed', persisted: 'true' });
    expect(first.main.errors).toEqual([
      expect.stringMatching(
        /Check `ANTHROPIC_API_KEY`\. The value of `ANTHROPIC_API_KEY` also seals the state, so a different key cannot open it\. If you replace the key, set `state-key` to the former value, and a re-run continues\./,
      ),
    ]);
    const env = { ANTHROPIC_API_KEY: 'sk-ant-no-real-key-fedcba9876543210' };
    const second = await run(harness, { jobAttempt: 2, env, inputs });
    expect(second.main.errors[0]).toMatch(
      /It was sealed with the value of `ANTHROPIC_API_KEY`, .* No agent was started\. .* set `resume: never`, through a variable of the repository/,
    );
    expect(await harness.calls()).toHaveLength(1);
    const third = await run(harness, { jobAttempt: 3, env, inputs: { 'state-key': anthropicKey } });
    expect(third.main.outputs).toMatchObject({ status: 'passed', resumed: 'true', persisted: 'true' });
    const withKey = await run(harness, {
      ...{ runId: '1002', rules: [{ do: [{ fail: 401 }] }], inputs: { 'state-key': stateKeyText } },
    });
    expect(withKey.main.errors[0]).toContain('Check `ANTHROPIC_API_KEY`.');
    expect(withKey.main.errors[0]).not.toContain('seals the state');
  });

  it('are those of the providers if `state-key` is empty', async () => {
    const harness = await createHarness({ code: 'dist', workflow: short });
    const inputs = { 'state-key': '' };
    const first = await run(harness, { inputs });
    expect([first.main.outputs.persisted, first.main.warnings]).toEqual(['true', []]);
    const second = await run(harness, { jobAttempt: 2, rules: passing, inputs });
    expect(second.main.outputs).toMatchObject({ status: 'passed', resumed: 'true', persisted: 'true' });
    expect(second.main.warnings).toEqual([]);
  });

  it('are missing if no credential is long enough: the run continues with a warning', async () => {
    const harness = await createHarness({ workflow: short });
    const guessable = { ANTHROPIC_API_KEY: 'short', OPENAI_API_KEY: 'short' };
    const { main, post } = await run(harness, { rules: passing, credentials: 'none', env: guessable });
    expect(main.outputs).toMatchObject({ status: 'passed', persisted: 'false', checkpoint: '' });
    expect(main.warnings).toEqual([
      expect.stringMatching(/^No checkpoint is stored. There is no secret to seal .*`state-key`/),
    ]);
    expect(post?.masked.trim()).toBe('');
    expect(harness.cache.requests().filter(({ operation }) => operation === 'create')).toEqual([]);
  });

  it('are no placeholders, and no keys of providers that the plan does not use', async () => {
    const claudeOnly =
      'name: flow\nsteps:\n  - name: a\n    type: code\n    agent: claude-haiku\n    prompt: go\n';
    const harness = await createHarness({ workflow: claudeOnly, code: 'dist' });
    const { main } = await run(harness, { env: { ANTHROPIC_API_KEY: 'sk-no-key-required-local' } });
    expect(main.outputs).toMatchObject({ status: 'passed', persisted: 'false' });
    expect(main.warnings).toEqual([expect.stringContaining('There is no secret to seal the state with')]);
    expect(harness.cache.entries()).toEqual([]);
  });

  it('are those of all providers if the service of an OpenCode agent is not known', async () => {
    const ownService =
      'name: flow\nsteps:\n  - name: a\n    type: code\n    agent: opencode-mine/model\n    prompt: go\n';
    const harness = await createHarness({ workflow: ownService, code: 'dist' });
    const { main } = await run(harness, {});
    expect(main.outputs).toMatchObject({ status: 'passed', persisted: 'true' });
  });

  it('are stored next to a checkpoint in a directory if there is no other secret', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow, store: 'directory' });
    const keyless = {
      credentials: 'none',
      env: { ANTHROPIC_API_KEY: 'short', OPENAI_API_KEY: 'short' },
    } as const;
    const first = await run(harness, { rules, ...keyless });
    expect([first.main.outputs.persisted, first.main.warnings]).toEqual(['true', []]);
    expect((await stat(join(harness.stateDirectory, 'state.key'))).mode & 0o777).toBe(0o600);
    for (const name of await readdir(harness.stateDirectory)) {
      const bytes = await readFile(join(harness.stateDirectory, name));
      for (const word of ['PROMPTCANARY', 'CONTENTCANARY', 'claude', 'agent-ended']) {
        expect(bytes.includes(word), word).toBe(false);
      }
    }
    const second = await run(harness, { jobAttempt: 2, rules: passing, ...keyless });
    expect(second.main.outputs).toMatchObject({ resumed: 'true', status: 'passed', persisted: 'true' });
    expect(harness.cache.requests()).toEqual([]);
  });
});
