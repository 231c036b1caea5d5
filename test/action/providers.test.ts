/**
 * The session rules that each CLI keeps in its own way (contract 4), for all of them: the same three job
 * attempts, each on a machine of its own, and what they left in reports and in the calls of the stand-ins.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { StepResult } from '../rig/machine.js';
import type { AgentCall, StandInProvider } from '../rig/stand-in.js';
import { attemptLines, callLines, promptBodies, sessionIdsOf } from './attempt-lines.js';
import { createHarness } from './harness.js';

interface ProviderCase {
  readonly id: StandInProvider;
  readonly agent: string;
  /** What stands before the id on its command line (S12). */
  readonly resumeOption: string;
  /** How a session is had as it was at an earlier point (S13). */
  readonly rewindReason: 'resumed from' | 'new session-ahead';
  /** Whom its work is handed to (S5). */
  readonly nextProvider: StandInProvider;
}

const providerCases: readonly ProviderCase[] = [
  {
    id: 'claude',
    agent: 'claude-haiku',
    resumeOption: '--resume',
    rewindReason: 'resumed from',
    nextProvider: 'codex',
  },
  {
    id: 'codex',
    agent: 'codex',
    resumeOption: 'resume',
    rewindReason: 'resumed from',
    nextProvider: 'gemini',
  },
  {
    id: 'gemini',
    agent: 'gemini-flash',
    resumeOption: '--resume',
    rewindReason: 'resumed from',
    nextProvider: 'qwen',
  },
  {
    id: 'qwen',
    agent: 'qwen-coder',
    resumeOption: '--resume',
    rewindReason: 'resumed from',
    nextProvider: 'opencode',
  },
  {
    id: 'opencode',
    agent: 'opencode-anthropic/claude-haiku-4-5',
    resumeOption: '--session',
    rewindReason: 'resumed from',
    nextProvider: 'cursor',
  },
  // By its documentation: its chats lie in a database, which cannot be cut back to an earlier point.
  {
    id: 'cursor',
    agent: 'cursor',
    resumeOption: '--resume',
    rewindReason: 'new session-ahead',
    nextProvider: 'claude',
  },
];

const agentOf = (id: StandInProvider): string => providerCases.find((row) => row.id === id)?.agent ?? id;

const flow = ({ agent, nextProvider }: ProviderCase): string => `name: flow
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
    gate: [{bash: "test -e impl.txt"}]
    retry: [{exit: 2}]
  - name: handed
    type: code
    agent: ${agent}
    prompt: Hand over.
    gate: [{bash: "test -e handed.txt"}]
    retry: [{attempt: 2, agent: "${agentOf(nextProvider)}"}, {exit: 2}]
  - name: gone
    type: code
    agent: ${agent}
    prompt: Vanish.
    gate: [{bash: "rm -rf ${sessionFolders}"}]
  - name: lost
    type: code
    agent: ${agent}
    session: from: gone
    prompt: Find.
    gate: [{bash: "test -e found.txt"}]
`;

/** Where the CLIs keep their conversations. */
const sessionFolders =
  '~/.claude/projects ~/.codex/sessions ~/.gemini/tmp ~/.qwen/projects ~/.local/share/opencode ~/.cursor/chats';

const env = {
  GEMINI_API_KEY: 'AIza-CANARY-0123456789abcdefghij',
  CURSOR_API_KEY: 'key_CANARY-0123456789abcdefghij',
};

/** The job attempts: cut off in the last step; gone on with elsewhere; sent back to the second step. */
async function runJobs(
  row: ProviderCase,
): Promise<{ jobs: readonly StepResult[]; calls: readonly AgentCall[] }> {
  const harness = await createHarness({ workflow: flow(row), store: 'directory' });
  const interrupted = await harness.runJob({
    env,
    rules: [
      { prompt: 'Implement.', call: 2, do: [{ write: 'impl.txt' }] },
      { prompt: 'Hand over.', provider: row.nextProvider, do: [{ write: 'handed.txt' }] },
      { prompt: 'Find.', do: [{ run: 'true', say: 'halfway there' }, { hang: true }] },
    ],
    stop: { how: 'cancel', when: { log: 'halfway' } },
  });
  const rerun = await harness.runJob({
    jobAttempt: 2,
    env,
    workspace: 'other/place_2/My.Sample',
    rules: [{ prompt: 'Find.', do: [{ write: 'found.txt' }] }],
    laterStatus: 'failure',
  });
  const rewound = await harness.runJob({
    jobAttempt: 3,
    env,
    inputs: { 'from-step': 'impl', until: 'impl' },
    rules: [{ prompt: 'Implement.', do: [{ write: 'impl.txt' }] }],
  });
  return { jobs: [interrupted, rerun, rewound], calls: await harness.calls() };
}

