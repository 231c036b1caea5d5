/** Sessions over the runs of one pull request, with the stand-ins of all CLIs. */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Machine } from '../rig/machine.js';
import { attemptLines, callLines, promptBodies } from './attempt-lines.js';
import { createHarness, type Harness, type HarnessOptions, readJournal } from './harness.js';
import { type PullRuns, pullRuns, reviewAgain, verdict } from './pull-runs.js';

const agents = ['claude', 'codex', 'gemini', 'qwen', 'opencode', 'cursor'];

interface Scene {
  readonly harness: Harness;
  readonly pulls: PullRuns;
}

async function open(workflow: string, more: Partial<HarnessOptions> = {}): Promise<Scene> {
  const harness = await createHarness({ workflow, store: 'directory', ...more });
  return { harness, pulls: await pullRuns(harness) };
}

const onlyReason = (run: Awaited<ReturnType<PullRuns['run']>>) => attemptLines(run.main.report).at(-1);

/** All warnings of the job. */
const warningsOf = ({ main, post }: Awaited<ReturnType<PullRuns['run']>>) => [
  ...main.warnings,
  ...(post?.warnings ?? []),
];

async function threePushes(agent: string, code: 'src' | 'dist'): Promise<void> {
  const { harness, pulls } = await open(reviewAgain(agent), { code });
  const first = await pulls.push(7, '1001', { rules: verdict('Rename a.ts.') });
  const second = await pulls.push(7, '1002', { rules: verdict('Add a test.') });
  const third = await pulls.push(7, '1003', { rules: verdict('Fine.') });
  expect([first, second, third].map(onlyReason)).toEqual([
    'review#1@1 new previous-not-found passed',
    'review#1@1 resumed previous passed',
    'review#1@1 resumed previous passed',
  ]);
  expect([first, second, third].flatMap(warningsOf)).toEqual([]);
  expect(first.main.notices.join()).toContain(
    'This is the first run of `.gump/workflows/flow.yaml` on `pr-7`',
  );
  const calls = await harness.calls();
  expect(callLines(calls)).toEqual([
    `${agent} start a after 0`,
    `${agent} resume a after 1`,
    `${agent} resume a after 2`,
  ]);
  expect(promptBodies(calls[2]?.earlier ?? [])).toEqual(['Review.', 'Review.']);
  expect(calls[2]?.prompt).toContain('This conversation continues from an earlier run (run 1002, at commit ');
  // Another pull request sees nothing of it.
  const other = await pulls.push(8, '1004', { rules: verdict('Other.') });
  expect(onlyReason(other)).toBe('review#1@1 new previous-not-found passed');
  expect((await harness.calls()).at(-1)).toMatchObject({ session: { mode: 'start' }, earlier: [] });
}

describe('three pushes to one pull request are one conversation', () => {
  it.each(agents)('of %s', (agent) => threePushes(agent, 'src'));

  it('through dist/', () => threePushes('claude', 'dist'));
});

