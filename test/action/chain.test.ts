/** Checkpoints that build on earlier ones: what they store, and what a re-run makes of a chain that somebody changed. */
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { defaultArchiveLimits, packEntries } from '../../src/checkpoint/archive.js';
import { keyOf } from '../../src/checkpoint/binding.js';
import { openCheckpoint, sealCheckpoint } from '../../src/checkpoint/checkpoint.js';
import { openChain } from '../../src/checkpoint/open-chain.js';
import { readBinding } from '../../src/checkpoint/seal.js';
import { chooseSecrets } from '../../src/checkpoint/seal-secrets.js';
import type { AgentRule } from '../rig/stand-in.js';
import { attemptLines } from './attempt-lines.js';
import { makeCacheBody, readSealedFile } from './cache-body.js';
import { anthropicKey, createHarness, type Harness, openaiKey } from './harness.js';

const secrets = chooseSecrets({
  stateKeys: [],
  credentials: [
    { variable: 'ANTHROPIC_API_KEY', value: anthropicKey },
    { variable: 'OPENAI_API_KEY', value: openaiKey },
  ],
});

/** `count` steps in one session. The last one fails unless it wrote `done.txt`. */
function workflowOf(count: number): string {
  const steps = Array.from({ length: count }, (_, index) => {
    const session = index === 0 ? '' : `, session: {from: s${index}}`;
    const gate = index === count - 1 ? ', gate: [{bash: "test -e done.txt"}], retry: [{exit: 1}]' : '';
    return `  - {name: s${index + 1}, type: code, agent: claude-haiku, prompt: "Step ${index + 1} of all."${session}${gate}}`;
  });
  return `name: flow\nsteps:\n${steps.join('\n')}\n`;
}

/** Each agent says as many bytes as `bytesOf` returns for its step. */
function rulesOf(count: number, bytesOf: (step: number) => number): readonly AgentRule[] {
  return Array.from({ length: count }, (_, index) => ({
    prompt: `Step ${index + 1} of`,
    do: [
      { write: `${index + 1}.txt`, content: randomBytes(300).toString('hex') },
      { say: randomBytes((bytesOf(index + 1) * 3) / 4).toString('base64') },
    ],
  }));
}

const finishing: readonly AgentRule[] = [{ do: [{ write: 'done.txt' }] }];

/** The sealed files, by key. */
function sealedFiles(harness: Harness): ReadonlyMap<string, Buffer> {
  const stored = harness.cache.entries().filter(({ state }) => state === 'stored');
  return new Map(stored.map(({ key, body }) => [key, Buffer.from(readSealedFile(body))]));
}

/** The size of the newest checkpoint as one file. */
async function wholeSize(files: ReadonlyMap<string, Buffer>): Promise<number> {
  const [key = '', sealed = Buffer.alloc(0)] = [...files].at(-1) ?? [];
  const binding = readBinding(sealed);
  if (binding === undefined) throw new Error(`${key} has no header.`);
  const expected = { ...binding, key };
  const opened = await openCheckpoint(sealed, secrets, expected);
  if (opened.status !== 'opened') throw new Error(opened.reason);
  const read = async (link: string) => files.get(link);
  const chain = await openChain({ ...opened, key, sealed }, { expected, limits: defaultArchiveLimits, read });
  if (chain.status !== 'opened') throw new Error(chain.reason);
  return (await packEntries(chain.entries)).length;
}

const linksOf = (sealed: Buffer) => (readBinding(sealed)?.chain ?? []).map(({ key }) => key);

it('40 steps of a growing session store at most three times the last state, in chains of at most 16 entries', async () => {
  const count = 40;
  const harness = await createHarness({ code: 'dist', workflow: workflowOf(count) });
  const first = await harness.runJob({ rules: rulesOf(count, () => 40_000) });
  expect(first.main.outputs, first.main.log).toMatchObject({ status: 'failed', persisted: 'true' });
  const stored = sealedFiles(harness);
  const bytes = [...stored.values()].reduce((sum, { length }) => sum + length, 0);
  expect(bytes / (await wholeSize(stored))).toBeLessThanOrEqual(3);
  const lengths = [...stored.values()].map((sealed) => linksOf(sealed).length + 1);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(16);
}, 300_000);

