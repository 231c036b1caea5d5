/**
 * The session rules (`docs/sessions.md`) whose implementation depends on the CLI, for each CLI. Every job attempt runs
 * on another machine. The tests check the journal and the calls of the stand-ins.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunState } from '../../src/journal/run-state.js';
import { makePlan, type Plan, type PlanInputs } from '../../src/plan/plan.js';
import { providers } from '../../src/providers/provider-registry.js';
import { loadWorkflow } from '../../src/workflow/load.js';
import type { Gate } from '../../src/workflow/workflow.js';
import { callLines, promptBodies } from '../action/attempt-lines.js';
import { type CliHarness, createCliHarness } from '../fakes/cli-harness.js';
import { type CliCase, cliCases, sessionFlow } from '../fakes/session-rules.js';
import type { AgentCall } from '../rig/stand-in.js';

/** The folders in which the CLIs store sessions. */
const sessionFolders = [
  ...['.claude/projects', '.codex/sessions', '.gemini/tmp', '.qwen/projects'],
  ...['.local/share/opencode', '.cursor/chats'],
];

function planOf(text: string, inputs: Partial<PlanInputs> = {}): Plan {
  const library = { builtIns: {}, read: () => ({ missing: true }) as const };
  const known = { providers: providers.map(({ id }) => id), vars: Object.keys(inputs.vars ?? {}) };
  const { workflow } = loadWorkflow({ source: 'flow.yaml', text }, library, known);
  if (workflow === undefined) throw new Error('The workflow has errors.');
  return makePlan(workflow, { vars: {}, ...inputs });
}

/** Checks `test -e FILE`. For any other command, deletes all sessions and passes. */
function runGate(gate: Gate, { home, directory }: Pick<CliHarness, 'home' | 'directory'>): boolean {
  if (gate.type !== 'bash') throw new Error(`Unexpected gate type ${gate.type}.`);
  const [, file] = gate.command.match(/^test -e (.*)$/) ?? [];
  if (file !== undefined) return existsSync(join(directory, file));
  for (const folder of sessionFolders) rmSync(join(home, folder), { recursive: true, force: true });
  return true;
}

/** The same lines as `attemptLines` creates from the report. */
function linesOfState(state: RunState | undefined): readonly string[] {
  return [...(state?.steps ?? [])].flatMap(([path, { attempts }]) =>
    attempts.map(({ number, jobAttempt, session, status, failure }) =>
      [
        `${path}#${number}@${jobAttempt}`,
        session === undefined ? 'gates' : `${session.effective} ${session.reason}`,
        failure === undefined ? status : `${status}:${failure.kind}`,
      ].join(' '),
    ),
  );
}

interface Job {
  readonly state: RunState;
  readonly harness: CliHarness;
}

/** Runs three job attempts: interrupted in the last step, continued, and run again from the second step. */
async function runJobs(cli: CliCase): Promise<{ jobs: readonly Job[]; calls: readonly AgentCall[] }> {
  const plan = planOf(sessionFlow(cli, 'delete'));
  const interrupted = createCliHarness({
    gate: runGate,
    rules: [
      { prompt: 'Implement.', call: 2, do: [{ write: 'impl.txt' }] },
      { prompt: 'Switch.', provider: cli.nextProvider, do: [{ write: 'switched.txt' }] },
      { prompt: 'Replace.', do: [{ say: 'halfway there' }, { hang: true }] },
    ],
  });
  const first = await interrupted.run(plan, { isCancelledByHang: true });
  const continued = createCliHarness({
    gate: runGate,
    rules: [{ prompt: 'Replace.', do: [{ write: 'replaced.txt' }] }],
    after: interrupted,
  });
  const second = await continued.run(plan, { jobAttempt: 2, jobStatus: 'failure' });
  const last = createCliHarness({
    gate: runGate,
    rules: [{ prompt: 'Implement.', do: [{ write: 'impl.txt' }] }],
    after: continued,
  });
  const fromImpl = planOf(sessionFlow(cli, 'delete'), { fromStep: 'impl', until: 'impl' });
  const third = await last.run(fromImpl, { jobAttempt: 3 });
  const jobs = [
    { state: first, harness: interrupted },
    { state: second, harness: continued },
    { state: third, harness: last },
  ];
  return { jobs, calls: await last.calls() };
}

