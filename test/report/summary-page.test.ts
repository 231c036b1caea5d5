/** The parts of the summary: texts of others stay texts, every failure counts, and nothing is too large. */
import { describe, expect, it } from 'vitest';
import type { JournalEvent, NewEvent } from '../../src/journal/event.js';
import { foldEvents } from '../../src/journal/run-state.js';
import { changesSection } from '../../src/report/changed-files.js';
import { troubledSteps } from '../../src/report/failures.js';
import { fitSummary } from '../../src/report/fit-summary.js';
import { formatShortCount } from '../../src/report/format.js';
import { gateLabelsOf } from '../../src/report/gate-labels.js';
import { codeBlock, escapeMessage, escapeText, inlineCode } from '../../src/report/markdown-text.js';
import { makeReport, type ReportFacts } from '../../src/report/report.js';
import { runGraph } from '../../src/report/run-graph.js';
import { makeSummary, type SummaryFacts } from '../../src/report/summary.js';
import type { Step } from '../../src/workflow/workflow.js';
import { agentStep, groupStep, parallelSplit, planOf, splitStep } from '../fakes/plan.js';

const plain = (text: string) => text;
const fingerprint = { definition: '', agent: '', spec: '', vars: '' };
const from = { base: 'start', commit: 'c1' };
const session = { declared: 'new', effective: 'new', reason: 'declared-new', id: 'id' } as const;

interface Ending {
  readonly status?: 'passed' | 'failed';
  readonly output?: string;
  readonly plan?: readonly string[];
  readonly agent?: string;
  readonly costUsd?: number;
  readonly message?: string;
}

/** A step with one attempt. */
function stepEvents(step: string, ending: Ending = {}): readonly NewEvent[] {
  const { status = 'passed', output = '', plan, agent = 'claude-haiku', costUsd = 0.01 } = ending;
  const ref = { step, number: 1, jobAttempt: 1 };
  const usage = { turns: 1, inputTokens: 10_000, ...(costUsd < 0 ? {} : { costUsd }) };
  const gates = [{ name: 'bash_0', type: 'bash', status, output, durationMs: 1 }];
  const failure = { kind: 'gate', message: ending.message ?? 'gate `bash_0` failed' } as const;
  const tasks = (plan ?? []).map((name) => ({ name, description: '', files: [] }));
  const planFile = plan && { output: { name: 'plan.json', text: JSON.stringify(tasks) } as const };
  return [
    { type: 'step-started', step, fingerprint, from },
    { type: 'attempt-started', ...ref, agent, provider: 'claude', session, prompt: 'p' },
    {
      type: 'agent-ended',
      ...ref,
      usage,
      snapshot: from,
      changed: true,
      ignored: [],
      durationMs: 1,
      ...planFile,
    },
    {
      type: 'attempt-ended',
      ...ref,
      status,
      gates,
      files: [],
      durationMs: 1,
      ...(status === 'failed' ? { failure } : {}),
    },
    ...(plan === undefined ? [{ type: 'step-ended', step, status, jobAttempt: 1 } as const] : []),
  ];
}

const start: NewEvent = {
  type: 'job-started',
  version: 1,
  jobAttempt: 1,
  job: 'j',
  workflow: 'w',
  startCommit: 'C',
  startTree: 'T',
};

function factsOf(steps: readonly Step[], events: readonly NewEvent[], more: Partial<ReportFacts> = {}) {
  const plan = planOf(steps);
  const state = foldEvents([start, ...events].map((event) => ({ ...event, at: 0 }) as JournalEvent));
  const report = makeReport(plan, state, {
    status: 'failed',
    runId: '7',
    jobAttempt: 1,
    startCommit: 'C',
    persisted: true,
    resumed: false,
    reusedSteps: new Set(),
    ...more,
  });
  return {
    plan,
    state,
    report,
    warnings: [],
    gateLabels: gateLabelsOf(plan, state),
  } satisfies SummaryFacts & { plan: unknown };
}

const split = splitStep('build', [agentStep('impl')]);
const endings = ['passed', 'failed', 'passed', 'failed'] as const;
const twoFailed = [
  ...stepEvents('build', { plan: ['a', 'b', 'c', 'd'] }),
  ...endings.flatMap((status, index) =>
    stepEvents(`build/${'abcd'[index]}/impl`, {
      status,
      output: `line of ${'abcd'[index]}`,
      agent: 'codex',
      costUsd: -1,
    }),
  ),
  { type: 'step-ended', step: 'build', status: 'failed', jobAttempt: 1 } as const,
];

