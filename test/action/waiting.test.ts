/** Runs that stop and wait: for a usage limit of a model service, and for a job with more time. */
import { readdir } from 'node:fs/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readResumeMark } from '../../src/report/resume-mark.js';
import type { StageResult } from '../rig/machine.js';
import type { AgentAction, StandInProvider } from '../rig/stand-in.js';
import { installStandInNpm, type NpmCall } from '../rig/stand-in-npm.js';
import { attemptLines, callLines } from './attempt-lines.js';
import { createHarness } from './harness.js';

const minute = 60_000;
const hour = 60 * minute;

const env = {
  GEMINI_API_KEY: 'AIza-CANARY-0123456789abcdefghij',
  CURSOR_API_KEY: 'key_CANARY-0123456789abcdefghij',
};

const flow = (agent: string, more = '') => `name: flow
steps:
  - {name: first, type: code, agent: ${agent}, prompt: Begin., retry: [{exit: 2}]}
  - {name: impl, type: code, agent: ${agent}, session: from: first, prompt: Build., retry: [{exit: 2}]${more}}
`;

/** Answers once, and then the limit is reached. */
const limited = (resetsAt: number): readonly AgentAction[] => [
  { write: 'begun.txt', say: 'I begin.' },
  { usageLimit: { resetsAt } },
];

afterEach(() => {
  vi.restoreAllMocks();
});

/** From now on, the action runs at another time. Only with `code: 'src'`. */
function moveClock(ms: number): void {
  const now = Date.now.bind(Date);
  vi.spyOn(Date, 'now').mockImplementation(() => now() + ms);
}

