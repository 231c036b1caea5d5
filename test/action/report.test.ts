/** `report.json`, outputs and warnings have the documented format. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sessionReasons } from '../../src/journal/event.js';
import { attemptLines } from './attempt-lines.js';
import { createHarness } from './harness.js';

const count = z.number().int().nonnegative();

const usage = z.strictObject({
  inputTokens: count.optional(),
  outputTokens: count.optional(),
  cacheReadTokens: count.optional(),
  cacheWriteTokens: count.optional(),
  turns: count.optional(),
  costUsd: z.number().positive().optional(),
  costIsEstimate: z.literal(true).optional(),
});

const attempt = z.strictObject({
  number: z.number().int().positive(),
  jobAttempt: z.number().int().positive(),
  agent: z.string().optional(),
  session: z
    .strictObject({
      id: z.string().optional(),
      declared: z.string().regex(/^(?:new|from:.+)$/),
      effective: z.enum(['new', 'resumed']),
      reason: z.enum(sessionReasons),
    })
    .optional(),
  status: z.enum(['passed', 'failed', 'cancelled']),
  failure: z.strictObject({ kind: z.string(), message: z.string().min(1) }).optional(),
  gates: z.array(
    z.strictObject({
      name: z.string(),
      status: z.enum(['passed', 'failed', 'skipped']),
      durationMs: z.number(),
    }),
  ),
  usage,
  durationMs: z.number().optional(),
  commit: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .optional(),
  cliVersion: z.string().optional(),
  // The cost of resuming the session.
  firstTurn: usage.optional(),
});

const result = z.strictObject({
  text: z.string().optional(),
  pass: z.boolean().optional(),
  comments: z.string().optional(),
  findings: z
    .array(
      z.strictObject({
        path: z.string().optional(),
        line: count.optional(),
        endLine: count.optional(),
        severity: z.enum(['error', 'warning', 'notice']),
        message: z.string(),
        suggestion: z.string().optional(),
      }),
    )
    .optional(),
  tasks: z
    .array(z.strictObject({ name: z.string(), description: z.string(), files: z.array(z.string()) }))
    .optional(),
});

const report = z.strictObject({
  version: z.literal(1),
  workflow: z.string(),
  status: z.enum(['passed', 'failed', 'cancelled', 'paused', 'waiting', 'skipped', 'planned']),
  failedStep: z.string().optional(),
  waitReason: z.enum(['limit', 'time', 'cancelled']).optional(),
  resumeAt: z
    .string()
    .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    .optional(),
  runId: z.string(),
  jobAttempt: z.number(),
  resumed: z.boolean(),
  persisted: z.boolean(),
  startCommit: z.string().regex(/^[0-9a-f]{40}$/),
  totals: usage.extend({ durationMs: z.number(), costIsIncomplete: z.literal(true).optional() }),
  steps: z.array(
    z.strictObject({
      path: z.string(),
      type: z.string(),
      agent: z.string().optional(),
      provider: z.string().optional(),
      status: z.enum(['passed', 'failed', 'skipped', 'paused', 'cancelled', 'not-run']),
      takenOver: z.boolean(),
      result: result.optional(),
      attempts: z.array(attempt),
    }),
  ),
});

const workflow = `name: flow
steps:
  - name: tests
    type: code
    agent: codex
    prompt: Tests.
  - name: check
    gate: [{bash: "true"}]
  - name: impl
    type: code
    agent: claude-haiku
    session: from: tests
    prompt: Implement.
    gate: [{bash: "test -e done.txt"}, {touched: "*.txt"}]
    retry:
      - attempt: 2
        agent: codex
      - exit: 2
  - name: docs
    type: code
    agent: codex
    session: from: tests
    prompt: Document.
`;

describe('the report', () => {
  it('has the documented format, for an interrupted attempt and for a passed job', async () => {
    const harness = await createHarness({ code: 'dist', workflow });
    const hang = { prompt: 'Implement', call: 2, do: [{ say: 'halfway' }, { hang: true }] } as const;
    const first = await harness.runJob({
      rules: [hang],
      stop: { how: 'cancel', when: { log: 'halfway' } },
    });
    report.parse(first.main.report);
    expect(first.main.report).toMatchObject({
      status: 'waiting',
      waitReason: 'cancelled',
      failedStep: 'impl',
      jobAttempt: 1,
    });
    expect(first.main.report?.resumeAt).toBe(first.main.outputs['resume-at']);
    expect(first.main.report?.steps.map(({ status }) => status)).toEqual([
      'passed',
      'passed',
      'cancelled',
      'not-run',
    ]);
    const { main } = await harness.runJob({
      jobAttempt: 2,
      rules: [{ prompt: 'Implement', do: [{ write: 'done.txt' }] }],
    });
    const reported = report.parse(main.report);
    expect(attemptLines(main.report)).toEqual([
      'tests#1@1 new declared-new passed',
      'check#1@1 gates passed',
      'impl#1@1 new from-other-agent failed:gate',
      'impl#2@1 new agent-changed cancelled:cancelled',
      'impl#2@2 resumed continued passed',
      'docs#1@2 resumed from passed',
    ]);
    expect(reported).toMatchObject({ runId: '1001', resumed: true, persisted: true, jobAttempt: 2 });
    expect(reported).not.toHaveProperty('failedStep');
    const attempts = reported.steps.flatMap((step) => step.attempts);
    const sum = (pick: (one: z.infer<typeof usage>) => number | undefined) =>
      attempts.reduce((total, { usage }) => total + (pick(usage) ?? 0), 0);
    expect(reported.totals.inputTokens).toBe(sum((one) => one.inputTokens));
    expect(reported.totals.outputTokens).toBe(sum((one) => one.outputTokens));
    expect(reported.totals.turns).toBe(sum((one) => one.turns));
    // Codex reports no cost, so its attempts have none, and the total is that of Claude Code.
    const costs = attempts.filter(({ usage }) => usage.costUsd !== undefined);
    expect(costs.map(({ agent }) => agent)).toEqual(['claude-haiku']);
    expect(reported.totals.costUsd).toBe(costs[0]?.usage.costUsd);
    expect(main.outputs).toMatchObject({
      status: 'passed',
      'failed-step': '',
      resumed: 'true',
      persisted: 'true',
      tokens: String((reported.totals.inputTokens ?? 0) + (reported.totals.outputTokens ?? 0)),
      turns: String(reported.totals.turns),
      'cost-usd': String(reported.totals.costUsd),
      tasks: '',
      commit: '',
    });
    expect(main.outputs.checkpoint).toMatch(/^gump-v2-[0-9a-f]+-1001-a2-s\d{6}-$/);
    const sessions = JSON.parse(main.outputs.sessions ?? '') as Record<string, unknown>;
    expect(sessions).toEqual({
      tests: { provider: 'codex', agent: 'codex', id: expect.any(String) },
      impl: { provider: 'codex', agent: 'codex', id: expect.any(String) },
      docs: { provider: 'codex', agent: 'codex', id: expect.any(String) },
    });
  });

  it('has no cost if no provider reports one', async () => {
    const harness = await createHarness({
      workflow: 'name: flow\nsteps:\n  - {name: tests, type: code, agent: codex, prompt: Tests.}\n',
    });
    const { main } = await harness.runJob();
    expect(report.parse(main.report).totals).not.toHaveProperty('costUsd');
    expect(main.outputs['cost-usd']).toBe('');
    expect(main.report?.steps[0]?.attempts[0]).not.toHaveProperty('failure');
  });

  it('has one warning for each session reason from `agent-changed` on, and none for the others', async () => {
    const harness = await createHarness({ workflow });
    const { main } = await harness.runJob({
      rules: [{ prompt: 'Implement', call: 2, do: [{ write: 'done.txt' }] }],
    });
    const reasons: readonly string[] = sessionReasons;
    const first = reasons.indexOf('agent-changed');
    const warned = (main.report?.steps ?? []).flatMap((step) =>
      step.attempts.flatMap(({ number, session }) =>
        session !== undefined && reasons.indexOf(session.reason) >= first
          ? [`Step \`${step.path}\`, attempt ${number}`]
          : [],
      ),
    );
    expect(warned).toEqual(['Step `impl`, attempt 1', 'Step `impl`, attempt 2']);
    expect(main.warnings.map((text) => text.split(':')[0])).toEqual(warned);
    expect(main.summary).toContain('new session: the agent changed from ');
  });
});