describe('the text of others', () => {
  it.each([
    ['@user', '@&#8203;user'],
    ['owner/x#12', 'owner/x#&#8203;12'],
    ['GH-7', 'GH-&#8203;7'],
    ['a@b.example', 'a@&#8203;b.example'],
    ['</details>', '&lt;/details&gt;'],
    ['a | b', 'a \\| b'],
    ['~~no~~', '\\~\\~no\\~\\~'],
    ['# title', '\\# title'],
    ['- item', '\\- item'],
    ['3. item', '3&#8203;. item'],
    ['a\r# b\n\n- c', 'a # b - c'],
    ['$x$ and $y$', '&#36;x&#36; and &#36;y&#36;'],
    ['limit $0.42', 'limit $0.42'],
    ['![x](y) `z`', '!\\[x\\](y) \\`z\\`'],
  ])('%j is no Markdown', (text, escaped) => expect(escapeText(text)).toBe(escaped));

  it('is code where a message has backticks, and still no Markdown', () => {
    expect(escapeMessage('# gate `a|b<i>` and `open, @me')).toBe(
      '\\# gate <code>a\\|b&lt;i&gt;</code> and \\`open, @&#8203;me',
    );
  });

  it('cannot end a block or the row of a table', () => {
    expect(codeBlock('a\n```\n</details>')).toBe('````text\na\n```\n</details>\n````');
    expect(codeBlock('` '.repeat(300_000)).slice(0, 8)).toBe('```text\n');
    expect(inlineCode('</code>|\n')).toBe('<code>&lt;/code&gt;\\| </code>');
  });
});

describe('the failures', () => {
  it('are those of all tasks, first, each with its last lines and what a re-run does', () => {
    const facts = factsOf([split], twoFailed, { failedStep: 'build/b/impl' });
    expect(troubledSteps(facts.report)).toEqual(['build/b/impl', 'build/d/impl']);
    const text = makeSummary(facts, plain);
    expect(text).toMatch(
      /^### ❌ test: failed at <code>build\/b\/impl<\/code> and 1 more · at least \$0\.0100 · /,
    );
    for (const name of ['b', 'd']) {
      expect(text).toContain(
        `❌ **build/${name}/impl** failed in attempt 1 (gate): gate <code>bash\\_0</code> failed.`,
      );
      expect(text).toContain(`A re-run runs step \`build/${name}/impl\` again.`);
      expect(text.indexOf(`line of ${name}`)).toBeLessThan(text.indexOf('| Step |'));
    }
    expect(text).not.toContain('line of a');
  });

  it('do not repeat what only failed because of them, and fold their lines if they are many', () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const group = groupStep(
      'all',
      names.map((name) => agentStep(name)),
      { parallel: true },
    );
    const events = names.flatMap((name) =>
      stepEvents(`all/${name}`, { status: 'failed', output: 'x\n'.repeat(90) }),
    );
    const text = makeSummary(factsOf([group], events, { failedStep: 'all/a' }), plain);
    expect(text.match(/^❌ \*\*/gm)).toHaveLength(5);
    expect(text.match(/<summary>Last lines<\/summary>/g)).toHaveLength(5);
    expect(text.match(/^x$/gm)?.length).toBeLessThanOrEqual(5 * 20);
  });
});

describe('the tables', () => {
  const text = makeSummary(factsOf([split], twoFailed, { failedStep: 'build/b/impl' }), plain);

  it('have one folded row for each task, and the plan is not red', () => {
    expect(text).toMatch(/^\| ✅&nbsp;build \(plan\) \|/m);
    expect(text).toMatch(/^\| ❌&nbsp;build: 4 tasks \|.* 2 passed, 2 failed \|/m);
    expect(text).toContain('<details><summary>Tasks of build: 2 passed, 2 failed</summary>');
    expect(text.match(/^\| [✅❌]&nbsp;[abcd] \| codex \|/gm)).toHaveLength(4);
  });

  it('end with totals and the cost of each agent', () => {
    expect(text).toMatch(/^\| \*\*Total\*\* .* 50\.0k&nbsp;\/&nbsp;– \| at least \$0\.0100 \|/m);
    expect(text).toContain('Cost per agent: claude-haiku $0.0100 · codex –');
  });

  it('name gates by what they check', () => {
    const gates = [
      { name: 'bash_0', type: 'bash', command: 'npm test -- --run a|b' },
      { name: 'touched_1', type: 'touched', pattern: 'test/**' },
    ] as const;
    const { plan, state } = factsOf([agentStep('impl', { gates })], []);
    expect([...(gateLabelsOf(plan, state).get('impl') ?? [])]).toEqual([
      ['bash_0', 'npm test -- --run a|b'],
      ['touched_1', 'touched test/**'],
    ]);
    const shown = makeSummary(
      factsOf([agentStep('impl', { gates })], stepEvents('impl'), { status: 'passed' }),
      plain,
    );
    expect(shown).toContain('| ✅&nbsp;<code>npm test -- --run a\\|b</code> |');
  });

  it('shorten large numbers', () => {
    expect([9999, 10_000, 999_949, 999_950, undefined].map(formatShortCount)).toEqual([
      '9,999',
      '10.0k',
      '999.9k',
      '1.0M',
      '–',
    ]);
  });

  it('fold more than 20 changed files', () => {
    const files = Array.from({ length: 21 }, (_, index) => ({ path: `f${index}`, added: 1, removed: 0 }));
    expect(changesSection({ files, place: 'here' })).toContain('<details><summary>21 files</summary>');
    const some = changesSection({ files: files.slice(0, 20), place: 'here' }) ?? '';
    expect(some).toMatch(/^\*\*Changes\*\* · 20 files, \+20 −0 · here\n/);
    expect(some).not.toContain('<details>');
    expect(changesSection({ files: [], place: '' })).toBeUndefined();
  });
});

