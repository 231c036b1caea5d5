/** Installation of CLIs that are not on PATH, with a stand-in for npm. */

import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { platformName } from '../../src/install/tool-cache.js';
import { defined } from '../../src/optional-keys.js';
import type { Machine } from '../rig/machine.js';
import { installStandInNpm, type NpmCall, type StandInNpmOptions } from '../rig/stand-in-npm.js';
import { createHarness, type Harness, type RunJobOptions } from './harness.js';

const flow = (agent: string) => `name: flow
steps:
  - name: impl
    type: code
    agent: ${agent}
    prompt: Do it.
`;

/** A machine with a stand-in npm and without CLIs. Afterwards, `npm` contains the calls. */
function withoutClis(
  options: StandInNpmOptions & RunJobOptions & { readonly npm: NpmCall[] },
): RunJobOptions {
  const { npm, errorOutput, commandsBefore, prepare, inspect, ...rest } = options;
  const open = (machine: Machine) =>
    installStandInNpm(machine, {
      ...defined({ errorOutput, commandsBefore }),
    });
  let calls: (() => Promise<readonly NpmCall[]>) | undefined;
  return {
    programs: [],
    ...rest,
    async prepare(machine) {
      ({ calls } = await open(machine));
      await prepare?.(machine);
    },
    async inspect(machine) {
      npm.push(...((await calls?.()) ?? []));
      await inspect?.(machine);
    },
  };
}

const installFolder = (machine: Machine, provider: string, version: string) =>
  join(machine.toolCache, 'gump-clis', provider, version);

/** The kinds of the remaining entries, because the names of the folders are random. */
function remainingEntries(folder: string): readonly string[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.map((name) => (name.endsWith('.complete') ? 'mark' : 'folder')).sort();
}

const cleanUps: string[] = [];
afterEach(async () => {
  for (const path of cleanUps.splice(0)) await rm(path, { recursive: true, force: true });
});

/** The output of npm for an error. */
const npmErrorOutput = (code: string, ...lines: readonly string[]) =>
  [
    'npm warn Unknown user config "x".',
    `npm error code ${code}`,
    ...lines.map((line) => `npm error ${line}`),
    'npm error A complete log of this run can be found in: /x/debug.log',
    '',
  ].join('\n');

