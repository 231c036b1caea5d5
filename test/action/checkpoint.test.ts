/** Who can read a checkpoint, who can change one, and which one a re-run takes. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Binding } from '../../src/checkpoint/binding.js';
import { openCheckpoint, sealCheckpoint } from '../../src/checkpoint/checkpoint.js';
import { chooseSecrets } from '../../src/checkpoint/secrets.js';
import type { StepResult } from '../rig/machine.js';
import type { Rule } from '../rig/stand-in.js';
import { bodyOf, sealedIn } from './cache-body.js';
import { type AttemptOptions, anthropicKey, openaiKey, openScene, type Scene } from './scene.js';

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

/** One agent, which fails. */
const short = flow.replace(/ {2}- name: tests[\s\S]*(?= {2}- name: impl)/, '').replace('exit: 3', 'exit: 1');

const rules: readonly Rule[] = [
  { prompt: 'PROMPTCANARY', do: [{ write: 'tests.txt', content: 'CONTENTCANARY' }, { say: 'SAIDCANARY' }] },
];
const passing: readonly Rule[] = [...rules, { do: [{ write: 'impl.txt', content: 'done' }] }];

const secrets = chooseSecrets({
  stateKeys: [],
  credentials: [
    { variable: 'ANTHROPIC_API_KEY', value: anthropicKey },
    { variable: 'OPENAI_API_KEY', value: openaiKey },
  ],
});

/** Newest first. */
function entriesOf(scene: Scene) {
  return scene.cache.entries().toReversed();
}

/** The last stored entries of attempt 1, each changed by one of these, the newest first. */
async function spoil(
  scene: Scene,
  changes: readonly ((sealed: Buffer) => Buffer | Promise<Buffer>)[],
): Promise<readonly string[]> {
  const keys = entriesOf(scene).map(({ key }) => key);
  for (const [index, change] of changes.entries()) {
    const entry = entriesOf(scene)[index];
    if (entry === undefined) throw new Error('there are fewer checkpoints than changes');
    const body = bodyOf(await change(Buffer.from(sealedIn(entry.body))));
    scene.cache.corrupt(entry.key, () => body);
  }
  return keys;
}

/** The same declared inputs in every job attempt. */
function run(scene: Scene, options: AttemptOptions): Promise<StepResult> {
  return scene.attempt({ ...options, inputs: { spec: 'SPECCANARY', ...options.inputs } });
}

/** A job attempt that stores nothing, so that the next one finds what this one found. */
function look(scene: Scene): Promise<StepResult> {
  return run(scene, { attempt: 2, cacheMode: 'read', rules: passing });
}

function flip(at: (sealed: Buffer) => number): (sealed: Buffer) => Buffer {
  return (sealed) => {
    const position = at(sealed);
    sealed[position] = (sealed[position] ?? 0) ^ 1;
    return sealed;
  };
}

/** The same content, sealed by the same secrets and under the same key, but bound to something else. */
function rebound(change: Partial<Binding>): (sealed: Buffer) => Promise<Buffer> {
  return async (sealed) => {
    const length = sealed.readUInt32BE(12);
    const binding = JSON.parse(sealed.toString('utf8', 16, 16 + length)) as Binding;
    const key = keyText(binding);
    const opened = await openCheckpoint(sealed, secrets, { ...binding, key });
    if (opened.status !== 'opened') throw new Error(opened.reason);
    return sealCheckpoint(opened.entries, { ...binding, ...change }, secrets);
  };
}

function keyText({ jobAttempt, sequence, writer, ...place }: Binding): string {
  const key = currentKeys.find((text) => text.endsWith(`-s${String(sequence).padStart(6, '0')}-${writer}-`));
  if (key === undefined) throw new Error(`no key for ${jobAttempt}, ${place.runId}`);
  return key;
}

let currentKeys: readonly string[] = [];

async function failedOnce(): Promise<Scene> {
  const scene = await openScene({ workflow: flow });
  const { main } = await run(scene, { rules });
  expect(main.outputs).toMatchObject({ status: 'failed', persisted: 'true' });
  currentKeys = scene.cache.entries().map(({ key }) => key);
  expect(currentKeys.length).toBeGreaterThanOrEqual(4);
  return scene;
}

