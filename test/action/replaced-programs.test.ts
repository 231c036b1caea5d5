/** Programs that an agent replaces during the run, and CLIs that are not the tested ones. */
import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { platformName } from '../../src/install/tool-cache.js';
import { pinnedVersions } from '../../src/providers/versions.js';
import type { Machine } from '../rig/machine.js';
import { installStandInNpm } from '../rig/stand-in-npm.js';
import { createHarness } from './harness.js';

const flow = (second: string) => `name: flow
steps:
  - name: first
    type: code
    agent: claude-haiku
    prompt: Spoil it.
  - name: second
    type: code
    agent: ${second}
    prompt: Do it.
`;

describe('after an agent has replaced a program', () => {
  it.each([
    [
      'the CLI of the next step',
      'codex',
      /^Step `second` failed .*\(guard\): Codex CLI \(.*codex\) was changed during the run\. It was not started/,
    ],
    [
      'git',
      'git',
      /^Step `second` failed .*\(guard\): The program `git` on PATH is no longer the one from the start/,
    ],
    [
      'Node, which runs the CLI of the next step',
      'node',
      /^Step `second` failed .*\(guard\): The program `node` on PATH is no longer the one from the start/,
    ],
  ])('%s is not started', async (_what, name, error) => {
    const harness = await createHarness({ workflow: flow('codex'), code: 'dist' });
    let trace = '';
    const { main } = await harness.runJob({
      rules: [{ prompt: 'Spoil it.', do: [{ run: `sh "$HOME/spoil.sh"` }] }],
      prepare: async (machine) => {
        trace = join(machine.root, 'trace');
        if (name === 'node') {
          const codex = join(machine.bin, 'codex');
          await writeFile(codex, (await readFile(codex, 'utf8')).replace(/^#!.*/, '#!/usr/bin/env node'));
        }
        const real = name === 'git' ? `exec /usr/bin/git "$@"` : `touch ${trace}`;
        const program = join(machine.bin, name);
        await writeFile(
          join(machine.home, 'spoil.sh'),
          `rm -f ${program}\nprintf '#!/bin/sh\\n%s\\n' '${real}' > ${program}\nchmod 755 ${program}\n`,
        );
      },
      inspect: async () => {
        expect(existsSync(trace)).toBe(false);
      },
    });
    expect(main.errors).toEqual([expect.stringMatching(error)]);
    expect((await harness.calls()).map(({ provider }) => provider)).toEqual(['claude']);
  });
});

describe('a CLI that is installed', () => {
  const codex = `name: flow\nsteps:\n  - name: a\n    type: code\n    agent: codex\n    prompt: go\n`;
  const opencode = codex.replace('codex', 'opencode-openai/gpt-5');

  it('is read-only afterwards, and takes its checksums from the action', async () => {
    const harness = await createHarness({ workflow: codex, code: 'dist' });
    const found: unknown[] = [];
    const { main } = await harness.runJob({
      programs: [],
      prepare: (machine) => installStandInNpm(machine).then(() => undefined),
      inspect: async ({ toolCache }) => {
        const base = join(toolCache, 'gump-clis', 'codex', '0.169.0');
        const marker = await readFile(join(base, `${process.platform}-${process.arch}.complete`), 'utf8');
        const folder = join(base, marker.trim());
        const lock = JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8'));
        found.push(lock.packages['node_modules/@openai/codex-linux-x64'].integrity);
        for (const path of ['', 'node_modules', 'node_modules/.bin/codex', 'package.json'])
          found.push((await stat(join(folder, path))).mode & 0o222);
      },
    });
    expect(main.errors).toEqual([]);
    expect(found).toEqual([expect.stringMatching(/^sha512-/), 0, 0, 0, 0]);
  });

  it('is refused if its package has another checksum than the tested one', async () => {
    const harness = await createHarness({ workflow: opencode, code: 'dist' });
    const records = { 'node_modules/opencode-ai': { version: '1.18.33', integrity: 'sha512-AAAA' } };
    const { main } = await harness.runJob({
      programs: [],
      prepare: (machine) => installStandInNpm(machine, { records }).then(() => undefined),
    });
    expect(main.errors).toEqual([
      expect.stringContaining('the package `opencode-ai` does not match the checksum of the tested version'),
    ]);
    expect(await harness.calls()).toEqual([]);
  });

  it('during the run is installed with the `.npmrc` from its start', async () => {
    const harness = await createHarness({ workflow: flow('"{which}"'), code: 'dist' });
    const start = 'registry=https://registry.example/\n';
    let seen = '';
    const { main } = await harness.runJob({
      inputs: { vars: 'which: codex' },
      programs: ['claude'],
      rules: [{ prompt: 'Spoil it.', do: [{ run: `echo registry=https://evil.example/ > "$HOME/.npmrc"` }] }],
      prepare: async (machine: Machine) => {
        await writeFile(join(machine.home, '.npmrc'), start);
        await installStandInNpm(machine, { commandsBefore: `cp user.npmrc ${machine.root}/seen || true` });
      },
      inspect: async (machine) => {
        seen = await readFile(join(machine.root, 'seen'), 'utf8');
      },
    });
    expect(main.errors).toEqual([]);
    expect(seen).toBe(start);
  });
});

it('an installed CLI that an agent planted is not used by a later agent', async () => {
  const harness = await createHarness({
    code: 'dist',
    workflow: `name: flow
steps:
  - name: plant
    type: code
    agent: claude-haiku
    prompt: Plant.
  - name: review
    type: validate
    agent: "{which}"
    prompt: Review.
`,
  });
  const slot = `$RUNNER_TOOL_CACHE/gump-clis/codex/${pinnedVersions.codex}`;
  const evil = `${platformName()}-evil`;
  const run = [
    `mkdir -p ${slot}/${evil}/node_modules/.bin`,
    `echo ${evil} > ${slot}/${platformName()}.complete`,
    `printf '#!/bin/sh\\ntouch "$HOME/started"\\n' > ${slot}/${evil}/node_modules/.bin/codex`,
    `chmod +x ${slot}/${evil}/node_modules/.bin/codex`,
  ].join(' && ');
  const { main } = await harness.runJob({
    programs: ['claude'],
    inputs: { vars: 'which: codex' },
    rules: [{ prompt: 'Plant', do: [{ run }] }],
    prepare: (machine) => installStandInNpm(machine).then(() => undefined),
    async inspect(machine) {
      expect(existsSync(join(machine.home, 'started'))).toBe(false);
    },
  });
  // The one from npm was used, and gave no verdict.
  expect(main.log).toContain('Installing Codex CLI');
  expect(main.outputs).toMatchObject({ status: 'failed', 'failed-step': 'review' });
});
