/** What a dry run shows: the tree, the chart, the summary. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planGraph } from '../../src/report/plan-graph.js';
import { planSummary } from '../../src/report/plan-summary.js';
import { planTree } from '../../src/report/plan-tree.js';
import { createRedactor } from '../../src/security/redact.js';
import type { Step, Workflow, WorkflowCall } from '../../src/workflow/workflow.js';
import { holds } from '../fakes/holds.js';
import { agentStep, bashGate, exitAfter, gateStep, splitStep } from '../fakes/plan.js';

const noRedaction = createRedactor([]);

function workflowOf(steps: readonly Step[], overrides: Partial<Workflow> = {}): Workflow {
  const base = { name: 'flow', source: 'flow.yaml', sessionMatch: 'agent', onPause: 'fail' } as const;
  return { ...base, budget: {}, steps, ...overrides };
}

function callOf(path: string, steps: readonly Step[], inputs: WorkflowCall['inputs'] = {}): WorkflowCall {
  return { path, workflow: workflowOf(steps, { name: path, source: `${path}.yaml` }), inputs };
}

const review = callOf('validators/review', [agentStep('judge', { type: 'validate' })], { spec: '{spec}' });
const build = callOf('team/build', [agentStep('inner')], { goal: 'fast' });
const ok = { name: 'ok', type: 'bash', command: 'make check' } as const;

/** Every kind of step, gate, condition and limit. */
const rich = workflowOf(
  [
    {
      ...splitStep(
        'plan',
        [
          agentStep('tests', {
            gates: [
              { name: 'compile', type: 'compile' },
              { name: 'touched_1', type: 'touched', pattern: '*_test.*' },
              { name: 'coverage_2', type: 'coverage', atLeast: 80 },
            ],
            retry: [
              { when: { not: 'compile' }, overrides: { prompt: 'again' } },
              {
                when: { attempt: 2 },
                overrides: { agent: 'claude-opus', session: 'new', worktree: 'reset' },
              },
              exitAfter(4),
            ],
          }),
          agentStep('impl', { session: { mode: 'from', step: 'tests' } }),
        ],
        { gates: [{ name: 'schema', type: 'schema', contract: 'plan' }] },
      ),
      parallel: true,
      maxParallel: 3,
      files: 'fail',
    },
    {
      kind: 'group',
      name: 'both',
      parallel: false,
      steps: [agentStep('one'), agentStep('two', { session: { mode: 'from', step: 'one' } })],
      gates: [ok],
      retry: [exitAfter(2)],
      guard: { maxUsd: 2 },
    },
    {
      kind: 'group',
      name: 'sides',
      parallel: true,
      steps: [agentStep('left'), agentStep('right', { session: { mode: 'from', step: 'left' } })],
      gates: [],
      retry: [],
      guard: {},
    },
    {
      kind: 'call',
      name: 'called',
      call: build,
      gates: [{ name: 'review', type: 'validate', call: review }],
      retry: [{ when: { validate: review }, overrides: { worktree: 'reset' } }, exitAfter(3)],
      guard: {},
      hitl: 'after-gate',
    },
    agentStep('notes', {
      type: 'artifact',
      agent: 'codex',
      worktree: 'none',
      context: [
        { type: 'file', path: 'docs/a.md' },
        { type: 'bash', command: 'git log' },
      ],
      get: build,
      guard: { maxTurns: 40, maxUsd: 1, maxTokens: 200_000, maxTimeMs: 600_000, noWrite: true },
      permissions: 'full',
      hitl: 'before-gate',
    }),
    agentStep('look', { agent: 'pass', gates: [bashGate('bash_0')] }),
    gateStep('quality', [{ name: 'lint', type: 'lint' }]),
  ],
  {
    budget: { maxUsd: 5, maxTokens: 2_000_000, maxTimeMs: 5_400_000 },
    sessionMatch: 'provider',
    onPause: 'success',
  },
);