const refusals = (result: StepResult) => result.main.warnings.filter((text) => text.includes('is not used'));

describe('a stored checkpoint', () => {
  it('shows nothing of what it holds', async () => {
    const scene = await failedOnce();
    const sessions = (await scene.calls()).map(({ session }) => session.id ?? '');
    const words = [
      ...['PROMPTCANARY', 'CONTENTCANARY', 'SAIDCANARY', 'SPECCANARY', 'tests.txt', 'impl'],
      ...['attempt-started', 'agent-ended', 'job-started', 'claude', anthropicKey, openaiKey, 'GUMPPACK'],
      ...sessions,
    ];
    for (const { body } of scene.cache.entries()) {
      for (const bytes of [body, sealedIn(body)]) {
        for (const word of words) expect(bytes.includes(word), word).toBe(false);
      }
    }
  });

  it('is refused wherever a byte of it was changed, and the next older one is taken', async () => {
    const scene = await failedOnce();
    const slots = (sealed: Buffer) => 16 + sealed.readUInt32BE(12) + 4;
    const end = (sealed: Buffer) => slots(sealed) + sealed.readUInt32BE(slots(sealed) - 4);
    const keys = await spoil(scene, [
      flip((sealed) => sealed.length - 1),
      flip((sealed) => end(sealed) + 30),
      flip((sealed) => end(sealed)),
    ]);
    const first = await look(scene);
    expect(refusals(first)).toEqual(
      keys
        .slice(0, 3)
        .map((key) => expect.stringMatching(`^The checkpoint ${key} is not used: it is damaged`)),
    );
    expect(first.main.log).toContain(`Going on from the checkpoint ${keys[3]}`);
    expect(first.main.outputs.resumed).toBe('true');
    await spoil(scene, [flip(() => 3), flip(() => 11), flip(() => 20), flip((sealed) => slots(sealed) + 80)]);
    const second = await look(scene);
    expect(refusals(second)).toHaveLength(4);
    expect(second.main.outputs).toMatchObject({ resumed: 'false', status: 'passed' });
    expect(second.main.warnings).toContainEqual(expect.stringMatching(/^Starting afresh: .*could be used/));
  });

  it('of another place is refused under our own key', async () => {
    const scene = await failedOnce();
    await spoil(scene, [
      rebound({ repositoryId: '777' }),
      rebound({ runId: '1002' }),
      rebound({ stateName: 'another' }),
      rebound({ ref: 'refs/heads/topic' }),
    ]);
    const first = await look(scene);
    expect(refusals(first).map((text) => text.replace(/^.*?: /, ''))).toEqual([
      'it belongs to another repository.',
      'it belongs to another workflow run.',
      'it belongs to another state name.',
      'it belongs to another branch, tag or pull request.',
    ]);
    expect(first.main.outputs.resumed).toBe('false');
  });

  it('of another trust class, or of our own under a newer key, is refused; the one before is taken', async () => {
    const scene = await failedOnce();
    const older = entriesOf(scene)[2];
    const keys = await spoil(scene, [
      rebound({ trust: 'fork' }),
      () => sealedIn(older?.body ?? Buffer.alloc(0)),
    ]);
    const { main } = await look(scene);
    expect(main.warnings[0]).toContain('cache-mode is read');
    expect(main.warnings.slice(1)).toEqual([
      `The checkpoint ${keys[0]} is not used: it was written under an event that is trusted differently.`,
      `The checkpoint ${keys[1]} is not used: it lies under a key that is not its own.`,
    ]);
    expect(main.log).toContain(`Going on from the checkpoint ${keys[2]}`);
    expect(main.outputs).toMatchObject({ resumed: 'true', status: 'passed' });
  });

  it('that the service hands out broken is passed over', async () => {
    const scene = await failedOnce();
    const [newest = ''] = entriesOf(scene).map(({ key }) => key);
    scene.cache.corrupt(newest, (body) => body.map((byte) => byte ^ 0x5a) as Buffer);
    const { main } = await run(scene, { attempt: 2, rules: passing });
    expect(main.warnings).toEqual([
      expect.stringMatching(`^The checkpoint ${newest} is not used: it could not be read`),
    ]);
    expect(main.outputs).toMatchObject({ resumed: 'true', status: 'passed', persisted: 'true' });
  });
});

