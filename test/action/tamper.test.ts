/** Another program changes the files that `main` leaves for `post`. Agents run as the same user and can do that. */
import { spawn } from 'node:child_process';
import { appendFile, glob, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cachedName } from '../../src/checkpoint/cache-client.js';
import { fromArchive, toArchive } from '../../src/checkpoint/chain-manifest.js';
import { openCheckpoint, sealCheckpoint } from '../../src/checkpoint/checkpoint.js';
import { chooseSecrets } from '../../src/checkpoint/seal-secrets.js';
import { claudeProjectFolder } from '../../src/providers/claude.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import type { Machine } from '../rig/machine.js';
import type { AgentRule } from '../rig/stand-in.js';
import { anthropicKey, createHarness, readJournal } from './harness.js';

const workflow = `name: flow
steps:
  - {name: first, type: code, agent: claude-haiku, prompt: "[first]"}
  - {name: second, type: code, agent: claude-haiku, prompt: "[second]", gate: [{bash: "test -f made.txt"}]}
`;

const first: AgentRule = { prompt: '[first]', do: [{ write: 'first.txt', content: '1' }] };
const failing: readonly AgentRule[] = [first, { do: [{ say: 'nothing to do' }] }];
const hanging: readonly AgentRule[] = [first, { do: [{ say: 'now hanging' }, { hang: true }] }];
const working: readonly AgentRule[] = [first, { do: [{ write: 'made.txt', content: 'made' }] }];

/** The events with which step `second` would have passed. */
const forgedEvents = [
  { type: 'attempt-ended', step: 'second', number: 1, jobAttempt: 1, status: 'passed', gates: [], files: [] },
  { type: 'step-ended', step: 'second', status: 'passed', jobAttempt: 1 },
  { type: 'run-ended', status: 'passed', jobAttempt: 1 },
].map((event) => JSON.stringify({ ...event, durationMs: 1, at: 1 }));

async function privateFile(machine: Machine, pattern: string): Promise<string> {
  for await (const file of glob(join(machine.temp, 'gump-*', pattern))) return file;
  throw new Error(`There is no ${pattern}.`);
}

/** As they are, and with the code of the last line, as a line of this version looks. */
async function appendLines(file: string, lines: readonly string[]): Promise<void> {
  const code = /\t\S+\n$/.exec(await readFile(file, 'utf8'))?.[0] ?? '\n';
  await appendFile(
    file,
    lines.map((line) => `${line}\n`).join('') + lines.map((line) => line + code).join(''),
  );
}

const stepCalls = (calls: readonly { readonly prompt: string }[]) =>
  calls.map(({ prompt }) => /\[(\w+)\]/.exec(prompt)?.[1]);