describe('a missing CLI', () => {
  it('is installed at the pinned version, runs, and is in the report', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow('codex') });
    const npm: NpmCall[] = [];
    const kept: string[] = [];
    const { main } = await harness.runJob(
      withoutClis({
        npm,
        inspect: async (machine) =>
          void kept.push(...remainingEntries(installFolder(machine, 'codex', '0.169.0'))),
      }),
    );
    expect(main.errors).toEqual([]);
    expect(main.outputs.status).toBe('passed');
    expect(npm.map(({ argv }) => argv[0])).toEqual(['ci']);
    expect(npm[0]?.argv).toContain('--ignore-scripts');
    expect(kept).toEqual(['folder', 'mark']);
    expect(main.log).toContain(
      'Installing Codex CLI 0.169.0 (npm package `@openai/codex`) into the tool cache',
    );
    // The version comes from the installation, because the events of Codex do not contain it.
    expect(main.report?.steps[0]?.attempts[0]).toMatchObject({ cliVersion: '0.169.0' });
    expect(await harness.calls()).toHaveLength(1);
  });

  it('runs its install script if it needs one, without the registry token', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow('claude-haiku') });
    const npm: NpmCall[] = [];
    const env = {
      NODE_AUTH_TOKEN: 'npm-0123456789',
      npm_config_fetch_retries: '7',
      DEPLOY_SECRET: 'x'.repeat(20),
    };
    const { main } = await harness.runJob(withoutClis({ npm, env }));
    expect(main.outputs.status).toBe('passed');
    const [install, rebuild] = npm;
    expect(npm).toHaveLength(2);
    expect(rebuild?.argv.slice(0, 2)).toEqual(['rebuild', '--no-ignore-scripts']);
    expect(rebuild?.argv.at(-1)).toBe('@anthropic-ai/claude-code');
    expect([install?.env.NODE_AUTH_TOKEN, install?.env.npm_config_fetch_retries]).toEqual([
      'npm-0123456789',
      '7',
    ]);
    expect(rebuild?.env.NODE_AUTH_TOKEN).toBeUndefined();
    for (const { env: seen } of npm) {
      const names = Object.keys(seen);
      expect(names).toEqual(expect.arrayContaining(['PATH', 'HOME']));
      expect(
        names.filter((name) => /^(ACTIONS|INPUT|STATE)_|ANTHROPIC|OPENAI|SECRET|GITHUB_ENV/.test(name)),
      ).toEqual([]);
    }
  });

  it('is installed for OpenCode before the session starts, and post finds it', async () => {
    const harness = await createHarness({ workflow: flow('opencode-anthropic/claude-haiku-4-5') });
    const npm: NpmCall[] = [];
    const sessions: string[] = [];
    const { main } = await harness.runJob(
      withoutClis({
        npm,
        async inspect({ home }) {
          const store = join(home, '.local/share/opencode/rig-sessions');
          sessions.push(...(existsSync(store) ? readdirSync(store) : ['no store']));
        },
      }),
    );
    expect(main.outputs.status).toBe('passed');
    expect((await harness.calls())[0]?.session.id).toMatch(/^ses_[0-9a-f]{26}$/);
    expect(sessions).toEqual([]);
    expect(npm.map(({ argv }) => argv[0])).toEqual(['install', 'rebuild']);
  });

  it('is installed when it is first needed if only the run shows which one', async () => {
    const harness = await createHarness({ workflow: flow('"{which}"') });
    const npm: NpmCall[] = [];
    const inputs = { vars: 'which: codex' };
    const { main } = await harness.runJob(withoutClis({ npm, inputs }));
    expect([main.errors, main.outputs.status]).toEqual([[], 'passed']);
    expect(npm.map(({ argv }) => argv[0])).toEqual(['ci']);
    expect((await harness.calls()).map(({ provider }) => provider)).toEqual(['codex']);

    const errorOutput = npmErrorOutput('ENOTFOUND', 'network request failed');
    const broken = await harness.runJob(withoutClis({ npm, inputs, runId: '7', errorOutput }));
    expect(broken.main.outputs).toMatchObject({ status: 'failed', 'failed-step': 'impl' });
    expect(broken.main.errors.join()).toContain(
      'Codex CLI 0.169.0 could not be installed: the registry cannot be reached',
    );
    expect(broken.main.log).not.toContain('Internal error in gump-action');
  });

  it('is used from the tool cache, without npm', async () => {
    const harness = await createHarness({ workflow: flow('codex') });
    const outside = await mkdtemp(join(tmpdir(), 'gump-tools-'));
    cleanUps.push(outside);
    await harness.runJob(
      withoutClis({ npm: [], inspect: ({ toolCache }) => cp(toolCache, outside, { recursive: true }) }),
    );
    const npm: NpmCall[] = [];
    const fill = ({ toolCache }: Machine) => cp(outside, toolCache, { recursive: true });
    const { main } = await harness.runJob(withoutClis({ npm, jobAttempt: 2, prepare: fill }));
    expect([main.outputs.status, npm]).toEqual(['passed', []]);
    expect(main.log).not.toContain('Installing');
  });

  it('is installed again if the mark names an incomplete folder', async () => {
    const harness = await createHarness({ workflow: flow('codex') });
    const npm: NpmCall[] = [];
    const prepare = async (machine: Machine) => {
      const folder = installFolder(machine, 'codex', '0.169.0');
      const platform = platformName();
      await mkdir(join(folder, `${platform}-broken/node_modules/.bin`), { recursive: true });
      await writeFile(join(folder, `${platform}.complete`), `${platform}-broken\n`);
    };
    const { main } = await harness.runJob(withoutClis({ npm, prepare }));
    expect([main.outputs.status, npm.length]).toEqual(['passed', 1]);
  });

  it('is installed by two jobs on one machine at once, and one installation stays', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow('codex') });
    const outside = await mkdtemp(join(tmpdir(), 'gump-shared-'));
    cleanUps.push(outside);
    // Each job waits until the other one has reached this point.
    const commandsBefore = `n=0; while [ $(ls ${outside}/here | wc -l) -lt 2 ] && [ $n -lt 300 ]; do touch ${outside}/here/$$; sleep 0.1; n=$((n+1)); done`;
    await mkdir(join(outside, 'here'));
    const shared = join(outside, 'tools');
    const attempt = (runId: string) =>
      harness.runJob(withoutClis({ npm: [], commandsBefore, runId, env: { RUNNER_TOOL_CACHE: shared } }));
    const results = await Promise.all([attempt('1'), attempt('2')]);
    expect(results.map(({ main }) => main.outputs.status)).toEqual(['passed', 'passed']);
    expect(remainingEntries(join(shared, 'gump-clis/codex/0.169.0'))).toEqual(['folder', 'mark']);
  });
});

