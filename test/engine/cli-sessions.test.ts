/**
 * The session rules that each CLI keeps in its own way (contract 4), for all of them: job attempts, each on a
 * machine of its own, and what they left in the journal and in the calls of the stand-ins.
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
import { flow, type Row, rows } from '../fakes/session-rules.js';
import type { AgentCall } from '../rig/stand-in.js';

/** Where the CLIs keep their conversations. */
const stores = [
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

/** `test -e FILE`, or the end of all conversations. */
function gate(gate: Gate, { home, directory }: Pick<CliHarness, 'home' | 'directory'>): boolean {
  if (gate.type !== 'bash') throw new Error(`a gate of type ${gate.type}`);
  const [, file] = gate.command.match(/^test -e (.*)$/) ?? [];
  if (file !== undefined) return existsSync(join(directory, file));
  for (const store of stores) rmSync(join(home, store), { recursive: true, force: true });
  return true;
}

/** As `story.ts` has it of the report. */
function story(state: RunState | undefined): readonly string[] {
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

/** The job attempts: cut off in the last step; gone on with elsewhere; sent back to the second step. */
async function runAll(row: Row): Promise<{ jobs: readonly Job[]; calls: readonly AgentCall[] }> {
  const plan = planOf(flow(row, 'forget'));
  const cut = createCliHarness({
    gate,
    rules: [
      { prompt: 'Implement.', call: 2, do: [{ write: 'impl.txt' }] },
      { prompt: 'Hand over.', provider: row.next, do: [{ write: 'handed.txt' }] },
      { prompt: 'Find.', do: [{ say: 'halfway there' }, { hang: true }] },
    ],
  });
  const first = await cut.run(plan, { isCancelledByHang: true });
  const elsewhere = createCliHarness({
    gate,
    rules: [{ prompt: 'Find.', do: [{ write: 'found.txt' }] }],
    after: cut,
  });
  const second = await elsewhere.run(plan, { jobAttempt: 2, jobStatus: 'failure' });
  const last = createCliHarness({
    gate,
    rules: [{ prompt: 'Implement.', do: [{ write: 'impl.txt' }] }],
    after: elsewhere,
  });
  const back = planOf(flow(row, 'forget'), { fromStep: 'impl', until: 'impl' });
  const third = await last.run(back, { jobAttempt: 3 });
  const jobs = [
    { state: first, harness: cut },
    { state: second, harness: elsewhere },
    { state: third, harness: last },
  ];
  return { jobs, calls: await last.calls() };
}

describe.each(rows.map((row) => [row.id, row] as const))('%s', (id, row) => {
  let stories: readonly (readonly string[])[];
  let calls: readonly AgentCall[];
  let jobs: readonly Job[];
  const storyOf = (job: number, step: string) =>
    stories[job - 1]?.filter((line) => line.startsWith(`${step}#`));
  const said = (job: number, text: string) =>
    jobs[job - 1]?.harness.harness.warnings.filter((line) => line.includes(text)).length;

  beforeAll(async () => {
    ({ jobs, calls } = await runAll(row));
    stories = jobs.map(({ state }) => story(state));
  });

  it('S1: begins a session of its own where none is named', () => {
    expect(storyOf(1, 'tests')).toEqual(['tests#1@1 new declared-new passed']);
    expect(callLines(calls)[0]).toBe(`${id} start a after 0`);
  });

  it('S2, S4: goes on from the named step, and a retry from its own attempt before', () => {
    expect(storyOf(1, 'impl')).toEqual([
      'impl#1@1 resumed from failed:gate',
      'impl#2@1 resumed kept-on-retry passed',
    ]);
    expect(callLines(calls).slice(1, 3)).toEqual([`${id} resume a after 1`, `${id} resume a after 2`]);
    expect(promptBodies(calls[2]?.earlier ?? [])).toEqual(['Tests.', 'Implement.']);
  });

  it('S5: another provider takes over in a new session, with a warning', () => {
    expect(storyOf(1, 'handed')).toEqual([
      'handed#1@1 new declared-new failed:gate',
      'handed#2@1 new agent-changed passed',
    ]);
    expect(callLines(calls).slice(3, 5)).toEqual([`${id} start b after 0`, `${row.next} start c after 0`]);
    expect(said(1, '`handed`, attempt 2')).toBe(1);
  });

  it('S8: the id of every attempt is the one its CLI ran in', () => {
    const attempts = [...(jobs[0]?.state.steps.values() ?? [])].flatMap((step) => step.attempts);
    const ran = calls.slice(0, 8).filter(({ refused }) => refused === undefined);
    expect(attempts.map(({ session }) => session?.id)).toEqual(ran.map(({ session }) => session.id));
  });

  it('S9: a session that is gone is replaced in the same attempt, with a warning', () => {
    expect(storyOf(1, 'lost')).toEqual(['lost#1@1 new session-lost cancelled:cancelled']);
    expect(callLines(calls).slice(5, 8)).toEqual([
      `${id} start d after 0`,
      `${id} resume d after 0 refused`,
      `${id} start e after 0`,
    ]);
    expect(said(1, '`lost`, attempt 1')).toBe(1);
  });

  it('S10: a re-run goes on with what was cut off, on another machine and another path', () => {
    expect(storyOf(2, 'lost')?.at(-1)).toBe('lost#1@2 resumed continued passed');
    expect(callLines(calls)[8]).toBe(`${id} resume e after 1`);
    expect(promptBodies(calls[8]?.earlier ?? [])).toEqual(['Find.']);
    expect(calls[8]?.prompt).toContain('You were interrupted');
    expect(jobs[1]?.harness.harness.warnings).toEqual([]);
  });

  it('S12: resumes by id, whatever session was the latest', () => {
    const resumed = calls.filter(({ session }) => session.mode === 'resume');
    expect(resumed.length).toBeGreaterThanOrEqual(4);
    for (const { argv, session } of resumed) {
      expect(argv[argv.indexOf(row.resumes) + 1]).toBe(session.id);
    }
  });

  it('S13: goes back to where the session was, or says that it cannot', () => {
    expect(storyOf(3, 'impl')).toEqual([`impl#1@3 ${row.goesBack} passed`]);
    const isBack = row.goesBack === 'resumed from';
    expect(callLines(calls).at(-1)).toBe(isBack ? `${id} resume a after 1` : `${id} start f after 0`);
    expect(promptBodies(calls.at(-1)?.earlier ?? [])).toEqual(isBack ? ['Tests.'] : []);
    expect(said(3, '`impl`, attempt 1')).toBe(isBack ? 0 : 1);
  });
});

const scopes = ({ agent }: Row): string => `name: scopes
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

/** The job attempts: all passes, but the job fails later; a variable changed; all is re-run after a success. */
async function runScopes(row: Row): Promise<{ states: readonly RunState[]; calls: readonly AgentCall[] }> {
  const rules = [
    { prompt: 'Plan.', do: [{ write: '.gump/out/plan.json', content: tasks }] },
    { prompt: 'Fresh.', call: [2, 4], do: [{ write: 'fresh.txt' }] },
  ];
  const red = planOf(scopes(row), { vars: { word: 'red' } });
  const blue = planOf(scopes(row), { vars: { word: 'blue' } });
  const one = createCliHarness({ gate, rules });
  const first = await one.run(red, { jobStatus: 'failure' });
  const two = createCliHarness({ gate, rules, after: one });
  const changed = await two.run(blue, { jobAttempt: 2, jobStatus: 'success' });
  const three = createCliHarness({ gate, rules: [], after: two });
  const until = planOf(scopes(row), { vars: { word: 'blue' }, until: 'tests' });
  const afresh = await three.run(until, { jobAttempt: 3 });
  return { states: [first, changed, afresh], calls: await three.calls() };
}

describe.each(rows.map((row) => [row.id, row] as const))('scopes and changes: %s', (_id, row) => {
  let stories: readonly (readonly string[])[];
  let calls: readonly AgentCall[];
  const linesOf = (job: number, path: string) =>
    stories[job - 1]?.filter((line) => line.startsWith(`${path}#`));
  const toldTo = (body: string) =>
    calls.filter(({ prompt }) => prompt.startsWith(body)).map(({ earlier }) => promptBodies(earlier));

  beforeAll(async () => {
    const { states, calls: all } = await runScopes(row);
    calls = all;
    stories = states.map(story);
  });

  it('S3: a task sees its own steps alone', () => {
    expect(linesOf(1, 'build/x/b')).toEqual(['build/x/b#1@1 resumed from passed']);
    expect(linesOf(1, 'build/y/a')).toEqual(['build/y/a#1@1 new declared-new passed']);
    expect(toldTo('B y.')[0]).toEqual(['A y.']);
  });

  it('S6: `session: new` gives a fresh session where it first applies', () => {
    expect(linesOf(1, 'fresh')).toEqual([
      'fresh#1@1 new declared-new failed:gate',
      'fresh#2@1 new override-new passed',
    ]);
    expect(toldTo('Fresh.')[1]).toEqual([]);
  });

  it('S7: two steps that go on from the same one share its session', () => {
    expect(toldTo('Two red.')[0]).toEqual(['Tests.', 'One.']);
  });

  it('S11: a step whose variables changed runs again, with what hangs on it, in its session as it was', () => {
    expect(toldTo('One.')).toHaveLength(1);
    expect(linesOf(2, 'two')).toEqual([`two#1@2 ${row.goesBack} passed`]);
    expect(toldTo('Two blue.')[0]).toEqual(row.goesBack === 'resumed from' ? ['Tests.', 'One.'] : []);
    expect(toldTo('A x.')).toHaveLength(2);
  });

  it('S14: after a success all starts afresh', () => {
    expect(linesOf(3, 'tests')).toEqual(['tests#1@3 new declared-new passed']);
    expect(toldTo('Tests.')).toEqual([[], []]);
  });
});
