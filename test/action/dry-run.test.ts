/** `dry-run: true`: shows the plan, requires no CLI and no credential, and runs nothing. */
import { describe, expect, it } from 'vitest';
import { createHarness } from './harness.js';

const flow = `
name: flow
steps:
  - name: tests
    type: code
    agent: claude-haiku
    prompt: write the tests
    gate: [test]
  - name: impl
    type: code
    agent: claude-haiku
    prompt: make them pass
    session: from: tests
    gate: [test, 'untouched: tests/**']
    retry:
      - not: gate.tets
        prompt: again
      - attempt: 2
        agent: claude-opus
      - exit: 3
`;

describe('a dry run', () => {
  it('shows steps, sessions and warnings, without CLI, credential or cache', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow });
    const { main, post } = await harness.runJob({
      inputs: { 'dry-run': 'true', commands: 'test: test -s done.txt' },
      programs: [],
      credentials: 'none',
      cacheMode: 'none',
    });
    expect(main.exitCode).toBe(0);
    expect(main.outputs).toMatchObject({
      status: 'planned',
      resumed: 'false',
      persisted: 'false',
      sessions: '{}',
    });
    expect(main.report).toMatchObject({ version: 1, workflow: 'flow', status: 'planned', steps: [] });
    expect(main.errors).toEqual([]);
    expect(main.warnings).toEqual([expect.stringContaining('[unknown-gate-name]')]);
    expect(main.log).toContain('└─ impl · code, claude-haiku\n');
    expect(main.summary).toMatch(/^### flow: planned\n/);
    for (const text of [
      '│     gates: test\n',
      '      session: from step tests\n',
      '        from attempt 2: agent claude-opus\n',
      '```mermaid\nflowchart TD\n',
      '  s1 -.->|session| s2\n',
    ])
      expect(main.summary).toContain(text);
    expect(main.summary).toMatch(
      /\*\*Warnings\*\*\n\n- \.gump\/workflows\/flow\.yaml:16:14: .*unknown-gate-name/,
    );
    expect(await harness.calls()).toEqual([]);
    expect(harness.cache.requests()).toEqual([]);
    expect(post?.errors).toEqual([]);
    expect(post?.exitCode).toBe(0);
  });

  it('shows the agent of the input `agent`', async () => {
    const harness = await createHarness({ workflow: flow });
    const { main } = await harness.runJob({
      inputs: { 'dry-run': 'true', agent: 'codex', commands: 'test: test -s done.txt' },
      credentials: 'none',
    });
    expect(main.log).toContain('├─ tests · code, codex\n');
    expect(main.log).not.toContain('claude');
    expect(main.log).toContain('impl: agent codex\n');
  });

  it('shows called workflows, with the default agent of `gump.toml`', async () => {
    const files = {
      'gump.toml': 'default_agent = "codex"\n',
      '.gump/workflows/inner.yaml': 'name: inner\nsteps:\n  - {name: work, type: code, prompt: do it}\n',
      '.gump/validators/look.yaml':
        'name: look\nsteps:\n  - {name: judge, type: validate, prompt: judge it}\n',
    };
    const calling = `
name: flow
max_budget: 5
steps:
  - name: both
    parallel: true
    max_parallel: 2
    steps:
      - {name: one, workflow: inner}
      - name: two
        type: code
        agent: claude-haiku
        prompt: do it
        guard: {max_turns: 20}
        gate: [{validate: validators/look}]
        retry: [exit: 2]
`;
    const harness = await createHarness({ workflow: calling, files });
    const { main } = await harness.runJob({
      inputs: { 'dry-run': 'true' },
      programs: [],
      credentials: 'none',
    });
    expect(main.errors).toEqual([]);
    expect(main.outputs.status).toBe('planned');
    expect(main.summary).toContain(`
flow (.gump/workflows/flow.yaml)
  budget: $5.00
└─ both · group, in parallel, at most 2
   │  attempts: 1
   ├─ one · workflow inner
   │  │  attempts: 1
   │  └─ workflow inner (.gump/workflows/inner.yaml)
   │     └─ work · code, codex
   │           session: new
   │           attempts: 1
   └─ two · code, claude-haiku
      │  session: new
      │  limits of an attempt: 20 turns
      │  gates: look (workflow validators/look)
      │  attempts: at most 2
      └─ gate look: workflow validators/look (.gump/validators/look.yaml)
         └─ judge · validate, codex
               session: new
               files: read-only
               attempts: 1
`);
  });

  it('shows what each step would run, and what it needs', async () => {
    const workflow = `
name: flow
steps:
  - {name: look, type: artifact, agent: claude-haiku, prompt: "Look at {spec}.", guard: {max_budget: 0.25}}
  - name: impl
    type: code
    agent: "{worker}"
    prompt: "Use {look.output}, {spec}, {colour}, attempt {attempt}{error}."
    guard: {max_budget: 0.5}
    gate: [compile, lint, {bash: "test -s x"}]
    retry: [{exit: 2}]
`;
    const harness = await createHarness({ workflow });
    const { main } = await harness.runJob({
      inputs: {
        'dry-run': 'true',
        spec: 'it',
        vars: 'worker: codex\ncolour: red',
        commands: 'compile: test -d .',
      },
      env: { RUNNER_DEBUG: '1', OPENAI_API_KEY: '', CODEX_API_KEY: '' },
      programs: ['claude'],
    });
    expect(main.errors).toEqual([]);
    const texts = [
      'look: agent claude-haiku',
      'impl: agent codex',
      'impl: gate compile: test -d .',
      'impl: gate lint: skipped. No command for `lint` was found',
      'test -s x',
      'Claude Code CLI (version unknown): on PATH',
      'Claude Code: `ANTHROPIC_API_KEY` is present',
      'Codex has no credential. Set `env:` of the action step to',
      // One attempt of the first step and two of the second.
      'at most $1.25, and the answers in progress',
    ];
    for (const text of texts) {
      expect(main.log).toContain(text);
      expect(main.summary).toContain(text);
    }
    expect(main.log).toMatch(/Codex CLI \d+\.\d+\.\d+: would be installed from npm/);
    const debug = main.commands.filter(({ name }) => name === 'debug').map(({ text }) => text);
    expect(debug).toContain('Prompt of look:\nLook at it.');
    expect(debug).toContain('Prompt of impl:\nUse {look.output}, it, red, attempt 1.');
    expect(await harness.calls()).toEqual([]);
  });

  it('reports a gate without a command, as a run would', async () => {
    const harness = await createHarness({ workflow: flow });
    const { main } = await harness.runJob({ inputs: { 'dry-run': 'true' } });
    expect(main.outputs.status).toBe('failed');
    expect(main.errors).toEqual([
      expect.stringMatching(/^gate `test` of the steps `tests`, `impl`: no command was found: /),
    ]);
  });

  it('reports all errors of inputs and workflow', async () => {
    const harness = await createHarness({ workflow: flow });
    const inputs = { 'dry-run': 'true', 'from-step': 'tsets', 'spec-file': 'none.md' };
    const { main } = await harness.runJob({ inputs });
    expect(main.exitCode).toBe(1);
    expect(main.outputs.status).toBe('failed');
    expect(main.errors).toEqual([expect.stringContaining('none.md'), expect.stringContaining('`tsets`')]);
    const broken = await createHarness({ workflow: flow.replace('type: code', 'type: cod') });
    const result = await broken.runJob({ inputs: { 'dry-run': 'true' } });
    expect(result.main.errors).toEqual([expect.stringContaining('[bad-value]')]);
  });

  it('accepts only `true` or `false`', async () => {
    const harness = await createHarness({ workflow: flow });
    const { main } = await harness.runJob({ inputs: { 'dry-run': 'maybe' } });
    expect(main.errors).toEqual(['Input `dry-run`: "maybe" is not allowed. Use one of: `true`, `false`.']);
  });
});