describe('a CLI that is on PATH', () => {
  it('is used even if its version is not the pinned one', async () => {
    const harness = await createHarness({ workflow: flow('codex') });
    const npm: NpmCall[] = [];
    const { main } = await harness.runJob(withoutClis({ npm, programs: ['codex'] }));
    expect([main.outputs.status, npm]).toEqual(['passed', []]);
  });

  it('is not used if `cli-versions` requires another version', async () => {
    const harness = await createHarness({ workflow: flow('codex') });
    const npm: NpmCall[] = [];
    const own = { 'cli-versions': 'codex: 0.169.0' };
    expect((await harness.runJob(withoutClis({ npm, programs: ['codex'], inputs: own }))).main.exitCode).toBe(
      0,
    );
    expect(npm).toEqual([]);
    const other = { 'cli-versions': 'codex: 0.170.0-alpha.1' };
    const kept: string[] = [];
    const inspect = async (machine: Machine) =>
      void kept.push(...remainingEntries(installFolder(machine, 'codex', '0.170.0-alpha.1')));
    const { main } = await harness.runJob(
      withoutClis({ npm, programs: ['codex'], inputs: other, runId: '7', inspect }),
    );
    expect([main.outputs.status, npm.length, kept]).toEqual(['passed', 1, ['folder', 'mark']]);
    expect(main.report?.steps[0]?.attempts[0]).toMatchObject({ cliVersion: '0.170.0-alpha.1' });
  });

  it('resumes a session of another version and logs it', async () => {
    const gated = `${flow('codex')}    gate:\n      - bash: test -e done.txt\n`;
    const harness = await createHarness({ workflow: gated });
    await harness.runJob(withoutClis({ npm: [] }));
    const { main } = await harness.runJob(
      withoutClis({
        npm: [],
        jobAttempt: 2,
        inputs: { 'cli-versions': 'codex: 0.170.0' },
        rules: [{ do: [{ write: 'done.txt', content: 'x' }] }],
      }),
    );
    expect(main.outputs.status).toBe('passed');
    expect(main.log).toContain('Resumed the session with Codex 0.170.0; the last version was 0.169.0');
    expect(main.report?.steps[0]?.attempts.map((one) => one.session?.effective)).toEqual(['new', 'resumed']);
  });
});

