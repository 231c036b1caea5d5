/** Messages that say what was probably meant, or what is missing, before and after a run. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { yamlScalar } from '../../src/report/yaml-scalar.js';
import { git } from '../rig/git.js';
import type { Machine } from '../rig/machine.js';
import { createHarness } from './harness.js';

const workflow = 'name: flow\nsteps:\n  - {name: impl, type: code, agent: claude-haiku, prompt: write it}\n';

async function errorFor(
  name: string,
  files: Readonly<Record<string, string>> = {},
  prepare?: (machine: Machine) => Promise<void>,
): Promise<string> {
  const harness = await createHarness({ workflow, files });
  const { main } = await harness.runJob({ inputs: { workflow: name }, ...(prepare ? { prepare } : {}) });
  expect(main.outputs.status).toBe('failed');
  expect(main.errors).toHaveLength(1);
  expect(await harness.calls()).toEqual([]);
  return main.errors[0] ?? '';
}

const ci = 'name: CI\non: [push]\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps: [{run: npm test}]\n';

describe('a workflow that is not found', () => {
  it.each([
    ['flwo', 'flow'],
    ['Flow', 'flow'],
    ['flow.yaml', 'flow'],
    ['workflows/flow', 'flow'],
    ['.gump/flow.yaml', 'flow'],
    ['.gump/workflows/flow.yml', 'flow'],
    ['other', '.gump/workflows/other.yml'],
    ['nested', 'team/nested'],
    ['tdb', 'tdd'],
    ['bug-fix', 'bugfix'],
  ])('%s: suggests %s', async (name, meant) => {
    const files = { '.gump/workflows/other.yml': workflow, '.gump/workflows/team/nested.yaml': workflow };
    expect(await errorFor(name, files)).toContain(`Did you mean \`${meant}\`?`);
  });

  it('lists what is there', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `w${index}`);
    const files = Object.fromEntries(names.map((name) => [`.gump/workflows/${name}.yaml`, workflow]));
    expect(await errorFor('something', files)).toMatch(/has: `flow`, `w0`, .* and 3 more\. Check the name\./);
  });

  it('names a sparse checkout without `.gump`', async () => {
    const error = await errorFor('flow', {}, async ({ workspace }) => {
      await git(workspace, 'sparse-checkout', 'set', 'src');
    });
    expect(error).toContain('The checkout is sparse and has no `.gump`. Add `.gump` to `sparse-checkout`');
  });

  it('asks for a checkout if there is none', async () => {
    const error = await errorFor('flow', {}, async ({ workspace }) => {
      await rm(workspace, { recursive: true });
      await mkdir(workspace);
    });
    expect(error).toContain('has no checkout. Run `actions/checkout` before this step.');
  });

  it('says that a workflow of GitHub is no Gump workflow, by its path and by its name', async () => {
    const files = { '.github/workflows/ci.yml': ci };
    expect(await errorFor('.github/workflows/ci.yml', files)).toContain(
      '`.github/workflows/ci.yml` is a GitHub Actions workflow, not a Gump workflow.',
    );
    const removeOwn = ({ workspace }: Machine) => rm(join(workspace, '.gump'), { recursive: true });
    expect(await errorFor('ci', files, removeOwn)).toContain(
      '`.github/workflows/ci.yml` is a GitHub Actions workflow. This input names a Gump workflow',
    );
  });
});

describe('variables that are withheld from a gate', () => {
  const failing = (command: string) => `name: flow
steps:
  - name: check
    gate: [{bash: "${command}"}]
`;

  async function logOf(command: string, env: Readonly<Record<string, string>>) {
    const harness = await createHarness({ code: 'dist', workflow: failing(command) });
    const { main } = await harness.runJob({ env });
    expect(main.outputs.status).toBe('failed');
    return main.log;
  }

  it('are named only if its output speaks of them, without their values', async () => {
    const env = { DEPLOY_TOKEN: 'of-the-deployment-123', OTHER_SECRET: 'other-value-123456' };
    const log = await logOf('echo DEPLOY_TOKEN is not set; echo see ACTIONS_RUNTIME_TOKEN; exit 1', env);
    expect(log).toContain('Withheld from gates (see input `pass-env`): DEPLOY_TOKEN\n');
    expect(log).toContain('Withheld from gates, which never get them: ACTIONS_RUNTIME_TOKEN\n');
    expect(log.replaceAll(/^::add-mask::.*$/gm, '')).not.toContain('of-the-deployment');
    expect(await logOf('echo MY_DEPLOY_TOKENS; exit 1', env)).not.toContain('Withheld from gates');
  });
});

describe('a workflow with a step that waits for approval', () => {
  const waiting = workflow.replace('prompt:', 'hitl: true, prompt:');
  const warning =
    /^Step `impl` waits for approval \(`hitl`\), and neither `state-name` nor `approve` is set\./;

  it('warns at the start if no job could approve it', async () => {
    const harness = await createHarness({ workflow: waiting });
    expect((await harness.runJob()).main.warnings).toContainEqual(expect.stringMatching(warning));
    for (const inputs of [{ 'state-name': 'shared' }, { approve: 'impl' }]) {
      const { main } = await harness.runJob({ inputs });
      expect(main.warnings.join()).not.toMatch(/waits for approval/);
    }
  });

  it('pauses with values that can be pasted, and continues with them', async () => {
    const harness = await createHarness({ code: 'dist', workflow: waiting });
    const first = await harness.runJob();
    const [, name = ''] = /`state-name: ('.*?')`/.exec(first.main.errors.join()) ?? [];
    expect(first.main.errors.join()).toContain('`approve: impl` and `state-name: \'["');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: text of a workflow file.
    expect(first.main.errors.join()).toContain('`approve: ${{ vars.GUMP_APPROVE }}`');
    const stateName = name.slice(1, -1).replaceAll("''", "'");
    const { main } = await harness.runJob({
      job: 'approve',
      inputs: { approve: 'impl', 'state-name': stateName },
    });
    expect(main.outputs, main.log).toMatchObject({ status: 'passed', resumed: 'true' });
  });

  it('writes every text as a value of YAML', () => {
    const texts = [
      'impl',
      'build/a b/impl',
      '["x","y"]',
      "it's",
      'true',
      '#1',
      'a: b',
      '-',
      '',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: text of a workflow file.
      'x ${{ y }}',
    ];
    expect(texts.map(yamlScalar)).toEqual([
      'impl',
      "'build/a b/impl'",
      `'["x","y"]'`,
      "'it''s'",
      "'true'",
      "'#1'",
      "'a: b'",
      "'-'",
      "''",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: text of a workflow file.
      "'x ${{ ''${{'' }} y }}'",
    ]);
  });
});

describe('an empty `{spec}`', () => {
  const usesSpec = workflow.replace('write it', '"Do {spec}"');
  const text = 'Workflow `flow`: `{spec}` is in a prompt and is empty.';

  it('is a warning if a prompt uses it, also in a called workflow that gets none', async () => {
    const calling = 'name: flow\nsteps:\n  - {name: inner, workflow: called}\n';
    for (const [root, files] of [
      [usesSpec, {}],
      [calling, { '.gump/workflows/called.yaml': usesSpec }],
    ] as const) {
      const harness = await createHarness({ workflow: root, files });
      const { main } = await harness.runJob({ inputs: { 'dry-run': 'true' } });
      expect(main.warnings).toEqual([expect.stringContaining(text)]);
      expect(main.summary).toContain('Set the input');
      const set = await harness.runJob({ inputs: { 'dry-run': 'true', spec: 'it' } });
      expect(set.main.warnings).toEqual([]);
    }
  });

  it('is none if no prompt uses it, or if the call passes a text', async () => {
    const calling = 'name: flow\nsteps:\n  - {name: inner, workflow: called, with: {spec: this}}\n';
    for (const root of [workflow, calling]) {
      const harness = await createHarness({
        workflow: root,
        files: { '.gump/workflows/called.yaml': usesSpec },
      });
      expect((await harness.runJob({ inputs: { 'dry-run': 'true' } })).main.warnings).toEqual([]);
    }
  });

  it('is an error for a built-in workflow', async () => {
    const harness = await createHarness({ workflow });
    const { main } = await harness.runJob({ inputs: { workflow: 'tdd' } });
    expect(main.outputs.status).toBe('failed');
    expect(main.errors).toContainEqual(
      expect.stringMatching(/^Workflow `tdd`: `\{spec\}` is in a prompt and is empty\. Set the input `spec`/),
    );
    expect(await harness.calls()).toEqual([]);
  });

  it('names the file that has no text', async () => {
    const harness = await createHarness({ workflow: usesSpec, files: { 'spec.md': '\n' } });
    const { main } = await harness.runJob({ inputs: { 'dry-run': 'true', 'spec-file': 'spec.md' } });
    expect(main.warnings).toEqual([
      expect.stringContaining('The file of the input `spec-file` has no text.'),
    ]);
  });
});