describe('the re-run', () => {
  it('says what it did not have to pay again', () => {
    const facts = factsOf(
      [agentStep('tests'), agentStep('impl')],
      [...stepEvents('tests'), ...stepEvents('impl')],
      {
        status: 'passed',
        jobAttempt: 2,
        resumed: true,
        reusedSteps: new Set(['tests']),
      },
    );
    expect(makeSummary(facts, plain)).toContain(
      'Job attempt 2 · reused the result of 1 step ($0.0100 and 0.0 s not spent again)',
    );
  });
});

describe('the graph', () => {
  const graphOf = (steps: readonly Step[], events: readonly NewEvent[]) => {
    const { plan, state, report } = factsOf(steps, events);
    return runGraph(plan, state, report, plain);
  };

  it('shows the states, and no name has a meaning in it', () => {
    const names = ['end', 'a"]; click x', 'b[c](d)', 'class'];
    const chart =
      graphOf(
        names.map((name) => agentStep(name)),
        stepEvents('end', { status: 'failed' }),
      ) ?? '';
    const nodes = chart.split('\n').filter((line) => line.includes('["'));
    expect(nodes).toHaveLength(4);
    for (const line of nodes) expect(line).toMatch(/^ {2}s\d\["[\p{L}\p{M}\p{N} ,_/#;-]*"\]$/u);
    expect(chart).toContain('class s1 state_failed');
    expect(chart).toContain('class s2,s3,s4 state_not_run');
  });

  it('has a node for each task of a split, in rows', () => {
    const names = Array.from({ length: 12 }, (_, index) => `t${index}`);
    const events = [
      ...stepEvents('build', { plan: names }),
      ...stepEvents('build/t3/impl', { status: 'failed' }),
    ];
    const chart = graphOf([parallelSplit('build', [agentStep('impl')])], events) ?? '';
    expect(chart).toContain('subgraph s2["12 tasks, in parallel"]');
    expect(chart.match(/~~~/g)).toHaveLength(8);
    expect(chart).toContain('class s6 state_failed');
  });

  it('is left out for 60 steps, and for one', () => {
    const steps = Array.from({ length: 60 }, (_, index) => agentStep(`s${index}`));
    expect(graphOf(steps, [])).toBeUndefined();
    expect(graphOf(steps.slice(1), [])).toBeDefined();
    expect(graphOf(steps.slice(0, 1), [])).toBeUndefined();
  });
});

describe('the size', () => {
  it('stays below the limit with 2,000 steps and huge texts', () => {
    const names = Array.from({ length: 2000 }, (_, index) => `s${index}`);
    const huge = 'é|<@x>`'.repeat(2000);
    const events = names.flatMap((name) =>
      stepEvents(name, { status: 'failed', output: huge, message: huge }),
    );
    const facts = factsOf(
      names.map((name) => agentStep(name)),
      events,
      { failedStep: 's0' },
    );
    const files = names.map((name) => ({ path: `${name}${huge.slice(0, 300)}`, added: 1, removed: 1 }));
    const text = makeSummary(
      { ...facts, warnings: names.map(() => huge), changes: { files, place: '' } },
      plain,
    );
    expect(Buffer.byteLength(text)).toBeLessThan(1_048_576);
    expect(text).toMatch(/^### ❌ test: failed at <code>s0<\/code> and 1999 more/);
    expect(text).toContain('1950 more failed steps are in the report.');
    expect(text).toContain('1800 more steps are in the report.');
  });

  it('leaves out whole parts in a defined order, and names them', () => {
    const parts = [
      { name: 'headline', text: 'head' },
      { name: 'graph', text: 'g'.repeat(200), order: 2 },
      { name: 'steps', text: 's'.repeat(200), order: 1 },
      { name: 'results', text: 'r'.repeat(200), order: 3 },
    ];
    expect(fitSummary(parts, 1000)).not.toContain('Too large');
    expect(fitSummary(parts, 500)).toMatch(
      /^head\n\ng+\n\ns+\n\nToo large for a summary, see the report: results\.\n$/,
    );
    expect(fitSummary(parts, 300)).toMatch(
      /^head\n\ns+\n\nToo large for a summary, see the report: results, graph\.\n$/,
    );
    expect(Buffer.byteLength(fitSummary([{ name: 'x', text: 'line\n'.repeat(99) }], 50))).toBeLessThanOrEqual(
      50,
    );
  });
});
