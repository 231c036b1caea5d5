/** Steps that wait for approval (`hitl`): one job pauses, and another job approves the step and continues. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StepResult } from '../rig/machine.js';
import type { Report } from '../rig/report.js';
import { planRule } from './answer-rules.js';
import { attemptLines } from './attempt-lines.js';
import { createHarness, type Harness, type RunJobOptions } from './harness.js';

const flow = (hitl: string, root = '') => `name: flow
${root}steps:
  - name: impl
    type: code
    agent: claude-haiku
    hitl: ${hitl}
    prompt: Implement.
    gate: [{bash: "echo checked >> ../checked; grep -q right code.txt"}]
    retry: [{exit: 2}]
  - name: docs
    type: code
    agent: claude-haiku
    session: from: impl
    prompt: Document.
`;

const rules = [
  { prompt: 'Implement', do: [{ write: 'code.txt', content: 'right\n' }] },
  { prompt: 'Document', do: [{ write: 'docs.txt', content: 'docs\n' }] },
];

const runFirstJob = (harness: Harness, more: RunJobOptions = {}) =>
  harness.runJob({ rules, ...more, inputs: { 'state-name': 'shared', ...more.inputs } });

/** The job that approves the step. In a repository, a protected environment would guard it. */
const runSecondJob = (harness: Harness, approve: string, more: RunJobOptions = {}) =>
  harness.runJob({
    rules,
    job: 'approve',
    event: { name: 'push', actor: 'octocat', triggeringActor: 'reviewer' },
    ...more,
    inputs: { 'state-name': 'shared', approve, ...more.inputs },
  });

interface Approval {
  readonly pause?: string;
  readonly approvedBy?: string;
}

const approvals = (report: Report | undefined, path = 'impl') =>
  report?.steps
    .find((step) => step.path === path)
    ?.attempts.map(({ number, jobAttempt, status, ...rest }) => {
      const { pause, approvedBy } = rest as Approval;
      return { number, jobAttempt, status, pause, approvedBy };
    });

const expectPaused = ({ main }: StepResult, step = 'impl') => {
  expect(main.outputs, main.log).toMatchObject({ status: 'paused', 'failed-step': step, persisted: 'true' });
  expect(main.exitCode).toBe(1);
  expect(main.errors).toEqual([expect.stringContaining(`Step \`${step}\` waits for approval.`)]);
  expect(main.errors[0]).toContain(`\`approve: ${step}\` and \`state-name: shared\``);
};

describe('a step that waits for approval before its gates', () => {
  it('waits again in every re-run, and continues in a job that approves it', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow('before_gate') });
    const paused = await runFirstJob(harness, {
      async inspect({ workspace }) {
        await expect(readFile(join(workspace, '..', 'checked'), 'utf8')).rejects.toThrow('ENOENT');
      },
    });
    expectPaused(paused);
    expect(paused.main.report?.status).toBe('paused');
    expect(paused.main.report?.steps.map(({ status }) => status)).toEqual(['paused', 'not-run']);
    expect(paused.main.log).toContain('⏸ impl, attempt 1: waits for approval (');
    expect(paused.main.summary.match(/waits for approval/g)).toHaveLength(1);
    expect(paused.main.summary).toContain('`approve: impl`');

    expectPaused(await runFirstJob(harness, { jobAttempt: 2 }));
    expect(await harness.calls()).toHaveLength(1);

    const { main } = await runSecondJob(harness, 'impl', {
      jobAttempt: 2,
      async inspect({ workspace }) {
        expect(await readFile(join(workspace, 'code.txt'), 'utf8')).toBe('right\n');
        expect(await readFile(join(workspace, '..', 'checked'), 'utf8')).toBe('checked\n');
      },
    });
    expect(main.errors).toEqual([]);
    expect(main.outputs, main.log).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(approvals(main.report)).toEqual([
      { number: 1, jobAttempt: 1, status: 'paused', pause: 'before-gate', approvedBy: 'reviewer' },
      expect.objectContaining({ number: 1, jobAttempt: 2, status: 'passed', approvedBy: 'reviewer' }),
    ]);
    expect(attemptLines(main.report)[0]).toBe('impl#1@1 new declared-new paused');
    const calls = await harness.calls();
    expect(calls).toHaveLength(2);
    expect(calls[1]?.session).toEqual({ mode: 'resume', id: calls[0]?.session.id });
    expect(main.log).toContain('Step `impl` continues: approved by reviewer');
    expect(main.summary).toMatch(/✅&nbsp;impl .*approved by reviewer/);
    expect(main.warnings).toEqual([]);
  });

  it('waits again if it needs another attempt', async () => {
    const harness = await createHarness({ workflow: flow('before_gate') });
    const wrong = [
      { prompt: 'Implement', call: 1, do: [{ write: 'code.txt', content: 'wrong\n' }] },
      ...rules,
    ];
    expectPaused(await runFirstJob(harness, { rules: wrong }));
    const second = await runSecondJob(harness, 'impl', { rules: wrong });
    // An approval applies to one attempt only. Nobody has seen the result of the next one.
    expectPaused(second);
    expect(second.main.errors[0]).toContain('This job approves `impl`');
    expect(approvals(second.main.report)).toEqual([
      expect.objectContaining({ number: 1, status: 'failed', approvedBy: 'reviewer' }),
      expect.objectContaining({ number: 2, status: 'paused', approvedBy: undefined }),
    ]);
  });
});