describe.each(cliCases.map((cli) => [cli.id, cli] as const))('%s', (id, cli) => {
  let lines: readonly (readonly string[])[];
  let calls: readonly AgentCall[];
  let jobs: readonly Job[];
  const linesOf = (job: number, step: string) =>
    lines[job - 1]?.filter((line) => line.startsWith(`${step}#`));
  const countWarnings = (job: number, text: string) =>
    jobs[job - 1]?.harness.harness.warnings.filter((line) => line.includes(text)).length;

  beforeAll(async () => {
    ({ jobs, calls } = await runJobs(cli));
    lines = jobs.map(({ state }) => linesOfState(state));
  });

  it('S1: starts a new session if the step names none', () => {
    expect(linesOf(1, 'tests')).toEqual(['tests#1@1 new declared-new passed']);
    expect(callLines(calls)[0]).toBe(`${id} start a after 0`);
  });

  it('S2, S4: resumes the session of the named step, and a retry resumes its own', () => {
    expect(linesOf(1, 'impl')).toEqual([
      'impl#1@1 resumed from failed:gate',
      'impl#2@1 resumed kept-on-retry passed',
    ]);
    expect(callLines(calls).slice(1, 3)).toEqual([`${id} resume a after 1`, `${id} resume a after 2`]);
    expect(promptBodies(calls[2]?.earlier ?? [])).toEqual(['Tests.', 'Implement.']);
  });

  it('S5: a retry with another provider starts a new session, with a warning', () => {
    expect(linesOf(1, 'switched')).toEqual([
      'switched#1@1 new declared-new failed:gate',
      'switched#2@1 new agent-changed passed',
    ]);
    expect(callLines(calls).slice(3, 5)).toEqual([
      `${id} start b after 0`,
      `${cli.nextProvider} start c after 0`,
    ]);
    expect(countWarnings(1, '`switched`, attempt 2')).toBe(1);
  });

  it('S8: records for each attempt the session id that its CLI used', () => {
    const attempts = [...(jobs[0]?.state.steps.values() ?? [])].flatMap((step) => step.attempts);
    const ran = calls.slice(0, 8).filter(({ refused }) => refused === undefined);
    expect(attempts.map(({ session }) => session?.id)).toEqual(ran.map(({ session }) => session.id));
  });

  it('S9: a missing session is replaced in the same attempt, with a warning', () => {
    expect(linesOf(1, 'replaced')).toEqual(['replaced#1@1 new session-lost cancelled:cancelled']);
    expect(callLines(calls).slice(5, 8)).toEqual([
      `${id} start d after 0`,
      `${id} resume d after 0 refused`,
      `${id} start e after 0`,
    ]);
    expect(countWarnings(1, '`replaced`, attempt 1')).toBe(1);
  });

  it('S10: a re-run resumes the interrupted attempt on another machine with another path', () => {
    expect(linesOf(2, 'replaced')?.at(-1)).toBe('replaced#1@2 resumed continued passed');
    expect(callLines(calls)[8]).toBe(`${id} resume e after 1`);
    expect(promptBodies(calls[8]?.earlier ?? [])).toEqual(['Replace.']);
    expect(calls[8]?.prompt).toContain('You were interrupted');
    expect(jobs[1]?.harness.harness.warnings).toEqual([]);
  });

  it('S12: resumes by id, not the latest session', () => {
    const resumed = calls.filter(({ session }) => session.mode === 'resume');
    expect(resumed.length).toBeGreaterThanOrEqual(4);
    for (const { argv, session } of resumed) {
      expect(argv[argv.indexOf(cli.resumeArgument) + 1]).toBe(session.id);
    }
  });

  it('S13: resumes the session from an earlier point, or starts a new one with a warning', () => {
    expect(linesOf(3, 'impl')).toEqual([`impl#1@3 ${cli.earlierPoint} passed`]);
    const isResumed = cli.earlierPoint === 'resumed from';
    expect(callLines(calls).at(-1)).toBe(isResumed ? `${id} resume a after 1` : `${id} start f after 0`);
    expect(promptBodies(calls.at(-1)?.earlier ?? [])).toEqual(isResumed ? ['Tests.'] : []);
    expect(countWarnings(3, '`impl`, attempt 1')).toBe(isResumed ? 0 : 1);
  });
});

