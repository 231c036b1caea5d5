/** Whether a run starts fresh (S14), reuses all results, or continues in another job (`resume`, `state-name`, `until`). */
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attemptLines, callLines, promptBodies, sessionIdsOf } from './attempt-lines.js';
import { createHarness } from './harness.js';

const workflow = (agent = 'claude-haiku') => `name: flow
steps:
  - name: tests
    type: code
    agent: ${agent}
    prompt: Tests.
  - name: impl
    type: code
    agent: ${agent}
    session: from: tests
    prompt: Implement.
    gate: [{bash: "test -e done.txt"}]
`;

const done = [{ prompt: 'Implement', do: [{ write: 'done.txt', content: 'done\n' }] }];

describe('S14: a re-run of a passed run', () => {
  it('starts fresh and logs it if the job succeeded', async () => {
    const harness = await createHarness({ code: 'dist', workflow: workflow() });
    const first = await harness.runJob({ rules: done });
    expect(first.main.outputs.status).toBe('passed');
    const { main } = await harness.runJob({ jobAttempt: 2, rules: done });
    expect(main.log).toContain('this re-run starts fresh');
    expect(attemptLines(main.report)).toEqual([
      'tests#1@2 new declared-new passed',
      'impl#1@2 resumed from passed',
    ]);
    expect(callLines(await harness.calls())).toEqual([
      'claude start a after 0',
      'claude resume a after 1',
      'claude start b after 0',
      'claude resume b after 1',
    ]);
    expect(main.outputs).toMatchObject({ status: 'passed', resumed: 'false', persisted: 'true' });
    expect(main.warnings).toEqual([]);
  });

  it('reuses all results and runs nothing if the job failed in a later step of the job', async () => {
    const harness = await createHarness({ workflow: workflow() });
    const first = await harness.runJob({ rules: done, laterStatus: 'failure' });
    let content = '';
    const { main } = await harness.runJob({
      jobAttempt: 2,
      laterStatus: 'failure',
      inspect: async (machine) => {
        content = await readFile(join(machine.workspace, 'done.txt'), 'utf8');
      },
    });
    expect(await harness.calls()).toHaveLength(2);
    expect(content).toBe('done\n');
    expect(main.outputs).toMatchObject({ status: 'passed', resumed: 'true', persisted: 'true' });
    expect(main.report?.steps.map((step) => step.takenOver)).toEqual([true, true]);
    for (const name of ['sessions', 'tokens', 'turns', 'cost-usd'])
      expect(main.outputs[name]).toBe(first.main.outputs[name]);
    expect(main.log).toContain('impl: passed in job attempt 1, result reused');
    const third = await harness.runJob({ jobAttempt: 3 });
    expect(third.main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(await harness.calls()).toHaveLength(2);
  });
});

describe('`until` and one state for two jobs', () => {
  const shared = { 'state-name': 'shared' };

  it('stops after a step; the next job resumes the session, also in a re-run', async () => {
    const harness = await createHarness({ code: 'dist', workflow: workflow('codex') });
    const plan = await harness.runJob({ job: 'plan', inputs: { ...shared, until: 'tests' } });
    expect(plan.main.outputs).toMatchObject({ status: 'passed', persisted: 'true' });
    expect(plan.main.report?.steps.map((step) => step.status)).toEqual(['passed', 'not-run']);
    const build = await harness.runJob({ job: 'build', inputs: shared });
    expect(attemptLines(build.main.report)).toEqual([
      'tests#1@1 new declared-new passed',
      'impl#1@1 resumed from failed:gate',
    ]);
    expect(build.main.outputs).toMatchObject({ status: 'failed', resumed: 'true' });
    const rerun = await harness.runJob({ job: 'build', jobAttempt: 2, inputs: shared, rules: done });
    expect(rerun.main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(callLines(await harness.calls())).toEqual([
      'codex start a after 0',
      'codex resume a after 1',
      'codex resume a after 2',
    ]);
    expect([...build.main.warnings, ...rerun.main.warnings]).toEqual([]);
  });

  it('starts no agent in a job that cannot open the state of the job before', async () => {
    const harness = await createHarness({ code: 'dist', workflow: workflow() });
    const sealedWith = (key: string) => ({ ...shared, 'state-key': `${key} state key of enough length` });
    await harness.runJob({ job: 'plan', inputs: { ...sealedWith('one'), until: 'tests' } });
    const { main } = await harness.runJob({ job: 'build', inputs: sealedWith('another') });
    expect(main.outputs.status).toBe('failed');
    expect(main.errors).toEqual([
      expect.stringMatching(/^Checkpoint `gump-v2-.*` exists, but no secret of this job opens it\./),
    ]);
    expect(await harness.calls()).toHaveLength(1);
    const { main: third } = await harness.runJob({ job: 'build', inputs: sealedWith('one'), rules: done });
    expect(third.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
  });

  it('starts both jobs fresh if both succeeded and all jobs are re-run', async () => {
    const harness = await createHarness({ workflow: workflow(), store: 'directory' });
    const run = async (attempt: number) => {
      await harness.runJob({ jobAttempt: attempt, job: 'plan', inputs: { ...shared, until: 'tests' } });
      return harness.runJob({ jobAttempt: attempt, job: 'build', inputs: shared, rules: done });
    };
    await run(1);
    const { main } = await run(2);
    expect(promptBodies((await harness.calls()).map((call) => call.prompt))).toEqual([
      'Tests.',
      'Implement.',
      'Tests.',
      'Implement.',
    ]);
    expect(attemptLines(main.report)).toEqual([
      'tests#1@2 new declared-new passed',
      'impl#1@2 resumed from passed',
    ]);
  });

  it('fails the job that finds another running job with the same state name', async () => {
    const harness = await createHarness({ code: 'dist', workflow: workflow() });
    const [stored, mayEnd] = [`${harness.stateDirectory}-stored`, `${harness.stateDirectory}-end`];
    // `late` stores its first checkpoint after `early` has stored one. Only then does `early` continue.
    const early = harness.runJob({
      job: 'early',
      inputs: shared,
      rules: [
        {
          prompt: 'Implement',
          do: [{ run: `touch ${stored}` }, { waitFor: mayEnd }, { write: 'done.txt' }],
        },
      ],
    });
    const late = harness.runJob({
      job: 'late',
      inputs: { ...shared, resume: 'never' },
      rules: [
        { prompt: 'Tests', do: [{ waitFor: stored }] },
        { prompt: 'Implement', do: [{ run: `touch ${mayEnd}` }, { write: 'done.txt' }] },
      ],
    });
    const [one, other] = await Promise.all([early, late]);
    expect(one.main.errors).toEqual([]);
    expect(one.main.outputs).toMatchObject({ status: 'passed', persisted: 'true' });
    expect(other.main.errors).toHaveLength(1);
    expect(other.main.errors[0]).toContain('Two jobs use the state name "shared" at the same time.');
    expect(other.main.outputs).toMatchObject({ status: 'failed', persisted: 'false' });
    expect(other.main.exitCode).toBe(1);
  });
});

describe('the input `resume`', () => {
  it('auto: starts fresh with a warning if the state is missing', async () => {
    const harness = await createHarness({ workflow: workflow() });
    await harness.runJob();
    for (const { key } of harness.cache.entries()) harness.cache.delete(key);
    const { main } = await harness.runJob({ jobAttempt: 2, rules: done });
    expect(main.warnings).toHaveLength(1);
    expect(main.warnings[0]).toContain('Starting fresh: no checkpoint');
    expect(main.outputs).toMatchObject({ status: 'passed', resumed: 'false' });
    expect(callLines(await harness.calls())[2]).toBe('claude start b after 0');
  });

  it('require: fails before any agent starts if the state is missing, but not in the first job attempt', async () => {
    const harness = await createHarness({ workflow: workflow(), store: 'directory' });
    const first = await harness.runJob({ inputs: { resume: 'require', until: 'tests' } });
    expect(first.main.outputs.status).toBe('passed');
    const { main } = await harness.runJob({
      jobAttempt: 2,
      inputs: { resume: 'require', 'state-store': `directory:${harness.stateDirectory}-empty` },
    });
    expect(main.exitCode).toBe(1);
    expect(main.errors).toHaveLength(1);
    expect(main.errors[0]).toContain('`resume: require`');
    expect(main.outputs.status).toBe('failed');
    expect(await harness.calls()).toHaveLength(1);
  });

  it('never: starts fresh and logs it; a later re-run continues from the new checkpoints', async () => {
    const harness = await createHarness({ workflow: workflow() });
    await harness.runJob();
    const second = await harness.runJob({ jobAttempt: 2, inputs: { resume: 'never' } });
    expect(second.main.log).toContain('Starting fresh, because the input `resume` is `never`');
    expect(second.main.outputs.resumed).toBe('false');
    const { main } = await harness.runJob({ jobAttempt: 3, rules: done });
    expect(sessionIdsOf(main.outputs).impl).toBe(sessionIdsOf(second.main.outputs).impl);
    expect([...second.main.warnings, ...main.warnings]).toEqual([]);
    expect(attemptLines(main.report)).toEqual([
      'tests#1@2 new declared-new passed',
      'impl#1@2 resumed from failed:gate',
      'impl#2@3 resumed continued passed',
    ]);
  });
});

describe('a re-run on a different machine', () => {
  it.each([
    ['claude-haiku', 'CLAUDE_CONFIG_DIR', '.claude'],
    ['codex', 'CODEX_HOME', '.codex'],
  ])('resumes in another workspace and with another session folder of %s', async (agent, variable, usual) => {
    const harness = await createHarness({ workflow: workflow(agent) });
    await harness.runJob();
    const found: boolean[] = [];
    const { main } = await harness.runJob({
      jobAttempt: 2,
      rules: done,
      workspace: 'somewhere/else with spaces/sample',
      env: (machine) => ({ [variable]: join(machine.root, 'agent home') }),
      prepare: async (machine) => void (await mkdir(join(machine.root, 'agent home'))),
      inspect: async (machine) => {
        found.push(existsSync(join(machine.home, usual)));
      },
    });
    expect(main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(callLines(await harness.calls()).at(-1)).toMatch(/ resume a after 2$/);
    expect((await harness.calls()).at(-1)?.cwd).toContain('else with spaces');
    expect(found).toEqual([false]);
    const fromImpl = await harness.runJob({ jobAttempt: 3, inputs: { 'from-step': 'impl' }, rules: done });
    expect(promptBodies((await harness.calls()).at(-1)?.earlier ?? [])).toEqual(['Tests.']);
    expect(fromImpl.main.outputs.status).toBe('passed');
  });
});
