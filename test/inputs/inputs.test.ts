import { describe, expect, it } from 'vitest';
import { UserErrors } from '../../src/failure.js';
import { createGetInput, readInputs } from '../../src/inputs.js';

function read(inputs: Record<string, string> = {}) {
  const all: Record<string, string> = { workflow: 'tdd', ...inputs };
  return readInputs((name) => all[name] ?? '');
}

function faults(inputs: Record<string, string>): readonly string[] {
  try {
    read(inputs);
  } catch (error) {
    if (error instanceof UserErrors) return error.problems;
    throw error;
  }
  return [];
}

describe('readInputs', () => {
  it('takes the defaults of the contract for what is not set', () => {
    expect(read()).toEqual({
      workflow: 'tdd',
      vars: {},
      workingDirectory: '.',
      resume: 'auto',
      stateKeys: [],
      stateStore: { kind: 'cache' },
      onLostSession: 'new',
      onNoCredentials: 'auto',
      install: 'auto',
      cliVersions: {},
      agentArgs: {},
      passEnv: [],
      commands: {},
      apply: 'workspace',
      dryRun: false,
      keepSessions: false,
    });
  });

  it('reads every input', () => {
    const inputs = read({
      workflow: 'a/b.yaml',
      'spec-file': 'docs/spec.md',
      vars: 'name: value\nversion: 1.10\nflag: no\nempty:\nhex: 0x1F',
      agent: 'claude-haiku',
      'working-directory': 'packages/a',
      resume: 'require',
      'state-name': 's',
      'state-key': 'first-key-of-20-chars\n\n  second-key-of-20-chars\n',
      'state-store': 'directory:/var/lib/gump state',
      'from-step': 'build/impl',
      until: 'review',
      'max-budget': '2.50',
      'max-time': '1h30m',
      'on-lost-session': 'fail',
      'on-no-credentials': 'skip',
      install: 'never',
      'cli-versions': 'claude: 2.1.330\ncodex: 0.170.0-alpha.1',
      'agent-args': 'claude: [--mcp-config, mcp.json]\ncodex:\n  - -c\n  - a=1.10\n',
      permissions: 'read-only',
      'pass-env': 'NPM_TOKEN\n  DB_*\n\nNPM_TOKEN',
      commands: 'test: npm test -- --run\nlint: |\n  npm run lint\n  npm run types\n',
      apply: 'none',
      'dry-run': 'true',
      'keep-sessions': 'True',
      'github-token': 'ghs_1',
      matrix: '{"os":"linux","node":20}',
      'job-status': 'failure',
    });
    expect(inputs).toEqual({
      workflow: 'a/b.yaml',
      spec: { from: 'file', file: 'docs/spec.md' },
      vars: { name: 'value', version: '1.10', flag: 'no', empty: '', hex: '0x1F' },
      agent: 'claude-haiku',
      workingDirectory: 'packages/a',
      resume: 'require',
      stateName: 's',
      stateKeys: ['first-key-of-20-chars', 'second-key-of-20-chars'],
      stateStore: { kind: 'directory', path: '/var/lib/gump state' },
      fromStep: 'build/impl',
      until: 'review',
      maxBudget: 2.5,
      maxTimeMs: 5_400_000,
      onLostSession: 'fail',
      onNoCredentials: 'skip',
      install: 'never',
      cliVersions: { claude: '2.1.330', codex: '0.170.0-alpha.1' },
      agentArgs: { claude: ['--mcp-config', 'mcp.json'], codex: ['-c', 'a=1.10'] },
      permissions: 'read-only',
      passEnv: ['NPM_TOKEN', 'DB_*'],
      commands: { test: 'npm test -- --run', lint: 'npm run lint\nnpm run types\n' },
      apply: 'none',
      dryRun: true,
      keepSessions: true,
      githubToken: 'ghs_1',
      matrix: { os: 'linux', node: 20 },
      jobStatus: 'failure',
    });
  });

  it('reads a spec given as text, and no matrix', () => {
    expect(read({ spec: 'Do it.\nWell.', matrix: 'null' })).toMatchObject({
      spec: { from: 'text', text: 'Do it.\nWell.' },
    });
    expect(read({ matrix: 'null' }).matrix).toBeUndefined();
  });

  it('reads a mapping that is indented as a whole', () => {
    expect(read({ vars: '\n  a: 1\n  b: 2\n' }).vars).toEqual({ a: '1', b: '2' });
    expect(read({ vars: ' \n ' }).vars).toEqual({});
  });

  it('takes its texts from where the runner puts them', () => {
    const get = createGetInput({ INPUT_WORKFLOW: ' tdd ', 'INPUT_KEEP-SESSIONS': 'true' });
    expect(readInputs(get)).toMatchObject({ workflow: 'tdd', keepSessions: true });
  });

  it('tells all faults at once', () => {
    const reported = faults({
      workflow: '',
      spec: 'a',
      'spec-file': 'b',
      resume: 'maybe',
      'state-key': 'short',
      'keep-sessions': 'yes',
      commands: 'tests: x\nbuild: y',
    });
    expect(reported.join('\n').split('\n')).toHaveLength(7);
  });

  it.each([
    ['resume', 'Auto', /Input resume: "Auto" is not allowed\. Allowed: auto, require, never\./],
    ['permissions', 'none', /"none" is not allowed\. Allowed: auto, full, workspace, read-only\./],
    ['on-lost-session', 'auto', /"auto" is not allowed\. Allowed: new, fail\./],
    ['on-no-credentials', 'no', /"no" is not allowed\. Allowed: auto, skip, fail\./],
    ['apply', 'commit', /"commit" is not allowed\. Allowed: workspace, none\./],
    ['max-budget', '0', /Input max-budget: "0" is not allowed\. Allowed: US dollars/],
    ['max-budget', '$5', /is not allowed/],
    ['max-time', '50', /Input max-time: "50" is not allowed\. Allowed: a length of time/],
    ['max-time', '0s', /is not allowed/],
    ['install', 'yes', /"yes" is not allowed\. Allowed: auto, never\./],
    ['cli-versions', 'claude: latest', /"latest" of "claude" is not allowed\. Allowed: one exact version/],
    ['cli-versions', 'claude: ^2.1.0', /"\^2\.1\.0" of "claude" is not allowed/],
    ['cli-versions', 'claude: 2.1', /Allowed: one exact version/],
    ['cli-versions', 'claude: [1.0.0]', /the value of "claude" is not a text/],
    ['agent-args', 'claude: --x', /Input agent-args: the value of "claude" is not a list of texts/],
    ['agent-args', 'claude: [{a: b}]', /the value of "claude" is not a list of texts/],
    ['agent-args', '--x', /Allowed: a YAML mapping, one `name: \[text, text\]` a line/],
    ['keep-sessions', 'yes', /"yes" is not allowed\. Allowed: true, false\./],
    ['keep-sessions', '1', /"1" is not allowed/],
    ['state-store', 'directory:', /"directory:" is not allowed\. Allowed: cache, or directory:PATH/],
    ['state-store', '/var/lib', /is not allowed/],
    ['matrix', '[1]', /Input matrix: "\[1\]" is not allowed/],
    ['matrix', '{', /Input matrix/],
    ['job-status', 'fine', /Allowed: success, failure, cancelled/],
    ['vars', 'just text', /Input vars: "just text" is not allowed\. Allowed: a YAML mapping/],
    ['vars', '- a', /Allowed: a YAML mapping/],
    ['vars', 'a: [1, 2]', /the value of "a" is not a text/],
    ['vars', 'a: {b: c}', /the value of "a" is not a text/],
    ['vars', 'a: 1\na: 2', /Input vars is not YAML: Map keys must be unique/],
    ['vars', 'a: "x', /Input vars is not YAML/],
    ['vars', '"a b": 1', /"a b" is no template name/],
    ['vars', 'spec: 1', /"spec" is a name of the workflow language itself/],
    ['commands', 'tests: x', /"tests" is no gate with a command\. Allowed: compile, test, lint, coverage/],
    ['commands', 'test:', /test has no command/],
    ['pass-env', 'A, B', /"A, B" is not allowed\. Allowed: names of variables or globs/],
    ['pass-env', 'ACTIONS_RUNTIME_TOKEN', /between the runner and the action/],
    ['pass-env', 'INPUT_*', /between the runner and the action/],
    ['pass-env', 'GITHUB_ENV', /between the runner and the action/],
  ])('refuses %s: %j', (name, value, message) => {
    expect(faults({ [name]: value }).join('\n')).toMatch(message);
  });

  it('shows no secret, and no more than a line of anything', () => {
    const reported = faults({
      'state-key': 'too-short-secret',
      'github-token': 'ghs_x',
      resume: `a\n${'b'.repeat(500)}`,
    });
    expect(reported.join(' ')).toContain('state-key');
    expect(reported.join(' ')).not.toContain('too-short-secret');
    expect(reported.every((fault) => fault.length < 300)).toBe(true);
  });

  it('has no value that reaches into objects', () => {
    expect(Object.keys(read({ vars: '__proto__: x' }).vars)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
});
