/** All errors of inputs and workflows are reported together, with a fix, and nothing runs. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { foreignMark } from '../../src/report/foreign-line.js';
import type { StepResult } from '../rig/machine.js';
import { createHarness, type HarnessOptions, type RunJobOptions } from './harness.js';

const good = `
name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: write it
`;

/** Expects that a job starts no agent, sends no request to the cache, and still writes outputs, report and summary. */
async function expectRefused(
  options: RunJobOptions,
  harness: Partial<HarnessOptions> = {},
): Promise<StepResult['main']> {
  const opened = await createHarness({ workflow: good, ...harness });
  const { main, post } = await opened.runJob(options);
  expect(main.exitCode).toBe(1);
  expect(main.outputs).toMatchObject({ status: 'failed', resumed: 'false', persisted: 'false' });
  expect(main.report).toMatchObject({ version: 1, status: 'failed', steps: [] });
  expect(main.summary).toMatch(/^### gump-action: nothing ran\n\n- /);
  expect(main.log).not.toContain('Internal error in gump-action');
  expect(await opened.calls()).toEqual([]);
  expect(opened.cache.requests()).toEqual([]);
  expect(post?.errors).toEqual([]);
  return main;
}

describe('inputs', () => {
  it('are all checked, and all errors are reported together', async () => {
    const { errors, summary } = await expectRefused({
      inputs: {
        spec: 'text',
        'spec-file': 'spec.md',
        vars: 'error: taken\n- list',
        resume: 'sometimes',
        'state-key': 'long-enough-0123456789\ntoo short to be a key'.slice(0, 40),
        'state-store': 'ftp:there',
        'on-lost-session': 'cry',
        'on-no-credentials': 'maybe',
        'pass-env': 'GOOD_NAME\nACTIONS_*\nbad name',
        commands: 'tset: npm test',
        apply: 'branch',
        'keep-sessions': 'yes',
      },
    });
    expect(errors).toEqual([
      expect.stringMatching(/^Inputs `spec` and `spec-file` \("spec.md"\) are both set\. Set only one/),
      expect.stringMatching(/^Input `vars` is not YAML: .* at line 2, column 1.$/),
      'Input `resume`: "sometimes" is not allowed. Use one of: `auto`, `require`, `never`.',
      expect.stringMatching(
        /^Input `state-key`: line 2 has fewer than 20 characters. Create a key with `openssl/,
      ),
      expect.stringMatching(
        /^Input `state-store`: "ftp:there" is not allowed\. Use `auto`, `cache`, `artifact`, or `directory:PATH`/,
      ),
      'Input `on-lost-session`: "cry" is not allowed. Use one of: `new`, `fail`.',
      'Input `on-no-credentials`: "maybe" is not allowed. Use one of: `auto`, `skip`, `fail`.',
      expect.stringMatching(/^Input `pass-env`: "ACTIONS_\*" is not allowed, /),
      expect.stringMatching(/^Input `pass-env`: "bad name" is not allowed\. Give names/),
      expect.stringMatching(
        /^Input `commands`: "tset" is not a gate with a command. Use one of: `compile`, `test`/,
      ),
      'Input `apply`: "branch" is not allowed. Use one of: `workspace`, `none`, `commit`, `push`, `pull-request`.',
      'Input `keep-sessions`: "yes" is not allowed. Use one of: `true`, `false`.',
    ]);
    expect(summary).toContain('Input \\`keep-sessions\\`');
    expect(errors.join()).not.toContain('too short');
  });

  it('that name missing files, steps or agents are reported together', async () => {
    const { errors } = await expectRefused({
      inputs: { 'spec-file': 'no/spec.md', 'from-step': 'impel', until: 'nowhere', agent: 'clawd-haiku' },
    });
    expect(errors).toEqual([
      expect.stringMatching(/^Input `spec-file`: `no\/spec.md` cannot be read in .*actions\/checkout/),
      'Input `from-step`: the workflow has no step `impel`. Did you mean `impl`?',
      'Input `until`: the workflow has no step `nowhere`. Its steps are: impl.',
      expect.stringMatching(/^Step `impl`: .*clawd/),
    ]);
  });

  it.each([
    ['sonnet', 'claude-sonnet'],
    ['anthropic/claude-haiku', 'claude-haiku'],
    ['claude_haiku', 'claude-haiku'],
    ['gpt-5', 'codex-gpt-5'],
  ])('with the agent %s gets one error for all steps, with the name that was meant', async (agent, meant) => {
    const second = '  - {name: more, type: code, agent: claude-haiku, prompt: y}\n';
    const { errors } = await expectRefused({ inputs: { agent } }, { workflow: `${good}${second}` });
    expect(errors).toEqual([expect.stringMatching(/^Steps `impl`, `more`: unknown provider/)]);
    expect(errors[0]).toMatch(new RegExp(`Did you mean \`${meant}\`\\?$`));
  });

  it('with an agent whose model looks misspelled run, with a warning', async () => {
    const harness = await createHarness({ workflow: good });
    const { main } = await harness.runJob({ inputs: { agent: 'claude-hiaku' } });
    expect(main.warnings[0]).toBe(
      'Input `agent`: the model in `claude-hiaku` looks misspelled. Did you mean `claude-haiku`?',
    );
  });

  it.each([
    [{ workflow: '' }, /^Input `workflow` is empty. Give the path/],
    [
      { workflow: 'nope' },
      /workflow `nope` not found. Searched: .gump\/workflows\/nope.yaml.*built-in.* `\.gump\/workflows` has: `flow`\. Check the name\./,
    ],
    [{ workflow: '../other.yaml' }, /`..` is not allowed, because it could lead out of the repository/],
    [{ 'working-directory': 'not/there' }, /not\/there` does not exist\. Set it to a directory/],
    [{ 'working-directory': 'README.md' }, /README.md` is a file\. Set it to a directory/],
  ])('%j gives one error with a fix', async (inputs, message) => {
    const { errors } = await expectRefused({ inputs });
    expect(errors).toEqual([expect.stringMatching(message)]);
  });
});

describe('a workflow', () => {
  const bad = (name: string) =>
    readFileSync(new URL(`../fixtures/workflows/bad/${name}`, import.meta.url), 'utf8');

  it('with errors shows each error with its line and as an annotation', async () => {
    const main = await expectRefused({}, { workflow: bad('many-errors-at-once.yaml') });
    const file = '.gump/workflows/flow.yaml';
    const shown = bad('many-errors-at-once.txt').replaceAll('many-errors-at-once.yaml', file);
    const expected = shown
      .trim()
      .split(/\n(?=\S)/)
      .map((text) => {
        const [, line, col, code] = /^\S+?:(\d+):(\d+): error: .*\[(.*)\]$/m.exec(text) ?? [];
        return {
          file,
          line,
          endLine: line,
          col,
          title: `gump: ${code}`,
          text: text.replace(' error: ', ' '),
        };
      });
    const annotations = main.commands.filter(({ name }) => name === 'error');
    const help =
      '\nHelp: https://github.com/octo/gump-action/blob/v1/docs/workflow.md#errors-warnings-and-their-codes';
    expect(annotations.map(({ properties, text }) => ({ ...properties, text }))).toEqual(
      expected.map((one) => ({ ...one, text: `${one.text}${help}` })),
    );
    expect(annotations).toHaveLength(6);
    // Nothing is in the log a second time.
    const printed = withoutMarks(main.log)
      .split('\n')
      .filter((line) => !line.startsWith('::') && !line.startsWith('gump-action:'));
    expect(printed.join('\n').trim()).toBe(`${file}: 6 errors, listed above. Nothing ran.`);
    for (const { text } of expected) {
      const [head = '', source = ''] = text.split('\n');
      const [, message = ''] = /:\d+:\d+: (\w+)/.exec(head) ?? [];
      expect(main.summary).toContain(message);
      expect(main.summary).toContain(`  ${source}\n`);
    }
  });

  it('links to no documentation if the runner does not name the repository and version of the action', async () => {
    for (const env of [
      { GITHUB_ACTION_REPOSITORY: '' },
      { GITHUB_ACTION_REF: '' },
      { GITHUB_ACTION_REF: 'a b' },
    ]) {
      const main = await expectRefused({ env }, { workflow: bad('many-errors-at-once.yaml') });
      expect(main.log).not.toContain('Help:');
      expect(main.summary).not.toContain('[help]');
    }
  });

  it('that is not YAML shows the position of the error', async () => {
    const { errors, log } = await expectRefused({}, { workflow: bad('yaml-unclosed-quote.yaml') });
    expect(log).toMatch(/errors?, listed above/);
    expect(errors.at(-1)).toMatch(/^\.gump\/workflows\/flow\.yaml:\d+:\d+: .*\[.*\]\n +\d+ \| .*\n +\| +\^/m);
  });

  it('with untrusted text in its errors cannot send commands to the runner', async () => {
    const name = '"x\\n::set-output name=status::passed"';
    const main = await expectRefused(
      {},
      { workflow: `name: flow\nsteps:\n  - name: ${name}\n    "::error::mine": 1\n` },
    );
    expect(main.commands.filter((command) => command.name === 'set-output')).toEqual([]);
    expect(main.errors).not.toContain('mine');
  });

  it('with a deprecated key runs, with a warning at its line', async () => {
    const harness = await createHarness({ code: 'dist', workflow: `${good}description: old\n` });
    const { main } = await harness.runJob();
    expect(main.outputs.status).toBe('passed');
    expect(main.commands.find(({ name }) => name === 'warning')).toMatchObject({
      properties: { file: '.gump/workflows/flow.yaml', line: '8' },
      text: expect.stringContaining('`description`'),
    });
  });
});

/** The log without what keeps problem matchers from its lines (`foreign-line.ts`). */
function withoutMarks(log: string): string {
  return log.replaceAll('\u2060', '').replaceAll(new RegExp(`^${foreignMark}`, 'gm'), '');
}
