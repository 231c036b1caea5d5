/** `post` without the inputs of `main`: the runner mixes them up in nested composite actions. */
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Machine } from '../rig/machine.js';
import type { StageInvocation } from '../rig/runner/stage.js';
import { anthropicKey, createHarness } from './harness.js';

const flow = `
name: flow
steps:
  - {name: one, type: code, agent: claude-haiku, prompt: first, gate: [{bash: 'test -f made.txt'}]}
`;
const stateKey = 'CANARY.state.key/0123456789+abcdef';
const rules = [{ do: [{ write: 'made.txt', content: 'made' }] }] as const;

const foreign = {
  INPUT_NAME: 'of the outer action',
  INPUT_WORKFLOW: 'other',
  'INPUT_STATE-KEY': 'CANARY.other.key/0123456789+abcdef',
  'INPUT_JOB-STATUS': 'success',
  INPUT_APPLY: 'not a value of this action',
};

/** Replaces the inputs of `post`, and removes the variables of the step. */
function postWith(inputs: Readonly<Record<string, string>>) {
  return (stage: StageInvocation): StageInvocation => {
    if (!stage.script.endsWith('post.js')) return stage;
    const kept = Object.entries(stage.env).filter(([name]) => !/^INPUT_|_API_KEY$/.test(name));
    return { ...stage, env: { ...Object.fromEntries(kept), ...inputs, GITHUB_ACTION: '__outer' } };
  };
}

async function sessionFiles({ home }: Machine): Promise<readonly string[]> {
  const files: string[] = [];
  for await (const file of glob(join(home, '.claude', 'projects', '**', '*.jsonl'))) files.push(file);
  return files;
}

async function textsOnDisk({ temp }: Machine): Promise<string> {
  const texts: string[] = [];
  for await (const file of glob(join(temp, '**', '*')))
    texts.push(await readFile(file, 'latin1').catch(() => ''));
  return texts.join('\n');
}

describe.each([
  ['no inputs', {}],
  ['the inputs of another action', foreign],
] as const)('post with %s', (_, inputs) => {
  it.each([{ 'state-key': stateKey }, {}])(
    'stores the state of a killed main with its keys (%o), and the re-run resumes the session',
    async (keys) => {
      const harness = await createHarness({ code: 'dist', workflow: flow, changeStage: postWith(inputs) });
      let texts = '';
      const { post } = await harness.runJob({
        inputs: keys,
        rules: [{ do: [{ say: 'now hanging' }, { hang: true }] }],
        stop: { when: { log: 'now hanging' }, how: 'kill' },
        async inspect(machine) {
          expect(await sessionFiles(machine)).toEqual([]);
          texts = await textsOnDisk(machine);
        },
      });
      expect([post?.exitCode, post?.errors, post?.warnings]).toEqual([0, [], []]);
      expect(post?.log).toMatch(/Stored checkpoint `gump-v/);
      expect([stateKey, anthropicKey].filter((secret) => texts.includes(secret))).toEqual([]);
      const rerun = await harness.runJob({ jobAttempt: 2, inputs: keys, rules });
      expect(rerun.main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
      const [first, second] = await harness.calls();
      expect(second?.session).toEqual({ mode: 'resume', id: first?.session.id });
    },
  );

  it('leaves a passed job green, and a re-run reuses the results', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow, changeStage: postWith(inputs) });
    const { main, post } = await harness.runJob({ rules });
    expect(main.outputs).toMatchObject({ status: 'passed', persisted: 'true' });
    expect([post?.exitCode, post?.errors]).toEqual([0, []]);
    const rerun = await harness.runJob({ jobAttempt: 2, rules });
    expect(rerun.main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(await harness.calls()).toHaveLength(1);
  });

  it('leaves a passed job green, with a warning, on a runner without a token of the job', async () => {
    const change = postWith(inputs);
    const withoutToken = ({ env, ...rest }: StageInvocation): StageInvocation => {
      const { ACTIONS_RUNTIME_TOKEN: _token, ...others } = env;
      return change({ ...rest, env: others });
    };
    const harness = await createHarness({
      ...{ code: 'dist', store: 'directory', workflow: flow },
      changeStage: withoutToken,
    });
    const { main, post } = await harness.runJob({ rules });
    expect(main.outputs).toMatchObject({ status: 'passed' });
    expect([post?.exitCode, post?.errors]).toEqual([0, []]);
    expect(post?.warnings).toEqual([
      expect.stringMatching(/^The runner gave the end of this job other inputs/),
    ]);
  });
});