describe('a step that waits for approval after its gates', () => {
  it('does not run its gates again after the approval', async () => {
    const harness = await createHarness({ workflow: flow('after_gate') });
    const paused = await runFirstJob(harness, {
      async inspect({ workspace }) {
        expect(await readFile(join(workspace, '..', 'checked'), 'utf8')).toBe('checked\n');
      },
    });
    expectPaused(paused);
    const { main } = await runSecondJob(harness, 'impl', {
      async inspect({ workspace }) {
        await expect(readFile(join(workspace, '..', 'checked'), 'utf8')).rejects.toThrow('ENOENT');
      },
    });
    expect(main.outputs, main.log).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(approvals(main.report)?.at(-1)).toMatchObject({ status: 'passed', approvedBy: 'reviewer' });
    expect(await harness.calls()).toHaveLength(2);
  });

  it('may be a split step, whose plan is approved before its tasks run', async () => {
    const harness = await createHarness({
      workflow: `name: flow
steps:
  - name: build
    type: split
    agent: claude-haiku
    hitl: after_gate
    prompt: Plan it
    gate: [schema]
    each:
      - name: impl
        type: code
        agent: claude-haiku
        prompt: "Do {task.name}."
`,
    });
    const planning = [planRule('Plan it', { name: 'a' }, { name: 'b' })];
    const paused = await runFirstJob(harness, { rules: planning });
    expectPaused(paused, 'build');
    expect(paused.main.outputs.tasks).toBe('["a","b"]');
    const { main } = await runSecondJob(harness, 'build', { rules: planning });
    expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
    expect(await harness.calls()).toHaveLength(3);
    expect(approvals(main.report, 'build')?.at(-1)).toMatchObject({ approvedBy: 'reviewer' });
  });
});

describe('the input `approve`', () => {
  it('continues only the step that it names', async () => {
    const harness = await createHarness({ workflow: flow('before_gate') });
    await runFirstJob(harness);
    const { main } = await runSecondJob(harness, 'docs');
    expect(main.outputs).toMatchObject({ status: 'paused', 'failed-step': 'impl' });
    expect(main.errors[0]).toContain('This job approves `docs`');
    expect(await harness.calls()).toHaveLength(1);
  });

  it('must name a step of the workflow', async () => {
    const harness = await createHarness({ workflow: flow('before_gate') });
    const { main } = await runSecondJob(harness, 'imple');
    expect(main.outputs.status).toBe('failed');
    expect(main.errors[0]).toMatch(/approve.*imple.*impl/);
    expect(await harness.calls()).toEqual([]);
  });

  it('has no effect on a step that does not wait yet', async () => {
    const harness = await createHarness({ workflow: flow('before_gate') });
    const paused = await runSecondJob(harness, 'impl');
    expectPaused(paused);
    expect(paused.main.warnings).toEqual([expect.stringContaining('the approval has no effect')]);
    expect(await harness.calls()).toHaveLength(1);
  });

  it('requires the same `state-name`', async () => {
    const harness = await createHarness({ workflow: flow('before_gate') });
    await runFirstJob(harness);
    const { main } = await runSecondJob(harness, 'impl', { inputs: { 'state-name': 'another' } });
    expect(main.outputs, main.log).toMatchObject({ status: 'paused', resumed: 'false' });
    expect(main.warnings).toEqual([
      expect.stringMatching(/`impl`.*the approval has no effect.*`state-name`/),
    ]);
    expect(await harness.calls()).toHaveLength(2);
  });
});

describe('`on-pause: success`', () => {
  it('ends the job with success, so that another job can approve', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow('true', 'on-pause: success\n') });
    const { main } = await runFirstJob(harness);
    expect(main.outputs).toMatchObject({ status: 'paused', 'failed-step': 'impl', persisted: 'true' });
    expect(main.exitCode).toBe(0);
    expect(main.errors).toEqual([]);
    expect(main.notices).toEqual([expect.stringContaining('waits for approval')]);
    const approved = await runSecondJob(harness, 'impl');
    expect(approved.main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(attemptLines(approved.main.report)).toEqual([
      expect.stringMatching(/^impl#1/),
      'docs#1@1 resumed from passed',
    ]);
  });
});