describe('a run on a pull request', () => {
  it('names the earlier run in the log, the summary and the report', async () => {
    const { harness, pulls } = await open(reviewAgain('claude'));
    await pulls.push(7, '1001', { rules: verdict('One.') });
    const commit = await harness.repository.git('rev-parse', 'refs/heads/pull-7');
    const { main } = await pulls.push(7, '1002', { rules: verdict('Two.') });
    const text = `resumes the session of step \`review\` from run 1001 (0 minutes ago, commit ${commit.slice(0, 7)})`;
    expect(main.log).toContain(text);
    expect(main.summary).toContain('https://github.com/octo/sample/actions/runs/1001');
    expect(main.report?.steps[0]?.attempts[0]?.session).toMatchObject({
      declared: 'previous:review',
      effective: 'resumed',
      reason: 'previous',
      earlier: { runId: '1001', commit },
    });
  });

  it('continues after a run that failed, and a re-run keeps the session of its run', async () => {
    const { harness, pulls } = await open(reviewAgain('claude'));
    await pulls.push(7, '1001', { rules: verdict('Bad.', false) });
    const failed = await pulls.push(7, '1002', { rules: verdict('Still bad.', false) });
    const rerun = await pulls.run(7, '1002', { jobAttempt: 2, rules: verdict('Fine.') });
    expect(attemptLines(rerun.main.report)).toEqual([
      'review#1@1 resumed previous failed:validate',
      'review#2@2 resumed continued passed',
    ]);
    expect(warningsOf(failed)).toEqual([]);
    const calls = await harness.calls();
    expect(callLines(calls)).toEqual([
      'claude start a after 0',
      'claude resume a after 1',
      'claude resume a after 2',
    ]);
    const next = await pulls.push(7, '1003', { rules: verdict('Fine.') });
    expect(onlyReason(next)).toBe('review#1@1 resumed previous passed');
    expect((await harness.calls()).at(-1)?.earlier).toHaveLength(3);
  });

  it('resumes the session of a run that was cancelled', async () => {
    const { harness, pulls } = await open(reviewAgain('claude'));
    await pulls.push(7, '1001', {
      rules: [{ do: [{ run: 'true', say: 'halfway there' }, { hang: true }] }],
      stop: { how: 'cancel', when: { log: 'halfway' } },
    });
    const next = await pulls.push(7, '1002', { rules: verdict('Fine.') });
    expect(onlyReason(next)).toBe('review#1@1 resumed previous passed');
    expect(warningsOf(next)).toEqual([
      expect.stringMatching(/resumes the session .* from run 1001 .* was interrupted in that run/),
    ]);
    const calls = await harness.calls();
    expect(callLines(calls)).toEqual(['claude start a after 0', 'claude resume a after 1']);
    expect(calls[1]?.prompt).toContain('You were interrupted in that run');
    // A turn that ended needs no such note.
    const third = await pulls.push(7, '1003', { rules: verdict('Fine.') });
    expect(onlyReason(third)).toBe('review#1@1 resumed previous passed');
    expect(warningsOf(third)).toEqual([]);
  });

  it('resumes the session of a run whose main phase was killed, because `post` stores it', async () => {
    const { harness, pulls } = await open(reviewAgain('codex'));
    await pulls.push(7, '1001', {
      rules: [{ do: [{ run: 'true', say: 'halfway there' }, { hang: true }] }],
      stop: (machine) => ({
        how: 'kill',
        when: {
          until: async () => {
            await machine.processes();
            return (await readJournal(machine)).includes('"session-known"');
          },
        },
      }),
    });
    const next = await pulls.push(7, '1002', { rules: verdict('Fine.') });
    expect(onlyReason(next)).toBe('review#1@1 resumed previous passed');
    expect(callLines(await harness.calls())).toEqual(['codex start a after 0', 'codex resume a after 1']);
  });

  it('still finds the session if the run in between was cancelled before the step began', async () => {
    const slow = `name: flow
steps:
  - name: wait
    type: code
    agent: claude
    prompt: Wait.
  - name: review
    type: validate
    agent: claude
    session: from: review of previous run
    prompt: Review.
`;
    const { pulls } = await open(slow);
    await pulls.push(7, '1001', { rules: [{ prompt: 'Wait.', do: [{ say: 'ok' }] }, ...verdict('One.')] });
    await pulls.push(7, '1002', {
      rules: [{ prompt: 'Wait.', do: [{ run: 'true', say: 'halfway there' }, { hang: true }] }],
      stop: { how: 'cancel', when: { log: 'halfway' } },
    });
    const third = await pulls.push(7, '1003', {
      rules: [{ prompt: 'Wait.', do: [{ say: 'ok' }] }, ...verdict('Two.')],
    });
    expect(attemptLines(third.main.report)).toEqual([
      'wait#1@1 new declared-new passed',
      'review#1@1 resumed previous passed',
    ]);
    expect(third.main.log).toContain('from run 1001');
  });

  it('fills the names of the previous run', async () => {
    const prompt =
      'Was {previous.commit}, now {previous.range}. Said: {previous.review.comments}/{previous.review.result} and {previous.review.diff}.';
    const { harness, pulls } = await open(reviewAgain('claude', prompt));
    await pulls.push(7, '1001', { rules: verdict('Rename a.ts.') });
    const commit = await harness.repository.git('rev-parse', 'refs/heads/pull-7');
    await pulls.push(7, '1002', { rules: verdict('Fine.') });
    const [first, second] = await harness.calls();
    expect(first?.prompt).toContain('Was , now . Said: / and .');
    expect(second?.prompt).toContain(
      `Was ${commit}, now ${commit}..HEAD. Said: Rename a.ts./Rename a.ts. and .`,
    );
  });
});

describe('a command', () => {
  it('gets the commit and the range as variables', async () => {
    const gate = 'echo "$GUMP_PREVIOUS_COMMIT $GUMP_PREVIOUS_RANGE"; false';
    const { harness, pulls } = await open(
      reviewAgain('claude', 'Review.', `    gate: [{bash: ${JSON.stringify(gate)}}]\n`),
    );
    await pulls.push(7, '1001', { rules: verdict('One.') });
    const commit = await harness.repository.git('rev-parse', 'refs/heads/pull-7');
    const { main } = await pulls.push(7, '1002', { rules: verdict('Two.') });
    expect(main.log).toContain(`${commit} ${commit}..HEAD`);
  });
});

/** The CLI deletes its sessions whenever it starts. */
async function forgetSessions(machine: Machine): Promise<void> {
  const cli = join(machine.bin, 'claude');
  await rename(cli, `${cli}-itself`);
  await machine.install('claude', `#!/bin/sh\nrm -rf "$HOME/.claude/projects"\nexec "$0-itself" "$@"\n`);
}

describe('a session that is not resumed', () => {
  const once = async (
    reason: string,
    text: string,
    options: Parameters<PullRuns['push']>[2],
    workflow = reviewAgain('claude'),
    next = workflow,
  ) => {
    const { harness, pulls } = await open(workflow);
    await pulls.push(7, '1001', { rules: [{ usage: { inputTokens: 900 }, ...verdict('Rename a.ts.')[0] }] });
    if (next !== workflow)
      await harness.repository.commit({ '.gump/workflows/flow.yaml': next }, { branch: 'pull-7' });
    const second = await pulls.push(7, '1002', { rules: verdict('Fine.'), ...options });
    expect(onlyReason(second)).toBe(`review#1@1 new ${reason} passed`);
    expect(warningsOf(second)).toEqual([expect.stringContaining(text)]);
    const call = (await harness.calls()).at(-1);
    expect(call?.earlier).toEqual([]);
    expect(call?.prompt).toContain('Its conversation could not be resumed');
    expect(call?.prompt).toContain('Rename a.ts.');
  };

  it('because it is too large', () =>
    once('context-full', 'has 937 tokens, more than `max-resume-tokens`', {
      inputs: { 'max-resume-tokens': '936' },
    }));

  it('because it is too old', () =>
    once('previous-expired', 'older than `max-session-age`', { inputs: { 'max-session-age': '1ms' } }));

  it('because the CLI does not know it any more', () =>
    once('session-lost', 'the session of step `review` from run 1001 is missing', {
      prepare: forgetSessions,
    }));

  it('because the agent changed', () =>
    once(
      'from-other-agent',
      'ran with a different agent in run 1001',
      {},
      reviewAgain('claude'),
      reviewAgain('codex'),
    ));
});