describe('the keys of a state', () => {
  it('open it after one of two was changed and another added, and not after both were', async () => {
    const scene = await openScene({ workflow: short });
    await run(scene, {});
    const more = { CODEX_API_KEY: 'codex-key-of-twenty-and-more' };
    const env2 = { ANTHROPIC_API_KEY: 'sk-ant-api03-another-key-0000000000' };
    const second = await run(scene, { attempt: 2, env: env2 });
    const env3 = { ...env2, ...more, OPENAI_API_KEY: 'sk-proj-another-key-0000000000' };
    const third = await run(scene, { attempt: 3, env: env3 });
    expect([second, third].map(({ main }) => [main.outputs.resumed, main.warnings])).toEqual([
      ['true', []],
      ['true', []],
    ]);
    const others = {
      ANTHROPIC_API_KEY: 'sk-ant-api03-a-third-key-0000000000',
      OPENAI_API_KEY: 'x'.repeat(30),
    };
    const fourth = await run(scene, { attempt: 4, rules: passing, env: others });
    expect(fourth.main.outputs.resumed).toBe('false');
    expect(refusals(fourth)[0]).toContain('the secret that sealed it was changed or removed');
    expect(fourth.main.outputs).toMatchObject({ status: 'passed', persisted: 'true' });
  });

  it('are the lines of state-key, where it is set: the first seals, any opens', async () => {
    const scene = await openScene({ workflow: short });
    const [old, fresh] = ['old-state-key-0123456789', 'new-state-key-0123456789'];
    await run(scene, { inputs: { 'state-key': old } });
    const second = await run(scene, { attempt: 2, inputs: { 'state-key': `${fresh}\n${old}\n` } });
    expect([second.main.outputs.resumed, second.main.warnings]).toEqual(['true', []]);
    const third = await run(scene, {
      attempt: 3,
      credentials: 'none',
      env: { ANTHROPIC_API_KEY: 'short', OPENAI_API_KEY: 'short' },
      inputs: { 'state-key': fresh },
    });
    expect([third.main.outputs.resumed, third.main.warnings]).toEqual(['true', []]);
    const fourth = await run(scene, { attempt: 4, rules: passing });
    expect(fourth.main.outputs.resumed).toBe('false');
    expect(refusals(fourth)[0]).toContain('none of the keys of this job opens it');
  });

  it('are missing where no credential is long enough: a warning, and the run goes on', async () => {
    const scene = await openScene({ workflow: short });
    const guessable = { ANTHROPIC_API_KEY: 'short', OPENAI_API_KEY: 'short' };
    const { main, post } = await run(scene, { rules: passing, credentials: 'none', env: guessable });
    expect(main.outputs).toMatchObject({ status: 'passed', persisted: 'false', checkpoint: '' });
    expect(main.warnings).toEqual([
      expect.stringMatching(/^No checkpoint is stored. There is nothing to seal .*`state-key`/),
    ]);
    expect(post?.masked.trim()).toBe('');
    expect(scene.cache.requests().filter(({ operation }) => operation === 'create')).toEqual([]);
  });

  it('lie beside a state in a directory that nothing else seals', async () => {
    const scene = await openScene({ workflow: flow, store: 'directory' });
    const keyless = {
      credentials: 'none',
      env: { ANTHROPIC_API_KEY: 'short', OPENAI_API_KEY: 'short' },
    } as const;
    const first = await run(scene, { rules, ...keyless });
    expect([first.main.outputs.persisted, first.main.warnings]).toEqual(['true', []]);
    expect((await stat(join(scene.stateDirectory, 'state.key'))).mode & 0o777).toBe(0o600);
    for (const name of await readdir(scene.stateDirectory)) {
      const bytes = await readFile(join(scene.stateDirectory, name));
      for (const word of ['PROMPTCANARY', 'CONTENTCANARY', 'claude', 'agent-ended']) {
        expect(bytes.includes(word), word).toBe(false);
      }
    }
    const second = await run(scene, { attempt: 2, rules: passing, ...keyless });
    expect(second.main.outputs).toMatchObject({ resumed: 'true', status: 'passed', persisted: 'true' });
    expect(scene.cache.requests()).toEqual([]);
  });
});
