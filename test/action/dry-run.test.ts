/** `dry-run: true`: what would run is shown, and nothing is needed for that and nothing runs. */
import { describe, expect, it } from 'vitest';
import { openScene } from './scene.js';

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
  it('shows steps, conversations and warnings, without CLI, credential or cache', async () => {
    const scene = await openScene({ workflow: flow });
    const { main, post } = await scene.attempt({
      inputs: { 'dry-run': 'true' },
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
      '      session: goes on in that of tests (same agent)\n',
      '        from attempt 2: agent claude-opus\n',
      '```mermaid\nflowchart TD\n',
      '  s1 -.->|session| s2\n',
    ])
      expect(main.summary).toContain(text);
    expect(main.summary).toMatch(
      /\*\*Warnings\*\*\n\n- \.gump\/workflows\/flow\.yaml:16:14: .*unknown-gate-name/,
    );
    expect(await scene.calls()).toEqual([]);
    expect(scene.cache.requests()).toEqual([]);
    expect(post?.errors).toEqual([]);
    expect(post?.exitCode).toBe(0);
  });

  it('shows the agent that the input puts in', async () => {
    const scene = await openScene({ workflow: flow });
    const { main } = await scene.attempt({
      inputs: { 'dry-run': 'true', agent: 'codex' },
      credentials: 'none',
    });
    expect(main.log).toContain('├─ tests · code, codex\n');
    expect(main.log).not.toContain('claude');
  });

  it('fails on what is wrong with inputs and workflow, and tells all of it', async () => {
    const scene = await openScene({ workflow: flow });
    const inputs = { 'dry-run': 'true', 'from-step': 'tsets', 'spec-file': 'none.md' };
    const { main } = await scene.attempt({ inputs });
    expect(main.exitCode).toBe(1);
    expect(main.outputs.status).toBe('failed');
    expect(main.errors).toEqual([expect.stringContaining('none.md'), expect.stringContaining('`tsets`')]);
    const broken = await openScene({ workflow: flow.replace('type: code', 'type: cod') });
    const result = await broken.attempt({ inputs: { 'dry-run': 'true' } });
    expect(result.main.errors).toEqual([
      expect.stringContaining('[bad-value]'),
      expect.stringContaining('one error'),
    ]);
  });

  it('is asked for by true or false', async () => {
    const scene = await openScene({ workflow: flow });
    const { main } = await scene.attempt({ inputs: { 'dry-run': 'maybe' } });
    expect(main.errors).toEqual(['Input dry-run: "maybe" is not allowed. Allowed: true, false.']);
  });
});