describe('lines that another program adds', () => {
  it.each([
    ['after a step failed', { rules: failing }],
    ['after main was killed', { rules: hanging, stop: { when: { log: 'now hanging' }, how: 'kill' } }],
  ] as const)('to the journal do not let a step pass, %s', async (_when, job) => {
    const harness = await createHarness({ code: 'dist', workflow });
    const { main, post } = await harness.runJob({
      ...job,
      async beforePost(machine) {
        await appendLines(await privateFile(machine, 'journal.ndjson'), forgedEvents);
        await appendLines(await privateFile(machine, 'handover.ndjson'), ['{"storedEvents":0}']);
      },
    });
    expect(main.outputs.status ?? main.signal).toMatch(/failed|SIGKILL/);
    expect(post?.warnings).toContainEqual(
      expect.stringContaining('Another program changed the files that `main` left for `post`.'),
    );
    const rerun = await harness.runJob({ jobAttempt: 2, rules: working });
    expect(rerun.main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    const calls = await harness.calls();
    expect(stepCalls(calls)).toEqual(['first', 'second', 'second']);
    expect(calls[2]?.session).toEqual({ mode: 'resume', id: calls[1]?.session.id });
  });

  it('to the post state end no process and remove no file', async () => {
    const harness = await createHarness({ code: 'dist', workflow });
    const victim = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
    cleanUpAfterTest(() => victim.kill('SIGKILL'));
    const id = '11111111-2222-4333-8444-555555555555';
    const fileOf = ({ home, workspace }: Machine) =>
      join(home, '.claude', 'projects', claudeProjectFolder(workspace), `${id}.jsonl`);
    await harness.runJob({
      rules: failing,
      async beforePost(machine) {
        await mkdir(dirname(fileOf(machine)), { recursive: true });
        await writeFile(fileOf(machine), 'of the user');
        const placed = [{ provider: 'claude', id, files: [{ path: fileOf(machine) }] }];
        await appendLines(await privateFile(machine, 'handover.ndjson'), [
          JSON.stringify({ agentPids: [victim.pid], placed }),
        ]);
      },
      async inspect(machine) {
        expect(await readFile(fileOf(machine), 'utf8')).toBe('of the user');
        expect([victim.exitCode, victim.signalCode]).toEqual([null, null]);
      },
    });
  });
});

describe('a journal that an agent overwrites', () => {
  it('changes neither the checkpoint nor the report', async () => {
    const harness = await createHarness({ code: 'dist', workflow });
    const overwriting =
      "for file in $(dirname $PWD)/../_temp/gump-*/journal.ndjson; do echo '{}' > $file; done";
    const { main } = await harness.runJob({
      rules: [
        { prompt: '[first]', do: [{ run: overwriting }, { write: 'first.txt', content: '1' }] },
        // Then the action stops with an error, and records that from its memory.
        { do: [{ run: `${overwriting}; rm -rf .git` }] },
      ],
    });
    expect(main.outputs).toMatchObject({ status: 'failed', 'failed-step': 'second', persisted: 'true' });
    expect(main.report?.steps.map(({ status }) => status)).toEqual(['passed', 'failed']);
    const rerun = await harness.runJob({ jobAttempt: 2, rules: working });
    expect(rerun.main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(stepCalls(await harness.calls())).toEqual(['first', 'second', 'second']);
  });
});

describe('a file that another program changes', () => {
  const changes: Readonly<Record<string, (machine: Machine) => Promise<void>>> = {
    'journal removed': async (machine) => rm(await privateFile(machine, 'journal.ndjson')),
    'journal cut off': async (machine) => {
      const file = await privateFile(machine, 'journal.ndjson');
      const lines = (await readFile(file, 'utf8')).split('\n');
      await writeFile(file, `${lines.slice(0, 4).join('\n')}\n`);
    },
    'journal replaced': async (machine) => {
      const events = await readJournal(machine);
      await writeFile(await privateFile(machine, 'journal.ndjson'), `${events}${forgedEvents.join('\n')}\n`);
    },
    'post state removed': async (machine) => rm(await privateFile(machine, 'handover.ndjson')),
    'journal and post state cut off': async (machine) => {
      await changes['journal cut off']?.(machine);
      const file = await privateFile(machine, 'handover.ndjson');
      const lines = (await readFile(file, 'utf8')).split('\n');
      await writeFile(file, `${lines.slice(0, 4).join('\n')}\n`);
    },
    'session copies changed': async (machine) => {
      for await (const file of glob(join(machine.temp, 'gump-*', 'sessions', '**', '*.jsonl')))
        await writeFile(file, 'planted');
    },
    'session copies removed': async (machine) =>
      rm(await privateFile(machine, 'sessions'), { recursive: true }),
    'git objects swapped': async (machine) => {
      const objects: string[] = [];
      for await (const file of glob(join(machine.temp, 'gump-*', 'git', '**', '??', '*')))
        if ((await stat(file)).isFile()) objects.push(file);
      for (const [index, file] of objects.entries())
        await rename(file, `${objects[(index + 1) % objects.length]}.new`);
      for (const file of objects) await rename(`${file}.new`, file);
    },
    'cache file planted': async (machine) => {
      await writeFile(join(await privateFile(machine, 'cache'), cachedName), 'planted');
    },
  };

  it('is not used, and what was stored before it still counts', { timeout: 300_000 }, async () => {
    const results = await Promise.all(
      Object.entries(changes).map(async ([name, change]) => {
        const harness = await createHarness({ code: 'dist', workflow });
        await harness.runJob({
          rules: hanging,
          stop: { when: { log: 'now hanging' }, how: 'kill' },
          beforePost: change,
        });
        // On another commit, files are compared before they are restored.
        const moved = name === 'git objects swapped' ? { changes: { 'unrelated.txt': 'x' } } : {};
        const { main } = await harness.runJob({ jobAttempt: 2, rules: working, ...moved });
        return [name, main.outputs.status, stepCalls(await harness.calls())];
      }),
    );
    expect(results).toEqual(
      Object.keys(changes).map((name) => [name, 'passed', ['first', 'second', 'second']]),
    );
  });
});

describe('the checkpoint that a cancelled job keeps on disk', () => {
  it('is not used if another program sealed it with the key of an agent', async () => {
    const harness = await createHarness({ code: 'dist', store: 'cache', workflow });
    harness.cache.injectFault('create', { status: 400, times: 20 });
    const inputs = { 'state-name': 'kept' };
    await harness.runJob({
      inputs,
      rules: hanging,
      stop: { when: { log: 'now hanging' }, how: 'cancel' },
      async beforePost(machine) {
        harness.cache.clearFaults();
        await forgeLocalCheckpoint(machine);
        // Without the copies, `post` takes the sessions from the checkpoint.
        await rm(await privateFile(machine, 'sessions'), { recursive: true });
      },
    });
    const { main } = await harness.runJob({ inputs, jobAttempt: 2, rules: working });
    expect(main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(stepCalls(await harness.calls())).toEqual(['first', 'second', 'second']);
  });
});

/** Seals a run that passed, as an agent can: with the key of its provider, which seals the state without `state-key`. */
async function forgeLocalCheckpoint(machine: Machine): Promise<void> {
  const file = await privateFile(machine, 'gump-v2-*.sealed');
  const key = basename(file, '.sealed');
  const names = {
    repositoryId: '4242',
    runId: '1001',
    stateName: 'kept',
    ref: 'refs/heads/main',
    trust: 'trusted',
  };
  const secrets = chooseSecrets({
    stateKeys: [],
    credentials: [{ variable: 'ANTHROPIC_API_KEY', value: anthropicKey }],
  });
  const opened = await openCheckpoint(await readFile(file), secrets, { ...names, key });
  const payload = opened.status === 'opened' ? fromArchive(opened.entries) : undefined;
  if (opened.status !== 'opened' || payload === undefined) throw new Error(`${file} does not open.`);
  const added = Buffer.from(forgedEvents.map((line) => `${line}\n`).join(''));
  const { manifest, data } = payload;
  const files = manifest.files.map((one) => {
    if (one.path !== 'journal.ndjson') return one;
    const part = [manifest.dataKeys.length, data.length, added.length] as const;
    return { ...one, length: one.length + added.length, parts: [...one.parts, part] };
  });
  const entries = toArchive({
    ...payload,
    manifest: { ...manifest, files },
    data: Buffer.concat([data, added]),
  });
  await writeFile(file, await sealCheckpoint(entries, opened.binding, secrets));
}