describe.each(providerCases.map((row) => [row.id, row] as const))('%s', (id, row) => {
  let stories: readonly (readonly string[])[];
  let calls: readonly AgentCall[];
  let jobs: readonly StepResult[];
  const storyOf = (job: number, step: string) =>
    stories[job - 1]?.filter((line) => line.startsWith(`${step}#`));
  const said = (job: number, text: string) =>
    jobs[job - 1]?.main.warnings.filter((line) => line.includes(text)).length;

  beforeAll(async () => {
    ({ jobs, calls } = await runJobs(row));
    stories = jobs.map(({ main }) => attemptLines(main.report));
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
    expect(callLines(calls).slice(3, 5)).toEqual([
      `${id} start b after 0`,
      `${row.nextProvider} start c after 0`,
    ]);
    expect(said(1, '`handed`, attempt 2')).toBe(1);
  });

  it('S8: the id of every attempt is the one its CLI ran in', () => {
    const attempts = jobs[0]?.main.report?.steps.flatMap((step) => step.attempts) ?? [];
    const ran = calls.slice(0, 8).filter(({ refused }) => refused === undefined);
    expect(attempts.map(({ session }) => session?.id)).toEqual(ran.map(({ session }) => session.id));
    expect(sessionIdsOf(jobs[0]?.main.outputs ?? {}).lost).toBe(ran.at(-1)?.session.id);
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
    expect(jobs[1]?.main.warnings).toEqual([]);
  });

  it('S12: resumes by id, whatever session was the latest', () => {
    const resumed = calls.filter(({ session }) => session.mode === 'resume');
    expect(resumed.length).toBeGreaterThanOrEqual(4);
    for (const { argv, session } of resumed) {
      expect(argv[argv.indexOf(row.resumeOption) + 1]).toBe(session.id);
    }
  });

  it('S13: goes back to where the session was, or says that it cannot', () => {
    expect(storyOf(3, 'impl')).toEqual([`impl#1@3 ${row.rewindReason} passed`]);
    const isBack = row.rewindReason === 'resumed from';
    expect(callLines(calls).at(-1)).toBe(isBack ? `${id} resume a after 1` : `${id} start f after 0`);
    expect(promptBodies(calls.at(-1)?.earlier ?? [])).toEqual(isBack ? ['Tests.'] : []);
    expect(said(3, '`impl`, attempt 1')).toBe(isBack ? 0 : 1);
  });
});

const scopesWorkflow = ({ agent }: ProviderCase): string => `name: scopes
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
async function runScopes(
  row: ProviderCase,
): Promise<{ jobs: readonly StepResult[]; calls: readonly AgentCall[] }> {
  const harness = await createHarness({ workflow: scopesWorkflow(row), store: 'directory' });
  const rules = [
    { prompt: 'Plan.', do: [{ write: '.gump/out/plan.json', content: tasks }] },
    { prompt: 'Fresh.', call: [2, 4], do: [{ write: 'fresh.txt' }] },
  ];
  const first = await harness.runJob({ env, rules, inputs: { vars: 'word: red' }, laterStatus: 'failure' });
  const changed = await harness.runJob({ jobAttempt: 2, env, rules, inputs: { vars: 'word: blue' } });
  const freshRun = await harness.runJob({
    jobAttempt: 3,
    env,
    inputs: { vars: 'word: blue', until: 'tests' },
  });
  return { jobs: [first, changed, freshRun], calls: await harness.calls() };
}

describe.each(providerCases.map((row) => [row.id, row] as const))('scopes and changes: %s', (_id, row) => {
  let stories: readonly (readonly string[])[];
  let calls: readonly AgentCall[];
  const linesOf = (job: number, path: string) =>
    stories[job - 1]?.filter((line) => line.startsWith(`${path}#`));
  const toldTo = (body: string) =>
    calls.filter(({ prompt }) => prompt.startsWith(body)).map(({ earlier }) => promptBodies(earlier));

  beforeAll(async () => {
    const { jobs, calls: all } = await runScopes(row);
    calls = all;
    stories = jobs.map(({ main }) => attemptLines(main.report));
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
    expect(linesOf(2, 'two')).toEqual([`two#1@2 ${row.rewindReason} passed`]);
    expect(toldTo('Two blue.')[0]).toEqual(row.rewindReason === 'resumed from' ? ['Tests.', 'One.'] : []);
    expect(toldTo('A x.')).toHaveLength(2);
  });

  it('S14: after a success all starts afresh', () => {
    expect(linesOf(3, 'tests')).toEqual(['tests#1@3 new declared-new passed']);
    expect(toldTo('Tests.')).toEqual([[], []]);
  });
});