const scopes = ({ agent }: CliCase): string => `name: scopes
steps:
  - {name: tests, type: code, agent: ${agent}, prompt: Tests.}
  - {name: one, type: code, agent: ${agent}, prompt: One., session: {from: tests}}
  - {name: two, type: code, agent: ${agent}, prompt: "Two {word}.", session: {from: tests}}
  - name: fresh
    type: code
    agent: ${agent}
    prompt: Fresh.
    gate: [{bash: "test -e fresh.txt"}]
    retry: [{attempt: 2, session: new}, {exit: 2}]
  - name: build
    type: split
    agent: ${agent}
    prompt: Plan.
    each:
      - {name: a, type: code, agent: ${agent}, prompt: "A {task.name}."}
      - {name: b, type: code, agent: ${agent}, prompt: "B {task.name}.", session: {from: a}}
`;

const tasks = JSON.stringify(['x', 'y'].map((name) => ({ name, description: 'do it' })));

/** Runs three job attempts: passed in a job that fails later, with a changed variable, and re-run after a success. */
async function runScopes(
  cli: CliCase,
): Promise<{ states: readonly RunState[]; calls: readonly AgentCall[] }> {
  const rules = [
    { prompt: 'Plan.', do: [{ write: '.gump/out/plan.json', content: tasks }] },
    { prompt: 'Fresh.', call: [2, 4], do: [{ write: 'fresh.txt' }] },
  ];
  const red = planOf(scopes(cli), { vars: { word: 'red' } });
  const blue = planOf(scopes(cli), { vars: { word: 'blue' } });
  const one = createCliHarness({ gate: runGate, rules });
  const first = await one.run(red, { jobStatus: 'failure' });
  const two = createCliHarness({ gate: runGate, rules, after: one });
  const changed = await two.run(blue, { jobAttempt: 2, jobStatus: 'success' });
  const three = createCliHarness({ gate: runGate, rules: [], after: two });
  const until = planOf(scopes(cli), { vars: { word: 'blue' }, until: 'tests' });
  const third = await three.run(until, { jobAttempt: 3 });
  return { states: [first, changed, third], calls: await three.calls() };
}

describe.each(cliCases.map((cli) => [cli.id, cli] as const))('scopes and changes: %s', (_id, cli) => {
  let lines: readonly (readonly string[])[];
  let calls: readonly AgentCall[];
  const linesOf = (job: number, path: string) =>
    lines[job - 1]?.filter((line) => line.startsWith(`${path}#`));
  const earlierPrompts = (body: string) =>
    calls.filter(({ prompt }) => prompt.startsWith(body)).map(({ earlier }) => promptBodies(earlier));

  beforeAll(async () => {
    const { states, calls: all } = await runScopes(cli);
    calls = all;
    lines = states.map(linesOfState);
  });

  it('S3: a task resumes only sessions of its own steps', () => {
    expect(linesOf(1, 'build/x/b')).toEqual(['build/x/b#1@1 resumed from passed']);
    expect(linesOf(1, 'build/y/a')).toEqual(['build/y/a#1@1 new declared-new passed']);
    expect(earlierPrompts('B y.')[0]).toEqual(['A y.']);
  });

  it('S6: `session: new` starts a new session at the attempt where it first applies', () => {
    expect(linesOf(1, 'fresh')).toEqual([
      'fresh#1@1 new declared-new failed:gate',
      'fresh#2@1 new override-new passed',
    ]);
    expect(earlierPrompts('Fresh.')[1]).toEqual([]);
  });

  it('S7: two steps that name the same step resume the same session', () => {
    expect(earlierPrompts('Two red.')[0]).toEqual(['Tests.', 'One.']);
  });

  it('S11: a step with changed variables and its dependent steps run again in the earlier session', () => {
    expect(earlierPrompts('One.')).toHaveLength(1);
    expect(linesOf(2, 'two')).toEqual([`two#1@2 ${cli.earlierPoint} passed`]);
    expect(earlierPrompts('Two blue.')[0]).toEqual(
      cli.earlierPoint === 'resumed from' ? ['Tests.', 'One.'] : [],
    );
    expect(earlierPrompts('A x.')).toHaveLength(2);
  });

  it('S14: a re-run after a success starts fresh', () => {
    expect(linesOf(3, 'tests')).toEqual(['tests#1@3 new declared-new passed']);
    expect(earlierPrompts('Tests.')).toEqual([[], []]);
  });
});
