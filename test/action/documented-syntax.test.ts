/**
 * The syntax of the public documentation of the language, which is not always YAML. It must parse, and the run must
 * do what the documentation describes.
 */
import { expect, it } from 'vitest';
import { verdictRule } from './answer-rules.js';
import { attemptLines } from './attempt-lines.js';
import { createHarness } from './harness.js';

const workflow = `name: documentation
max_budget: 8
max_timeout: 1h30m
steps:
  - name: impl
    type: code
    get:
      workflow: context/collect # the file
        # its parameters
        topic: "{spec}"
        depth: 3
      prompt: "Do it: {collect.output}"
      session: new
    run:
      agent: claude-haiku
      guard:
        max_turns: 30
        max_time: 5m
    gate:
      - compile
      - touched: "*.txt"
      - "untouched: *_test.*"
      - validate: validators/arch-review
          diff: "{diff}"
          agent: claude-opus
      - validate: "validators/b"
          what: x
    retry:
      - not: gate.b
        prompt: "B answered {gate.b.comments}"
      - validate: validators/c
          what: y
        agent: claude-opus
        session: new
      - exit: 3
  - name: smoke
    type: code
    run:
      agent: {impl.agent}
    hitl: after_gate
    get:
      session: from: impl
      prompt: "Smoke {impl.status} {impl.gate.b.pass}"
    gate: [test]
  - name: quality
    gate: [compile, lint, test]
`;

const judge = (name: string) => `name: ${name}
steps:
  - name: look
    type: validate
    agent: claude-sonnet
    prompt: "${name.toUpperCase()} about {what}"
`;

const files = {
  '.gump/workflows/context/collect.yaml': `name: collect
steps:
  - name: look
    type: artifact
    agent: claude-haiku
    prompt: "Collect {topic} to {depth}"
`,
  '.gump/validators/b.yaml': judge('b'),
  '.gump/validators/c.yaml': judge('c'),
};

const inputs = {
  spec: 'SPEC',
  'state-name': 'shared',
  commands: 'compile: "true"\ntest: "true"\nlint: "true"',
};

const rules = [
  { prompt: 'Collect SPEC to 3', do: [{ write: '.gump/out/artifact.txt', content: 'FOUND' }] },
  { prompt: 'Do it: FOUND', do: [{ write: 'code.txt', content: 'one\n' }] },
  verdictRule('You review a change', true, ''),
  verdictRule('B about x', false, 'not yet', 1),
  verdictRule('B about x', true, ''),
  verdictRule('C about y', false, 'no need'),
  { prompt: 'B answered not yet', do: [{ write: 'code.txt', content: 'two\n' }] },
];

it('runs the documented syntax as described', async () => {
  const harness = await createHarness({ workflow, files });
  const paused = await harness.runJob({ inputs, rules });
  expect(paused.main.outputs, paused.main.log).toMatchObject({ status: 'paused', 'failed-step': 'smoke' });
  const { main } = await harness.runJob({ job: 'continue', inputs: { ...inputs, approve: 'smoke' }, rules });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
  const steps = attemptLines(main.report).filter((line) => !/\/(?:get|gate|retry):/.test(line));
  expect(steps).toEqual([
    'impl#1@1 new declared-new failed:gate',
    'impl#2@1 resumed kept-on-retry passed',
    'smoke#1@1 resumed from passed',
    'quality#1@1 gates passed',
  ]);
  const calls = await harness.calls();
  const prompts = calls.map(({ prompt }) => prompt.slice(0, 20).split('\n')[0]);
  expect(prompts).toEqual([
    'Collect SPEC to 3',
    'Do it: FOUND',
    'You review a change ',
    'B about x',
    'C about y',
    'Collect SPEC to 3',
    'B answered not yet',
    'You review a change ',
    'B about x',
    'Smoke pass true',
  ]);
  expect(calls[2]).toMatchObject({ model: 'opus', prompt: expect.stringContaining('+one') });
  const ids = [1, 6, 9].map((index) => calls[index]?.session.id);
  expect(new Set(ids).size).toBe(1);
  expect(paused.main.warnings).toEqual([]);
});
