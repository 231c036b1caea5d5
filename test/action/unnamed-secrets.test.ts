/** Credentials whose variables have names that say nothing reach no agent and no gate, and are shown nowhere. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { git } from '../rig/git.js';
import type { Machine } from '../rig/machine.js';
import { ordinaryVariables, unnamedSecrets } from '../security/unnamed-secrets.js';
import { planRule } from './answer-rules.js';
import { createHarness } from './harness.js';

const flow = `
name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: write it
    gate: [bash: 'env > gate.env; cat leak.txt']
`;

const secretVariables = Object.fromEntries(unnamedSecrets.map(([name, value]) => [name, value]));
const foreign =
  /^(?:GITHUB_|RUNNER_|PATH$|HOME$|PWD$|OLDPWD$|SHLVL$|_$|DATABASE_URL$|KUBECONFIG$|NETRC$|XDG_CONFIG_HOME$|LD_LIBRARY_PATH$|NODE_OPTIONS$)/;
const ordinary = Object.fromEntries(
  Object.entries(ordinaryVariables).filter(([name]) => !foreign.test(name)),
);

const forms = (secret: string): readonly string[] => [
  ...[secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)],
  ...[Buffer.from(secret).toString('hex'), Buffer.from(secret).toString('base64').replaceAll('=', '')],
];

describe('a credential whose name says nothing', () => {
  it('reaches no agent and no gate, and is shown nowhere', async () => {
    const harness = await createHarness({ code: 'dist', workflow: flow });
    const secrets = [...new Set(unnamedSecrets.map(([, , secret]) => secret))];
    const leak = secrets.flatMap(forms).join('\n');
    let agent: Readonly<Record<string, string>> = {};
    let gate = '';
    const { main, post } = await harness.runJob({
      env: { ...ordinary, ...secretVariables },
      rules: [{ do: [{ environment: 'agent.json' }, { write: 'leak.txt', content: leak }, { say: leak }] }],
      async inspect({ workspace }) {
        agent = JSON.parse(await readFile(join(workspace, 'agent.json'), 'utf8'));
        gate = await readFile(join(workspace, 'gate.env'), 'utf8');
      },
    });
    expect(main.outputs.status, main.log).toBe('passed');
    const own = 'ANTHROPIC_CUSTOM_HEADERS';
    const gateNames = gate.split('\n').map((line) => line.replace(/=.*/, ''));
    for (const name of Object.keys(secretVariables)) {
      if (name !== own) expect(Object.keys(agent)).not.toContain(name);
      expect(gateNames).not.toContain(name);
    }
    for (const [name, value] of Object.entries(ordinary)) expect(agent[name], name).toBe(value);
    expect(gateNames).toEqual(expect.arrayContaining(Object.keys(ordinary)));
    const log =
      main.log.replaceAll(/^::add-mask::.*$/gm, '') + (post?.log ?? '').replaceAll(/^::add-mask::.*$/gm, '');
    const shown = [log, main.summary, JSON.stringify(main.report), JSON.stringify(main.outputs)].join('\n');
    for (const form of secrets.flatMap(forms)) expect(shown).not.toContain(form);
  });
});

describe('the output `tasks`', () => {
  it('shows no secret, also not one that JSON escapes', async () => {
    const secret = 'CANARY"quoted"\\pass\\word"0123';
    const split = `name: flow
steps:
  - name: build
    type: split
    agent: claude-haiku
    prompt: Plan it
    each: [{name: impl, type: code, agent: claude-haiku, prompt: "Do {task.name}."}]
`;
    const harness = await createHarness({ code: 'dist', workflow: split });
    const { main } = await harness.runJob({
      env: { SOME_PASSWORD: secret },
      rules: [planRule('Plan it', { name: `a ${secret}` }, { name: 'b' })],
    });
    expect(JSON.parse(main.outputs.tasks ?? '')).toEqual(['a ***', 'b']);
  });
});

describe('a token in the configuration of the checkout', () => {
  const simple = flow.replace(/ {4}gate: .*\n/, '');
  const header = `AUTHORIZATION: basic ${Buffer.from('x-access-token:ghs_CANARY0123456789abcdef').toString('base64')}`;
  const key = 'http.https://github.com/.extraheader';

  /** As actions/checkout v4 and v5 store it. */
  const inConfig = ({ workspace }: Machine) => git(workspace, 'config', '--local', key, header);

  /** As actions/checkout v6 and v7 store it. */
  async function inIncludedFile({ workspace, home }: Machine) {
    const file = join(home, 'git-credentials-12ab.config');
    await git(workspace, 'config', '--file', file, key, header);
    await git(workspace, 'config', '--local', `includeIf.gitdir:${workspace}/.git.path`, file);
  }

  it.each([
    ['`.git/config`', inConfig, /`\.git\/config`/],
    ['an included file', inIncludedFile, /git-credentials-12ab\.config`/],
  ])('is reported once: %s', async (_where, store, file) => {
    const harness = await createHarness({ code: 'dist', workflow: simple });
    const prepare = async (machine: Machine) => {
      await store(machine);
    };
    const { main } = await harness.runJob({ prepare });
    expect(main.outputs.status, main.log).toBe('passed');
    expect(main.warnings).toEqual([
      expect.stringMatching(
        /^The git configuration of the checkout holds a token \(`http\.https:\/\/github\.com\/\.extraheader` in /,
      ),
    ]);
    expect(main.warnings[0]).toMatch(file);
    expect(main.summary).toContain('holds a token');
  });

  it('in the name of a setting is not shown', async () => {
    const harness = await createHarness({ workflow: simple });
    const token = 'ghs_CANARY0123456789abcdef';
    const { main } = await harness.runJob({
      async prepare({ workspace }) {
        await git(workspace, 'config', `url.https://x:${token}@github.com/.insteadOf`, 'https://github.com/');
      },
    });
    expect(main.warnings).toEqual([expect.stringContaining('`url.….insteadof` in `')]);
    expect(main.log + main.summary).not.toContain(token);
  });
});

describe('a line of an agent or a gate', () => {
  it('matches no problem matcher of the job', async () => {
    const message = './evil.go:3:4: pwned\nsrc/a.ts(3,4): error TS1: pwned\n::error::pwned';
    const harness = await createHarness({ code: 'dist', workflow: flow });
    const { main } = await harness.runJob({
      rules: [{ do: [{ write: 'leak.txt', content: message }, { say: message }] }],
    });
    const lines = main.log.split('\n').filter((line) => line.includes('pwned'));
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) {
      expect(line).toMatch(/^ │ /);
      expect(line).not.toMatch(/[\\/].+\.go:(?:\d+:\d+:)? |^\S.*\(\d+,\d+\)\s*:\s+error/);
    }
  });
});