/** The one error, with the moment in its title and its mark. */
function waitOf({ commands, log }: StageResult) {
  const errors = commands.filter(({ name }) => name === 'error');
  expect(errors, log).toHaveLength(1);
  const { text = '', properties } = errors[0] ?? {};
  const title = properties?.title ?? '';
  expect(title).toMatch(/^gump: resume at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  return { at: title.slice('gump: resume at '.length), message: text, mark: readResumeMark(text) };
}

const providers: readonly (readonly [StandInProvider, string])[] = [
  ['claude', 'claude-haiku'],
  ['codex', 'codex'],
  ['gemini', 'gemini'],
  ['qwen', 'qwen'],
  ['opencode', 'opencode'],
  ['cursor', 'cursor'],
];

describe.each(providers)('a limit of %s that resets in 3 hours', (_id, agent) => {
  it('ends the job, and a re-run after it resumes the session with the interruption note', async () => {
    const harness = await createHarness({ workflow: flow(agent) });
    const resetsAt = Date.now() + 3 * hour;
    const { main } = await harness.runJob({ env, rules: [{ prompt: 'Build.', do: limited(resetsAt) }] });
    expect(main.exitCode, main.log).toBe(1);
    expect(main.outputs).toMatchObject({ status: 'waiting', 'failed-step': 'impl', persisted: 'true' });
    const { at, message, mark } = waitOf(main);
    expect(at).toBe(main.outputs['resume-at']);
    expect(Math.abs(Date.parse(at) - resetsAt)).toBeLessThan(2 * minute);
    expect(mark).toMatchObject({ reason: 'limit', at: Date.parse(at) });
    expect(message).toMatch(/^Step `impl` waits for the model service \(rate-limit\): /);
    expect(message).toContain('resumes the session of step `impl`');
    expect(main.log).not.toContain('Waiting until');
    expect(main.report).toMatchObject({ status: 'waiting', waitReason: 'limit', resumeAt: at });
    const before = ['first#1@1 new declared-new passed', 'impl#1@1 resumed from cancelled:rate-limit'];
    expect(attemptLines(main.report)).toEqual(before);
    moveClock(3 * hour + 2 * minute);
    const { main: rerun } = await harness.runJob({
      env,
      jobAttempt: 2,
      rules: [{ prompt: 'Build.', do: [{ write: 'done.txt' }] }],
    });
    expect(rerun.outputs, rerun.log).toMatchObject({ status: 'passed', 'resume-at': '' });
    expect(rerun.warnings).toEqual([]);
    expect(attemptLines(rerun.report)).toEqual([...before, 'impl#1@2 resumed continued passed']);
    const calls = await harness.calls();
    expect(calls.map(({ session }) => session.mode)).toEqual(['start', 'resume', 'resume']);
    expect(calls[2]?.prompt).toContain('You were interrupted');
    expect(calls[2]?.earlier.join('\n')).toContain('Begin.');
  });
});

describe('a re-run before the limit resets', () => {
  const workflow = flow('claude-haiku');

  it('reports the same again: it starts no process, installs no CLI and changes no file', async () => {
    const harness = await createHarness({ code: 'dist', workflow });
    const rules = [{ prompt: 'Build.', do: limited(Date.now() + 3 * hour) }];
    // Otherwise the key of the other agent would not open the state.
    const inputs = { 'state-key': 'a-key-of-twenty-characters' };
    const first = await harness.runJob({ inputs, rules });
    const before = await harness.calls();
    const npm: NpmCall[] = [];
    let files: readonly string[] = [];
    let readNpm: (() => Promise<readonly NpmCall[]>) | undefined;
    const { main, post } = await harness.runJob({
      jobAttempt: 2,
      inputs,
      programs: [],
      async prepare(machine) {
        readNpm = (await installStandInNpm(machine)).calls;
      },
      async inspect(machine) {
        npm.push(...((await readNpm?.()) ?? []));
        files = await readdir(machine.workspace);
      },
    });
    expect(main.exitCode, main.log).toBe(1);
    expect(waitOf(main)).toEqual(waitOf(first.main));
    for (const name of ['status', 'resume-at', 'failed-step', 'persisted', 'checkpoint', 'cost-usd'])
      expect(main.outputs[name]).toBe(first.main.outputs[name]);
    expect(await harness.calls()).toEqual(before);
    expect(npm).toEqual([]);
    expect(files.toSorted()).toEqual(['.git', '.gump', 'README.md']);
    expect(main.summary).toContain('waiting at <code>impl</code>');
    expect(post?.warnings).toEqual([]);
    // What is stored stays the newest.
    const later = await harness.runJob({
      jobAttempt: 3,
      inputs: { ...inputs, 'on-limit': 'fallback:codex' },
    });
    expect(later.main.outputs.status, later.main.log).toBe('passed');
    expect(attemptLines(later.main.report).at(-1)).toBe('impl#1@3 new agent-changed passed');
  });

  it('continues if `on-limit` names another agent', async () => {
    const harness = await createHarness({ workflow });
    await harness.runJob({ rules: [{ prompt: 'Build.', do: limited(Date.now() + 3 * hour) }] });
    const { main } = await harness.runJob({ jobAttempt: 2, inputs: { 'on-limit': 'fallback:codex' } });
    expect(main.outputs.status, main.log).toBe('passed');
    expect(attemptLines(main.report).at(-1)).toBe('impl#1@2 new agent-changed passed');
    expect(main.warnings).toEqual([
      'Step `impl`, attempt 1: new session: the agent changed from claude-haiku to codex (`fallback`: the service refuses requests for some time)',
    ]);
  });

  it('asks the service if less than 10 minutes are left', async () => {
    const harness = await createHarness({ workflow });
    const first = await harness.runJob({ rules: [{ prompt: 'Build.', do: limited(Date.now() + 3 * hour) }] });
    moveClock(3 * hour - 8 * minute);
    const rules = [{ prompt: 'Build.', do: limited(Date.now() + 5 * hour) }];
    const again = await harness.runJob({ jobAttempt: 2, rules });
    expect(waitOf(again.main).at).not.toBe(waitOf(first.main).at);
    // It answered once more before the limit.
    expect(waitOf(again.main).mark?.progress).not.toBe(waitOf(first.main).mark?.progress);
    expect(await harness.calls()).toHaveLength(3);
  });
});

describe('with a fallback', () => {
  it('the step continues with another agent, and no retry is used up', async () => {
    const harness = await createHarness({
      code: 'dist',
      workflow: flow('claude-haiku', ', fallback: codex'),
    });
    const { main } = await harness.runJob({
      rules: [{ prompt: 'Build.', provider: 'claude', do: limited(Date.now() + 3 * hour) }],
    });
    expect(main.outputs.status, main.log).toBe('passed');
    expect(attemptLines(main.report)).toEqual([
      'first#1@1 new declared-new passed',
      'impl#1@1 resumed from cancelled:rate-limit',
      'impl#1@1 new agent-changed passed',
    ]);
    expect(main.warnings).toEqual([
      'Step `impl`, attempt 1: new session: the agent changed from claude-haiku to codex (`fallback`: the service refuses requests for some time)',
    ]);
    expect(callLines(await harness.calls()).at(-1)).toMatch(/^codex start/);
  });

  it('a missing credential and an unknown agent are reported before anything runs', async () => {
    const harness = await createHarness({ workflow: flow('claude-haiku') });
    const missing = await harness.runJob({ inputs: { 'on-limit': 'fallback:gemini' } });
    expect(missing.main.errors.join('\n')).toMatch(/Gemini CLI has no credential/);
    const unknown = await harness.runJob({ inputs: { 'on-limit': 'fallback:cluade-haiku' } });
    expect(unknown.main.errors.join('\n')).toMatch(/Input `on-limit`: .*Did you mean `claude-haiku`/);
    expect(await harness.calls()).toEqual([]);
  });
});

describe('parallel branches', () => {
  const workflow = `name: flow
steps:
  - name: both
    parallel: true
    steps:
      - {name: limited, type: code, agent: claude-haiku, prompt: One.}
      - {name: other, type: code, agent: codex, prompt: Two.}
  - {name: last, type: code, agent: codex, prompt: Last.}
`;

  it('of other providers finish first, and the budget counts over all of it', async () => {
    const harness = await createHarness({ workflow });
    const usage = { costUsd: 0.4, inputTokens: 100, outputTokens: 10 };
    const first = await harness.runJob({
      inputs: { 'max-budget': '1' },
      rules: [
        { prompt: 'One.', usage, do: limited(Date.now() + 3 * hour) },
        { prompt: 'Two.', do: [{ sleep: 1500 }, { write: 'two.txt' }] },
      ],
    });
    expect(first.main.outputs, first.main.log).toMatchObject({
      status: 'waiting',
      'failed-step': 'both/limited',
    });
    expect(first.main.report?.steps.map(({ path, status }) => `${path} ${status}`)).toEqual([
      'both cancelled',
      'both/limited cancelled',
      'both/other passed',
      'last not-run',
    ]);
    const spent = Number(first.main.outputs['cost-usd']);
    expect(spent).toBeGreaterThan(0.39);
    moveClock(3 * hour + 2 * minute);
    const rerun = await harness.runJob({
      jobAttempt: 2,
      inputs: { 'max-budget': String(spent + 0.1) },
      rules: [{ prompt: 'One.', usage, do: [{ write: 'one.txt' }] }],
    });
    // The agent had finished, so its work counts, but nothing is left for the next step.
    expect(rerun.main.outputs, rerun.main.log).toMatchObject({ status: 'failed', 'failed-step': 'last' });
    expect(rerun.main.report?.steps.at(-1)?.failure?.kind).toBe('budget');
    expect(Number(rerun.main.outputs['cost-usd'])).toBeGreaterThan(spent + 0.39);
  });
});

describe('max-time', () => {
  it('over three job attempts is one conversation', async () => {
    const harness = await createHarness({
      code: 'dist',
      workflow: 'name: flow\nsteps:\n  - {name: impl, type: code, agent: claude-haiku, prompt: Build.}\n',
    });
    const part = (name: string): readonly AgentAction[] => [
      { write: name, say: `Wrote ${name}.` },
      { hang: true },
    ];
    const progress: (string | undefined)[] = [];
    for (const jobAttempt of [1, 2]) {
      const { main } = await harness.runJob({
        jobAttempt,
        inputs: { 'max-time': '6s' },
        rules: [{ do: part(`part-${jobAttempt}.txt`) }],
      });
      expect(main.outputs, main.log).toMatchObject({
        status: 'waiting',
        'failed-step': 'impl',
        persisted: 'true',
      });
      const { at, mark, message } = waitOf(main);
      expect(main.outputs['resume-at']).toBe(at);
      expect(mark?.reason).toBe('time');
      expect(message).toMatch(/^Step `impl` was stopped \(timeout\): .*`max-time`/);
      progress.push(mark?.progress);
    }
    expect(new Set(progress).size).toBe(2);
    const { main } = await harness.runJob({
      jobAttempt: 3,
      inputs: { 'max-time': '1h' },
      rules: [{ do: [{ run: 'cat part-1.txt part-2.txt > whole.txt' }] }],
    });
    expect(main.outputs.status, main.log).toBe('passed');
    expect(attemptLines(main.report)).toEqual([
      'impl#1@1 new declared-new cancelled:cancelled',
      'impl#1@2 resumed continued cancelled:cancelled',
      'impl#1@3 resumed continued passed',
    ]);
    const calls = await harness.calls();
    expect(new Set(calls.map(({ session }) => session.id)).size).toBe(1);
    expect(calls.map(({ session }) => session.mode)).toEqual(['start', 'resume', 'resume']);
    expect(calls[2]?.earlier).toHaveLength(2);
  });
});