/** Job attempt 1 of six steps, and its entries, oldest first. */
async function runSixSteps(code: 'src' | 'dist') {
  const harness = await createHarness({ code, workflow: workflowOf(6) });
  const { main } = await harness.runJob({ rules: rulesOf(6, (step) => (step === 1 ? 80_000 : 1000)) });
  expect(main.outputs, main.log).toMatchObject({ status: 'failed', persisted: 'true' });
  const files = sealedFiles(harness);
  const keys = [...files.keys()];
  expect(linksOf(files.get(keys.at(-1) ?? '') ?? Buffer.alloc(0)).length).toBeGreaterThan(3);
  return { harness, files, keys };
}

it('a chain continues in the next job attempt', async () => {
  const { harness, keys } = await runSixSteps('dist');
  const { main } = await harness.runJob({ jobAttempt: 2, rules: finishing });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed', resumed: 'true', persisted: 'true' });
  expect(attemptLines(main.report).at(-1)).toBe('s6#2@2 resumed continued passed');
  expect((await harness.calls()).at(-1)?.earlier).toHaveLength(6);
  const added = [...sealedFiles(harness).values()].slice(keys.length);
  expect(added.length).toBeGreaterThan(0);
  for (const sealed of added) expect(linksOf(sealed).slice(0, keys.length)).toEqual(keys);
});

function replace(harness: Harness, key: string, sealed: Buffer): void {
  harness.cache.corrupt(key, () => makeCacheBody(sealed));
}

/** The same content under the same key, with the same secrets. */
async function sealAgain(key: string, sealed: Buffer): Promise<Buffer> {
  const binding = readBinding(sealed);
  if (binding === undefined) throw new Error(`${key} has no header.`);
  const opened = await openCheckpoint(sealed, secrets, { ...binding, key });
  if (opened.status !== 'opened') throw new Error(opened.reason);
  return sealCheckpoint(opened.entries, binding, secrets);
}

type Six = Awaited<ReturnType<typeof runSixSteps>>;

const missing = 'an entry that it builds on is missing';
const wrong = 'an entry that it builds on was replaced or altered';

/** What is done to the third link, and why the last checkpoint is refused then. */
const alterations: Readonly<
  Record<string, readonly [reason: string, alter: (six: Six, key: string) => unknown]>
> = {
  removed: [missing, ({ harness }, key) => harness.cache.delete(key)],
  'swapped with the one before it': [
    wrong,
    ({ harness, files, keys }, key) => {
      const [before = ''] = keys.slice(keys.indexOf(key) - 1);
      replace(harness, key, files.get(before) ?? Buffer.alloc(0));
      replace(harness, before, files.get(key) ?? Buffer.alloc(0));
    },
  ],
  'a repetition of the one before it': [
    wrong,
    ({ harness, files, keys }, key) =>
      replace(harness, key, files.get(keys[keys.indexOf(key) - 1] ?? '') ?? Buffer.alloc(0)),
  ],
  'sealed again with other bytes': [
    wrong,
    async ({ harness, files }, key) =>
      replace(harness, key, await sealAgain(key, files.get(key) ?? Buffer.alloc(0))),
  ],
  'of another run': [
    wrong,
    async ({ harness, files }, key) => {
      const binding = readBinding(files.get(key) ?? Buffer.alloc(0));
      if (binding === undefined) throw new Error(`${key} has no header.`);
      const other = { ...binding, runId: '1002', chain: [] };
      expect(keyOf(other)).not.toBe(key);
      replace(harness, key, await sealCheckpoint([], other, secrets));
    },
  ],
};

it.each([
  ['dist', 'removed'],
  ['dist', 'sealed again with other bytes'],
  ...Object.keys(alterations).map((name) => ['src', name] as const),
] as const)(
  'through %s, a chain with a link that is %s is not used, but the one before that link',
  async (code, name) => {
    const six = await runSixSteps(code);
    const { harness, keys, files } = six;
    const newest = keys.at(-1) ?? '';
    const [, , third = ''] = linksOf(files.get(newest) ?? Buffer.alloc(0));
    const [reason, alter] = alterations[name] ?? [];
    await alter?.(six, third);
    const { main } = await harness.runJob({ jobAttempt: 2, rules: finishing });
    expect(main.outputs, main.log).toMatchObject({ status: 'passed', resumed: 'true', persisted: 'true' });
    expect(main.warnings).toContainEqual(
      expect.stringContaining(`Checkpoint \`${newest}\` is not used: ${reason} (\``),
    );
    // Steps that only the refused checkpoints contain run again.
    const calls = (await harness.calls()).length;
    expect(calls).toBeGreaterThan(8);
    expect(main.log).toMatch(/Opened checkpoint `[^`]+-s00000[123]-/);
  },
);