describe('the tree', () => {
  it('shows every step with its settings', () => {
    expect(`\n${planTree(rich).join('\n')}\n`).toBe(`
flow (flow.yaml)
  budget: 2,000,000 tokens, $5.00, 1 h 30 min
  steps resume sessions of the same provider, not only of the same agent
  a job that waits for approval ends with success
├─ plan · split, claude-haiku
│  │  session: new
│  │  files: read-only
│  │  gates: schema (plan)
│  │  attempts: 1
│  └─ each task, in parallel, at most 3
│     │  changes outside the files of the task: fail
│     ├─ tests · code, claude-haiku
│     │     session: new
│     │     gates: compile, touched_1 (touched *_test.*), coverage_2 (at least 80 %)
│     │     attempts: at most 4
│     │       if gate compile failed: different prompt
│     │       from attempt 2: agent claude-opus, new session, files reset
│     └─ impl · code, claude-haiku
│           session: from step tests
│           attempts: 1
├─ both · group, one after the other
│  │  limits of an attempt: $2.00
│  │  gates: ok (make check)
│  │  attempts: at most 2
│  ├─ one · code, claude-haiku
│  │     session: new
│  │     attempts: 1
│  └─ two · code, claude-haiku
│        session: from step one
│        attempts: 1
├─ sides · group, in parallel, one per core, at least 2
│  │  attempts: 1
│  ├─ left · code, claude-haiku
│  │     session: new
│  │     attempts: 1
│  └─ right · code, claude-haiku
│        session: from step left
│        attempts: 1
├─ called · workflow team/build
│  │  inputs: goal
│  │  gates: review (workflow validators/review)
│  │  waits for approval after its gates have run
│  │  attempts: at most 3
│  │    if workflow validators/review passes: files reset
│  ├─ workflow team/build (team/build.yaml)
│  │  └─ inner · code, claude-haiku
│  │        session: new
│  │        attempts: 1
│  ├─ gate review: workflow validators/review (validators/review.yaml)
│  │  └─ judge · validate, claude-haiku
│  │        session: new
│  │        files: read-only
│  │        attempts: 1
│  └─ retry condition: workflow validators/review (validators/review.yaml), see above
├─ notes · artifact, codex
│  │  session: new
│  │  files: none, an empty directory
│  │  permissions: full
│  │  context: docs/a.md, output of \`git log\`
│  │  limits of an attempt: 40 turns, 200,000 tokens, $1.00, 10 min, no file changes
│  │  waits for approval before its gates run
│  │  attempts: 1
│  └─ first, for its outputs: workflow team/build (team/build.yaml), see above
├─ look · code, no agent (its gates check the present files)
│     gates: bash_0 (true)
│     attempts: 1
└─ quality · gates only
      gates: lint
`);
  });

  it('shows the permissions of the run if they are set', () => {
    const [name, permissions] = planTree(workflowOf([agentStep('a')]), 'read-only');
    expect([name, permissions]).toEqual([
      'flow (flow.yaml)',
      '  permissions: read-only, unless a step sets its own',
    ]);
    expect(planTree(rich).join('\n')).not.toContain('unless a step sets its own');
  });

  it('stays small with nested calls', () => {
    const top = Array.from({ length: 40 }).reduce<WorkflowCall>(
      (inner, _, depth) => callOf(`w${depth}`, [callStep('a', inner), callStep('b', inner)]),
      callOf('leaf', [agentStep('work')]),
    );
    expect(planTree(top.workflow).length).toBeLessThan(400);
    expect(planGraph(top.workflow, noRedaction)?.split('\n').length).toBeLessThan(400);
  });

  it('keeps every text on its line', () => {
    const lines = planTree(workflowOf([agentStep('a', { agent: 'claude-x\n├─ fake' })], { name: 'n\nm' }));
    expect(lines.join('\n')).not.toMatch(/^├─ fake/m);
    expect(lines[0]).toBe('n\\nm (flow.yaml)');
  });
});

function callStep(name: string, call: WorkflowCall): Step {
  return { kind: 'call', name, call, gates: [], retry: [], guard: {} };
}

/** The lines of a chart. Each has a form that Mermaid is known to read. */
const label = '"(?:[\\p{L}\\p{M}\\p{N} ,_/-]|#\\d+;|<br/>)*"';
const forms = [
  /^flowchart TD$/,
  new RegExp(`^ +s\\d+(?:\\[${label}\\]|\\[\\[${label}\\]\\]|\\{\\{${label}\\}\\})$`, 'u'),
  new RegExp(`^ +subgraph s\\d+\\[${label}\\]$`, 'u'),
  /^ +end$/,
  /^ {2}s\d+ (?:-->|---|-\.->\|session\|) s\d+$/,
];

function chartOf(workflow: Workflow): string {
  const chart = planGraph(workflow, noRedaction) ?? '';
  for (const line of chart.split('\n'))
    expect(
      forms.some((form) => form.test(line)),
      line,
    ).toBe(true);
  return chart;
}