describe('a CLI that cannot be installed', () => {
  async function refused(harness: Harness, options: RunJobOptions): Promise<readonly string[]> {
    const { main } = await harness.runJob(options);
    expect([main.exitCode, main.outputs.status]).toEqual([1, 'failed']);
    expect(main.summary).toContain('nothing ran');
    expect(main.log).not.toContain('Internal error in gump-action');
    expect(await harness.calls()).toEqual([]);
    return main.errors;
  }

  it.each([
    [
      'ETARGET',
      'notarget No matching version found for @openai/codex@0.169.0.',
      /the registry has no such version/,
    ],
    ['E404', '404 Not Found - GET codex', /the registry has no such package/],
    [
      'EINTEGRITY',
      'sha512-x integrity checksum failed when using sha512',
      /the download does not match its checksum/,
    ],
    [
      'ENOTFOUND',
      'network request to codex failed, reason: getaddrinfo ENOTFOUND',
      /the registry cannot be reached/,
    ],
    ['E503', '503 Service Unavailable', /the registry cannot be reached/],
    ['E401', 'Incorrect or missing password.', /the registry rejected the request/],
    ['ENOSPC', 'nospc There appears to be insufficient space', /the disk of the tool cache is full/],
    ['EWHATEVER', 'something new', /npm ended with exit code 1\. npm reported: code EWHATEVER something new/],
  ])('reports %s in one line and leaves no files', async (code, line, expected) => {
    const harness = await createHarness({ workflow: flow('codex') });
    const kept: string[] = [];
    const inspect = async (machine: Machine) =>
      void kept.push(...remainingEntries(installFolder(machine, 'codex', '0.169.0')));
    const errors = await refused(
      harness,
      withoutClis({ npm: [], errorOutput: npmErrorOutput(code, line), inspect }),
    );
    expect(errors).toEqual([expect.stringMatching(/^Codex CLI 0\.169\.0 could not be installed: /)]);
    expect(errors[0]).toMatch(expected);
    expect(errors[0]).toContain(line);
    expect(errors[0]).not.toMatch(/complete log|npm warn/);
    expect(kept).toEqual([]);
  });

  it('is reported together with all other failed CLIs', async () => {
    const harness = await createHarness({
      workflow: `${flow('codex')}  - name: more\n    type: code\n    agent: claude-haiku\n    prompt: More.\n`,
    });
    const errors = await refused(
      harness,
      withoutClis({ npm: [], errorOutput: npmErrorOutput('E503', '503 Service Unavailable') }),
    );
    expect(errors.map((error) => error.split(' could')[0])).toEqual([
      'Codex CLI 0.169.0',
      'Claude Code CLI 2.1.330',
    ]);
  });

  it('is reported if the tool cache cannot be written', async () => {
    const harness = await createHarness({ workflow: flow('codex') });
    const prepare = ({ toolCache }: Machine) => writeFile(join(toolCache, 'gump-clis'), 'a file');
    const npm: NpmCall[] = [];
    const errors = await refused(harness, withoutClis({ npm, prepare }));
    expect(errors).toEqual([expect.stringMatching(/^Codex CLI 0\.169\.0 could not be installed: ENOTDIR/)]);
    expect(npm).toEqual([]);
  });

  it('is reported if npm is missing', async () => {
    const harness = await createHarness({ workflow: flow('codex') });
    const errors = await refused(harness, {
      programs: [],
      prepare: withoutNpm,
      env: ({ root }) => ({ PATH: join(root, 'some') }),
    });
    expect(errors).toEqual([
      expect.stringMatching(
        /^Codex CLI not found, and npm is not on PATH to install it\. Run `actions\/setup-node`/,
      ),
    ]);
  });

  it('is reported with `install: never`, for Cursor, and for an unknown provider', async () => {
    const npm: NpmCall[] = [];
    const codex = await createHarness({ workflow: flow('codex') });
    const never = (inputs: Readonly<Record<string, string>>) =>
      withoutClis({ npm, inputs: { install: 'never', ...inputs } });
    expect(await refused(codex, never({}))).toEqual([
      'Codex CLI not found on PATH (program `codex`), and `install: never` allows no installation. Remove `install: never`, or install it in an earlier step of the job. Install it with `npm install -g @openai/codex`.',
    ]);
    const other = { ...never({ 'cli-versions': 'codex: 0.1.0' }), programs: ['codex'] } as const;
    expect(await refused(codex, other)).toEqual([
      'Input `cli-versions` requires Codex CLI 0.1.0, but PATH has 0.169.0, and `install: never` allows no installation. Remove one of the two inputs.',
    ]);
    const wrong = withoutClis({
      npm,
      inputs: { 'cli-versions': 'codx: 1.0.0', 'agent-args': 'copilot: [x]' },
    });
    expect(await refused(codex, wrong)).toEqual([
      expect.stringMatching(/^Input `cli-versions`: "codx" is not a provider\. Use one of: claude, codex/),
      expect.stringMatching(/^Input `agent-args`: "copilot" is not a provider/),
    ]);
    const env = { CURSOR_API_KEY: 'key-0123456789abcdef' };
    const cursor = await createHarness({ workflow: flow('cursor') });
    expect(await refused(cursor, withoutClis({ npm, env }))).toEqual([
      expect.stringMatching(
        /^Cursor CLI not found on PATH .*https:\/\/cursor\.com\/docs\/cli; it is not on npm/,
      ),
    ]);
    const pinned = withoutClis({ npm, env, inputs: { 'cli-versions': 'cursor: 1.2.3' } });
    expect(await refused(cursor, pinned)).toEqual([
      expect.stringMatching(
        /^Input `cli-versions`: the version of Cursor CLI cannot be selected\. Install it in an earlier step/,
      ),
    ]);
    expect(npm).toEqual([]);
  });

  it('is not installed if there are other errors', async () => {
    const harness = await createHarness({ workflow: `${flow('codex')}    gate: [compile]\n` });
    const npm: NpmCall[] = [];
    expect(await refused(harness, withoutClis({ npm, credentials: 'none' }))).toHaveLength(2);
    expect(npm).toEqual([]);
  });
});

