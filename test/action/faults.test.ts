/** What a run does when the cache does not do what it should: it goes on, and says once what a re-run will find. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { StepResult } from '../rig/machine.js';
import type { Rule } from '../rig/stand-in.js';
import { openScene, type Scene } from './scene.js';

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

const first: Rule = { prompt: 'write the tests', do: [{ write: 'tests.txt', content: 'x' }] };
const rules = [first];
const passing: readonly Rule[] = [first, { do: [{ write: 'impl.txt', content: 'x' }] }];

const stored = (scene: Scene) => scene.cache.entries().filter(({ state }) => state === 'stored');
const warnings = ({ main, post }: StepResult) => [...main.warnings, ...(post?.warnings ?? [])];
const errors = ({ main, post }: StepResult) => [...main.errors, ...(post?.errors ?? [])];

/** A job attempt in which `meanwhile` happens while the second agent is at work and the first is stored. */
async function withEvent(scene: Scene, meanwhile: () => void, then: readonly Rule[] = rules) {
  const go = join(scene.stateDirectory, '..', `go-${stored(scene).length}`);
  const waiting: Rule = { prompt: 'make them pass', do: [{ waitFor: go }, ...(then[1]?.do ?? [])] };
  const before = stored(scene).length;
  const running = scene.attempt({ rules: [first, waiting] });
  while (stored(scene).length === before) await sleep(20);
  meanwhile();
  await writeFile(go, '');
  return running;
}

describe('a cache that may not be used', () => {
  it('for writing: the state before is taken up, and the run does not count as stored', async () => {
    const scene = await openScene({ workflow: flow });
    await scene.attempt({ rules });
    const again = await scene.attempt({ attempt: 2, cacheMode: 'read', rules });
    expect(again.main.outputs).toMatchObject({ resumed: 'true', status: 'failed', persisted: 'false' });
    expect(warnings(again)).toEqual([
      'No checkpoint is stored. The Actions cache may not be written in this job (cache-mode is read): ' +
        'set `cache-mode: write` for the job, if you trust what starts it. ' +
        'A re-run of this job will start afresh, or from an earlier checkpoint.',
    ]);
    expect(again.main.errors[0]).toContain('The last state is not stored');
    expect(again.main.summary).toContain('no checkpoint stored');
  });

  it('for reading: what is stored counts for nothing, and it is said at the first attempt', async () => {
    const scene = await openScene({ workflow: flow });
    const { main } = await scene.attempt({ cacheMode: 'write-only', rules: passing });
    expect(main.outputs).toMatchObject({ status: 'passed', persisted: 'false' });
    expect(main.warnings).toEqual([expect.stringMatching(/cache-mode is write-only.*no re-run finds them/)]);
  });

  it('for anything, by its mode or by its token', async () => {
    const scene = await openScene({ workflow: flow });
    const none = await scene.attempt({ cacheMode: 'none', rules: passing });
    expect(none.main.outputs).toMatchObject({ status: 'passed', persisted: 'false' });
    expect(warnings(none)).toEqual([expect.stringContaining('cache-mode is none')]);
    expect(scene.cache.requests()).toEqual([]);
    const cacheToken = scene.cache.token({ repository: 'octo/sample', read: ['refs/heads/main'] });
    const denied = await scene.attempt({ cacheToken, rules: passing });
    expect(denied.main.outputs).toMatchObject({ status: 'passed', persisted: 'false' });
    expect(warnings(denied)).toEqual([expect.stringMatching(/no writable scopes.*finds no checkpoint/)]);
  });
});