/** Pairs of labels (first lines) that an arrow of this kind joins. */
function joined(chart: string, arrow: string): readonly string[] {
  const names = new Map(
    [...chart.matchAll(/(s\d+)[[{]+"(.*?)(?:<br\/>|")/g)].map((found) => [found[1], found[2]]),
  );
  return [...chart.matchAll(/^ {2}(s\d+) (\S+) (s\d+)$/gm)]
    .filter((found) => found[2] === arrow)
    .map((found) => `${names.get(found[1])} ${names.get(found[3])}`);
}

describe('the chart', () => {
  const chart = chartOf(rich);

  it('joins the steps in their order', () => {
    expect(joined(chart, '-->')).toEqual([
      'tests impl',
      'plan each task of plan',
      'one two',
      'each task of plan both',
      'both sides',
      'sides called',
      'workflow team/build notes',
      'called notes',
      'notes look',
      'look quality',
    ]);
  });

  it('draws an arrow for a resumed session, and none if it cannot be resumed', () => {
    expect(joined(chart, '-.->|session|')).toEqual(['tests impl', 'one two']);
  });

  it('joins validators to their steps', () => {
    expect(joined(chart, '---')).toEqual(['called gate review', 'called retry condition']);
  });

  it('has a box for loops, groups and calls', () => {
    const boxes = [...chart.matchAll(/subgraph s\d+\["(.*?)"\]/g)].map((found) => found[1]);
    expect(boxes).toEqual([
      'each task of plan<br/>in parallel, at most 3',
      'both<br/>one after the other<br/>gates ok<br/>at most 2 attempts',
      'sides<br/>in parallel, one per core, at least 2',
      'called<br/>at most 3 attempts<br/>waits for approval<br/>workflow team/build',
    ]);
    expect(chart.match(/^ +end$/gm)).toHaveLength(boxes.length);
  });

  it('joins a resumed session to an earlier step in the same scope', () => {
    const from = agentStep('later', { session: { mode: 'from', step: 'one' } });
    const drawn = chartOf(workflowOf([agentStep('one'), from]));
    expect(joined(drawn, '-.->|session|')).toEqual(['one later']);
  });

  it.each([
    'a"]; x --> y',
    'end',
    '%%{init: {}}%%',
    '`**b**`',
    '1. list',
    '```',
    '<b>&amp;',
    '#quot;',
    'ü 你好 🙂',
  ])('survives the text %s', (text) => {
    const drawn = chartOf(
      workflowOf([agentStep('a', { agent: text, gates: [bashGate(text)] })], { name: text }),
    );
    expect(drawn.split('\n')).toHaveLength(2);
  });

  it('survives any text', () => {
    const text = fc.string({ unit: 'grapheme' });
    holds(
      fc.property(text, text, text, (name, agent, gate) => {
        const steps = [
          agentStep(name, { agent, gates: [bashGate(gate)] }),
          gateStep(gate, []),
          callStep(agent, review),
        ];
        const workflow = workflowOf(steps, { name: gate });
        chartOf(workflow);
        for (const line of planTree(workflow)) expect(line).not.toMatch(/[\n\r]/);
      }),
    );
  });

  it('is omitted if GitHub would not draw it', () => {
    const many = Array.from({ length: 502 }, (_, index) => agentStep(`s${index}`));
    expect(planGraph(workflowOf(many), noRedaction)).toBeUndefined();
    expect(planGraph(workflowOf(many.slice(0, 400)), noRedaction)).toBeDefined();
    const long = many
      .slice(0, 400)
      .map((step) => ({ ...step, agent: 'x'.repeat(60), gates: [bashGate('y'.repeat(60))] }));
    expect(planGraph(workflowOf(long), noRedaction)).toBeUndefined();
    expect(planSummary({ workflow: workflowOf(long), tree: [], warnings: [] }, noRedaction)).toContain(
      'too large',
    );
  });
});

describe('the summary', () => {
  it('contains tree, chart and warnings', () => {
    const summary = planSummary(
      { workflow: rich, tree: planTree(rich), warnings: ['a*b: odd'] },
      noRedaction,
    );
    expect(summary).toMatch(
      /^### flow: planned\n\nThe workflow was checked\. No step was run\.\n\n```text\nflow \(/,
    );
    expect(summary).toContain('\n```mermaid\nflowchart TD\n');
    expect(summary).toContain('**Warnings**\n\n- a\\*b: odd\n');
  });

  it('lets no text end a code block or become HTML', () => {
    const workflow = workflowOf([agentStep('a', { agent: '```' })], { name: '<h1>|x' });
    const summary = planSummary({ workflow, tree: planTree(workflow), warnings: ['<script>'] }, noRedaction);
    expect(summary).toContain('### &lt;h1&gt;\\|x: planned');
    expect(summary).toContain('````text\n');
    expect(summary).not.toContain('<script>');
  });

  it('shows no secret, in whatever form', () => {
    const secret = 'sk-"se*cret|0123456789';
    const workflow = workflowOf(
      [agentStep('a', { gates: [{ ...ok, name: 'ok', command: `curl ${secret}` }] })],
      {
        name: secret,
      },
    );
    const hidden = createRedactor([secret]);
    const summary = planSummary({ workflow, tree: planTree(workflow), warnings: [secret] }, hidden);
    for (const piece of ['cret|0123456789', 'cret#124;0123456789', 'cret\\|0123456789'])
      expect(summary).not.toContain(piece);
  });

  it('is truncated if the runner would reject it', () => {
    const many = workflowOf(Array.from({ length: 1500 }, (_, index) => agentStep(`s${index}`)));
    const summary = planSummary({ workflow: many, tree: planTree(many), warnings: [] }, noRedaction);
    expect(Buffer.byteLength(summary)).toBeLessThan(1_048_576);
    expect(summary).toMatch(/\d+ more lines are in the log\./);
  });
});