describe('a job that is cancelled while npm is running', () => {
  it('ends as cancelled, starts no agent, and leaves no incomplete installation', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow('codex') });
    const kept: string[] = [];
    const npm: NpmCall[] = [];
    const { main } = await harness.runJob(
      withoutClis({
        npm,
        commandsBefore: 'sleep 60',
        stop: { when: { log: 'Installing Codex' }, how: 'cancel' },
        inspect: async (machine) =>
          void kept.push(...remainingEntries(installFolder(machine, 'codex', '0.169.0'))),
      }),
    );
    expect(main.outputs.status).toBe('waiting');
    expect([await harness.calls(), kept]).toEqual([[], []]);
  });
});

describe('agent-args', () => {
  it('are passed to their provider in new and resumed sessions', async () => {
    const harness = await createHarness({
      workflow: `${flow('claude-haiku')}    gate:\n      - bash: "false"\n    retry:\n      - exit: 2\n`,
    });
    const inputs = { 'agent-args': 'claude: [--mcp-config, "a b.json"]\ncodex: [--never]' };
    await harness.runJob({ inputs });
    const calls = await harness.calls();
    expect(calls.map(({ session }) => session.mode)).toEqual(['start', 'resume']);
    for (const { argv } of calls) expect(argv.slice(0, 3)).toEqual(['-p', '--mcp-config', 'a b.json']);
  });
});

/** Creates a folder `some` with all programs of the system except npm. */
async function withoutNpm({ root, bin }: Machine): Promise<void> {
  const folder = join(root, 'some');
  await mkdir(folder);
  const folders = [bin, dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'];
  for (const source of folders.filter(existsSync))
    for (const name of readdirSync(source)) {
      if (['npm', 'npx', 'codex'].includes(name) || existsSync(join(folder, name))) continue;
      await symlink(join(source, name), join(folder, name)).catch(() => readlinkSync(join(folder, name)));
    }
}