describe('a service that fails', () => {
  it.each([
    ['409', { status: 409 }],
    ['429', { status: 429 }],
    ['ECONNRESET', { reset: true }],
  ] as const)('with %s is told of once, also where post tries again', async (word, fault) => {
    const scene = await openScene({ workflow: flow });
    scene.cache.fail('create', fault);
    const result = await scene.attempt({ rules });
    expect(result.main.outputs).toMatchObject({
      status: 'failed',
      'failed-step': 'impl',
      persisted: 'false',
    });
    expect(warnings(result)).toEqual([expect.stringContaining(word)]);
    expect(warnings(result)[0]).toMatch(/The run goes on; .*a re-run finds no checkpoint/);
    expect(stored(scene)).toEqual([]);
    const again = await scene.attempt({ attempt: 2, rules: passing });
    expect(again.main.warnings[0]).toMatch(/^Starting afresh: .*none was found/);
    expect(again.main.outputs).toMatchObject({ resumed: 'false', status: 'passed', persisted: 'false' });
  });

  it('in the middle leaves what was stored before, and the warning names it', async () => {
    const scene = await openScene({ workflow: flow });
    const result = await withEvent(scene, () => {
      for (const operation of ['create', 'lookup', 'upload'] as const)
        scene.cache.fail(operation, { reset: true });
    });
    const [kept] = stored(scene);
    expect(stored(scene)).toHaveLength(1);
    expect(result.main.outputs).toMatchObject({
      status: 'failed',
      persisted: 'false',
      checkpoint: kept?.key,
    });
    expect(warnings(result)).toEqual([expect.stringContaining(`goes on from the checkpoint ${kept?.key}`)]);
    scene.cache.clear();
    const again = await scene.attempt({ attempt: 2, rules: passing });
    expect(again.main.outputs).toMatchObject({ resumed: 'true', status: 'passed', persisted: 'true' });
    expect((await scene.calls()).map(({ provider }) => provider)).toEqual(['claude', 'codex', 'codex']);
  });

  it('only to answer has stored all the same', async () => {
    const scene = await openScene({ workflow: flow });
    const result = await withEvent(scene, () =>
      scene.cache.fail('finalize', { reset: true, moment: 'after' }),
    );
    const last = stored(scene).at(-1)?.key;
    expect(result.main.outputs).toMatchObject({ status: 'failed', persisted: 'true', checkpoint: last });
  });

  it('to keep the last save has not stored it', async () => {
    const scene = await openScene({ workflow: flow });
    scene.cache.fail('lookup', { reset: true });
    const result = await scene.attempt({ rules: passing });
    expect(result.main.outputs).toMatchObject({ status: 'passed', persisted: 'false' });
    expect(warnings(result)).toEqual([
      expect.stringMatching(/could not be found there afterwards: a re-run/),
    ]);
  });
});

describe('another job', () => {
  it('of a later attempt stops this one from storing', async () => {
    const scene = await openScene({ workflow: flow });
    const result = await withEvent(scene, () => copyAs(scene, (key) => key.replace('-a1-', '-a2-')));
    expect(warnings(result)).toEqual([expect.stringMatching(/^Job attempt 2 of this run has stored/)]);
    expect(result.main.outputs).toMatchObject({ status: 'failed', persisted: 'false' });
    expect(stored(scene)).toHaveLength(2);
  });

  it('at the same time under the same name is an error', async () => {
    const scene = await openScene({ workflow: flow });
    const result = await withEvent(scene, () => copyAs(scene, (key) => key.replace(/.{9}$/, 'deadbeef-')));
    expect(errors(result)[0]).toMatch(/^two jobs use the state name ".*" at once: set `state-name`/);
    expect(result.main.outputs.persisted).toBe('false');
  });
});

function copyAs(scene: Scene, rename: (key: string) => string): void {
  const newest = stored(scene).at(-1);
  if (newest === undefined) throw new Error('nothing is stored');
  scene.cache.add({ ...newest, key: rename(newest.key) }, newest.body);
}

describe('what the cache client prints', () => {
  it('is in the log only where the user asked for it', async () => {
    const scene = await openScene({ workflow: flow });
    const silent = await scene.attempt({ rules: passing });
    const loud = await scene.attempt({ runId: '1002', rules: passing, env: { RUNNER_DEBUG: '1' } });
    const clients = /Cache (?:saved|Size|hit)|Resolved Keys|Sent \d+ of|sig=|::debug::/;
    expect(silent.main.log).not.toMatch(clients);
    expect(silent.main.log + silent.post?.log).not.toContain('checkpoint.gump');
    expect(loud.main.log).toMatch(/::debug::Resolved Keys/);
    for (const { main, post } of [silent, loud]) {
      expect(main.masked + post?.masked).not.toMatch(/sig=[0-9a-f]/);
    }
  });
});
