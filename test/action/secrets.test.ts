/** No output contains a secret, whoever prints it, and no output of agents or gates is a command for the runner. */
import { describe, expect, it } from 'vitest';
import type { StageResult, StepResult } from '../rig/machine.js';
import type { AgentAction } from '../rig/stand-in.js';
import { anthropicKey, createHarness, openaiKey } from './harness.js';

const flow = `
name: flow
steps:
  - name: leak
    type: code
    agent: claude-haiku
    prompt: print it
    gate: [bash: 'cat leak.txt; cat leak.txt >&2; false']
    retry: [exit: 2, attempt: 2, agent: codex]
`.replace('[exit: 2, attempt: 2, agent: codex]', '[{attempt: 2, agent: codex}, {exit: 2}]');

const stateKey = 'CANARY.state.key/0123456789+abcdef';
const others = {
  DEPLOY_PASSWORD: 'CANARY%20pass word=0123456789',
  NPM_TOKEN: 'npm_CANARY0123456789abcdefghijklmnop',
  SOME_PRIVATE_PEM: '-----BEGIN X-----\nCANARYline1CANARYline1\nCANARYline2CANARYline2\n-----END X-----',
  DATABASE_URL: 'postgres://user:CANARYdatabase0123456789@host/db',
};
const secretsOf = (runtimeToken: string) => [
  ...[anthropicKey, openaiKey, stateKey, runtimeToken, 'ghs_dummyTokenOfTheTestRig0000000000'],
  ...[others.DEPLOY_PASSWORD, others.NPM_TOKEN, 'CANARYline1CANARYline1', 'CANARYdatabase0123456789'],
];

/** All parts of a secret, and of its base64 forms, that are long enough to matter. */
function pieces(secret: string): readonly string[] {
  const forms = [secret, ...[0, 1, 2].map((shift) => base64At(secret, shift))];
  return forms.flatMap((form) =>
    Array.from({ length: Math.max(0, form.length - 11) }, (_, at) => form.slice(at, at + 12)),
  );
}

/** The base64 characters that depend only on the secret, not on the text before it. */
function base64At(secret: string, shift: number): string {
  const text = Buffer.from(`${'x'.repeat(shift)}${secret}`)
    .toString('base64')
    .replaceAll('=', '');
  return text.slice(shift === 0 ? 0 : shift + 1, -1);
}

const variants = (secret: string) => [
  ...[secret, secret.slice(7), `key=${secret};`, JSON.stringify({ secret }), `${secret}${secret}`],
  ...[0, 1, 2].map((shift) => Buffer.from(`${'x'.repeat(shift)}${secret} and more`).toString('base64')),
];

/** Everything that people see of a stage. The runner removes mask commands from the log itself. */
function visible(stage: StageResult | undefined): string {
  const log = stage?.log.replaceAll(/^::add-mask::.*$/gm, '') ?? '';
  return [log, stage?.summary, JSON.stringify(stage?.report), JSON.stringify(stage?.outputs)].join('\n');
}

const seen = ({ main, post }: StepResult) => visible(main) + visible(post);

describe('secrets', () => {
  it('are in no output, whoever prints them and in whatever form', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow });
    const ref = 'refs/heads/main';
    const cacheToken = harness.cache.token({ repository: 'octo/sample', read: [ref], write: ref });
    const secrets = secretsOf(cacheToken);
    const text = secrets.flatMap(variants).join('\n');
    const leak: readonly AgentAction[] = [
      { say: text },
      { stderr: text },
      { run: `echo ${Buffer.from(text).toString('base64').slice(0, 4000)} # ${anthropicKey}` },
      { write: 'leak.txt', content: text, say: text },
    ];
    const result = await harness.runJob({
      cacheToken,
      rules: [
        { provider: 'claude', do: leak },
        { do: [...leak, { fail: 401, message: `the key ${openaiKey} is not known, nor ${stateKey}` }] },
      ],
      env: { ...others, RUNNER_DEBUG: '1' },
      inputs: { 'state-key': stateKey },
    });
    expect(result.main.outputs).toMatchObject({ status: 'failed', persisted: 'true' });
    expect(await harness.calls()).toHaveLength(2);
    const shown = seen(result);
    expect(shown).toContain('***');
    for (const secret of secrets) {
      expect(
        pieces(secret).filter((piece) => shown.includes(piece)),
        secret,
      ).toEqual([]);
    }
  });

  it('are not quoted in errors of inputs', async () => {
    const harness = await createHarness({ workflow: flow });
    const { main } = await harness.runJob({
      inputs: { resume: anthropicKey, 'state-key': 'too-short-CANARY' },
    });
    expect(main.errors).toHaveLength(2);
    const shown = main.log.replaceAll(/^::add-mask::.*$/gm, '') + main.summary;
    expect(shown).toContain('Input `resume`: "***" is not allowed');
    for (const secret of [anthropicKey, 'too-short-CANARY'])
      expect(pieces(secret).filter((piece) => shown.includes(piece))).toEqual([]);
  });
});

describe('text of agents and gates', () => {
  const commands = [
    '::set-output name=status::pwned',
    '::error::pwned',
    '  ::warning file=a::pwned',
    '::add-mask::flow',
    '::save-state name=gump::/pwned',
    'before ##[command]pwned',
    '##[error]pwned',
    'x\r::error::pwned',
    '::stop-commands::pwned',
    '::pwned::',
    '::endgroup::',
    '::error::pwned again',
  ].join('\n');

  it('cannot contain commands for the runner', async () => {
    const harness = await createHarness({ workflow: flow });
    const printCommands: readonly AgentAction[] = [
      { say: commands },
      { run: `: '\n${commands}\n'` },
      { write: 'leak.txt', content: commands },
    ];
    const { main, post } = await harness.runJob({
      rules: [
        { provider: 'claude', do: printCommands },
        { do: [...printCommands, { fail: 401, message: `no\n${commands}` }] },
      ],
    });
    const reported = [...main.commands, ...(post?.commands ?? [])];
    const names = new Set(reported.map(({ name }) => name));
    expect([...names].sort()).toEqual([
      ...['add-mask', 'endgroup', 'error', 'group'],
      ...['stop-commands', 'warning'],
    ]);
    expect(reported.filter(({ name, text }) => name === 'add-mask' && text === 'flow')).toEqual([]);
    expect(main.warnings).toEqual([expect.stringContaining('new session: the agent changed from ')]);
    // The error of the action quotes the message of the failure as text.
    expect(main.errors).toEqual([expect.stringMatching(/^Step `leak` failed at attempt 2 \(crash\): no/)]);
    expect(main.outputs.status).toBe('failed');
    expect(main.state).not.toHaveProperty('pwned');
    // The runner reads none of these lines as a command.
    expect(reported.filter(({ text }) => /^pwned/.test(text))).toEqual([]);
  });

  it('is plain text in the summary, without commands, HTML or Markdown', async () => {
    const harness = await createHarness({ workflow: flow });
    const html = '</code><img src=x onerror=pwned> | ```\n# pwned [link](http://127.0.0.1)';
    const { main } = await harness.runJob({
      rules: [
        { provider: 'claude', do: [{ write: 'leak.txt', content: html }] },
        { do: [{ fail: 401, message: html }] },
      ],
    });
    const fenced = main.summary.replaceAll(/^(`{3,})text\n[\s\S]*?\n\1$/gm, '');
    expect(fenced).not.toMatch(/<img|^# pwned|\[link\]\(/m);
  });
});
