/** Runners and containers that differ from a hosted runner. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startProblem } from '../../src/start.js';
import type { StageInvocation } from '../rig/runner/stage.js';
import { createHarness } from './harness.js';

const flow = `
name: flow
steps:
  - {name: one, type: code, agent: claude-haiku, prompt: first, gate: [{bash: 'test -f made.txt'}]}
`;
const rules = [{ do: [{ write: 'made.txt', content: 'made' }] }];

const main = fileURLToPath(new URL('../../dist/index.js', import.meta.url));

/** Starts `dist/` with a given version in `process.versions`. */
function startWith(version: string, env: Readonly<Record<string, string>>) {
  const fake = `data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
  const args = ['--import', fake, main];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('the action outside of a job', () => {
  it('prints one sentence on Node 20, inside and outside of a runner', () => {
    const stdout =
      '::error::gump-action needs Node 24, and this is Node 20.20.2. Run this action as a step of a GitHub Actions job, whose runner contains Node 24, or install Node 24 for your runner.\n';
    expect(startWith('20.20.2', {})).toEqual({ status: 1, stdout, stderr: '' });
    expect(startWith('20.20.2', { GITHUB_RUN_ID: '1' })).toEqual({ status: 1, stdout, stderr: '' });
  });

  it('prints one sentence on a laptop', () => {
    expect(startWith('24.1.0', {})).toEqual({
      status: 1,
      stdout: expect.stringMatching(/^::error::gump-action was started outside of a GitHub .*\.\n$/),
      stderr: '',
    });
  });

  it.each(['22.15.0', '22.20.0', '24.0.0', '26.1.0'])('accepts Node %s', (version) => {
    expect(startProblem(version, { GITHUB_RUN_ID: '1' })).toBeUndefined();
  });

  it.each(['16.20.2', '20.20.2', '22.14.0'])('refuses Node %s', (version) => {
    expect(startProblem(version, { GITHUB_RUN_ID: '1' })).toContain(`this is Node ${version}`);
  });
});

describe.runIf(process.getuid?.() === 0)('a user without an entry in the list of users', () => {
  it('runs agents and stores checkpoints', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow, user: 54321 });
    const { main, post } = await harness.runJob({ rules });
    expect([main.errors, main.outputs.status, main.outputs.persisted]).toEqual([[], 'passed', 'true']);
    expect([post?.exitCode, post?.errors]).toEqual([0, []]);
  });

  it('stores checkpoints next to old ones of another user, which it cannot remove', async () => {
    const harness = await createHarness({ code: 'dist', store: 'directory', workflow: flow, user: 54321 });
    const old = join(harness.stateDirectory, `gump-v2-${'0'.repeat(20)}-900-a1-s000001-`);
    mkdirSync(harness.stateDirectory);
    writeFileSync(old, '');
    utimesSync(old, 1, 1);
    // As `/tmp`: everybody can write, and only the owner of a file can remove it.
    chmodSync(harness.stateDirectory, 0o1777);
    const { main } = await harness.runJob({ rules });
    expect([main.warnings, main.outputs.status, main.outputs.persisted]).toEqual([[], 'passed', 'true']);
    expect(readdirSync(harness.stateDirectory)).toContain(basename(old));
  });

  it('gets one sentence if HOME is not set either', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow, user: 54321 });
    const { main } = await harness.runJob({ env: { HOME: '' } });
    expect(main.errors).toEqual([
      'HOME is not set, and the user with the id 54321 has no entry in `/etc/passwd`. Set HOME in `env:` of the job to a directory that this user can write to.',
    ]);
    expect(main.log).not.toContain('Internal error');
  });
});

/** Changes a stage before it starts. */
type Change = (invocation: StageInvocation) => StageInvocation;

const withoutVariable =
  (name: string): Change =>
  ({ env, ...rest }) => {
    const { [name]: _removed, ...others } = env;
    return { ...rest, env: others };
  };
const withFile =
  (name: string, change: (path: string) => void): Change =>
  (invocation) => {
    change(invocation.env[name] ?? '');
    return invocation;
  };
/** Root can write everything except a directory in the place of the file. */
const unwritable = (path: string) => {
  rmSync(path);
  mkdirSync(path);
};
const missingFolder: Change = ({ env, ...rest }) => ({
  ...rest,
  env: { ...env, GITHUB_STEP_SUMMARY: '/nowhere/summary', GITHUB_OUTPUT: '/nowhere/output' },
});

describe('a passed run whose runner', () => {
  it.each([
    [
      'has no file for the summary',
      withoutVariable('GITHUB_STEP_SUMMARY'),
      /^The job summary could not be written \(GITHUB_STEP_SUMMARY is not set\)/,
    ],
    [
      'cannot write the summary',
      withFile('GITHUB_STEP_SUMMARY', unwritable),
      /^The job summary could not be written \(`.*` is not a regular file\)/,
    ],
    [
      'has no file for outputs',
      withoutVariable('GITHUB_OUTPUT'),
      /^The outputs of this step could not be written \(GITHUB_OUTPUT is not set\)/,
    ],
    [
      'cannot write outputs',
      withFile('GITHUB_OUTPUT', unwritable),
      /^The outputs of this step could not be written \(`.*` is not a regular file\)/,
    ],
    [
      'cannot save state',
      withFile('GITHUB_STATE', unwritable),
      /^The state for the end of the job could not be saved \(`.*` is not a regular file\)/,
    ],
  ])('%s passes with a warning', async (_, changeStage, warning) => {
    const harness = await createHarness({ code: 'dist', workflow: flow, changeStage });
    const { main, post } = await harness.runJob({ rules });
    expect([main.exitCode, main.errors]).toEqual([0, []]);
    expect(main.warnings).toEqual([expect.stringMatching(warning)]);
    expect(main.log).toContain('✓ flow passed');
    expect(post?.exitCode).toBe(0);
  });

  it('has lost the files of the step creates them again', async () => {
    const changeStage = withFile('GITHUB_OUTPUT', (path) => rmSync(dirname(path), { recursive: true }));
    const restore: Change = (invocation) => {
      const changed = changeStage(invocation);
      mkdirSync(dirname(invocation.env.GITHUB_OUTPUT ?? ''));
      return changed;
    };
    const harness = await createHarness({ code: 'dist', workflow: flow, changeStage: restore });
    const { main } = await harness.runJob({ rules });
    expect([main.exitCode, main.warnings, main.outputs.status]).toEqual([0, [], 'passed']);
    expect(main.summary).toContain('flow');
  });

  it('names folders that do not exist passes with two warnings', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow, changeStage: missingFolder });
    const { main } = await harness.runJob({ rules });
    expect([main.exitCode, main.errors, main.warnings.length]).toEqual([0, [], 2]);
  });
});

describe('a runner whose RUNNER_TEMP', () => {
  it('does not exist gets one sentence', async () => {
    const gone: Change = ({ env, ...rest }) => ({ ...rest, env: { ...env, RUNNER_TEMP: '/nowhere/temp' } });
    const harness = await createHarness({ code: 'dist', workflow: flow, changeStage: gone });
    const { main } = await harness.runJob({ rules });
    expect(main.errors).toEqual([
      expect.stringMatching(/^RUNNER_TEMP: no directory can be created in `\/nowhere\/temp` \(ENOENT/),
    ]);
    expect(main.log).not.toContain(' at ');
  });
});
