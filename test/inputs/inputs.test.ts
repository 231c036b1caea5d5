import { describe, expect, it } from 'vitest';
import { UserErrors } from '../../src/failure.js';
import { createGetInput } from '../../src/inputs/input-reader.js';
import { readInputs } from '../../src/inputs/inputs.js';

function read(inputs: Record<string, string> = {}) {
  const all: Record<string, string> = { workflow: 'tdd', ...inputs };
  return readInputs((name) => all[name] ?? '');
}

function problems(inputs: Record<string, string>): readonly string[] {
  try {
    read(inputs);
  } catch (error) {
    if (error instanceof UserErrors) return error.problems;
    throw error;
  }
  return [];
}

describe('readInputs', () => {
  it('uses the default of each input that is not set', () => {
    expect(read()).toEqual({
      workflow: 'tdd',
      vars: {},
      workingDirectory: '.',
      resume: 'auto',
      stateKeys: [],
      stateStore: { kind: 'auto' },
      checkpointIntervalMs: 900_000,
      onLostSession: 'new',
      onNoCredentials: 'auto',
      install: 'auto',
      cacheClis: true,
      cliVersions: {},
      agentArgs: {},
      passEnv: [],
      allowedBots: [],
      allowUntrustedCheckout: false,
      includeComments: 'writers',
      commands: {},
      apply: 'workspace',
      comment: 'never',
      commentResults: [],
      dryRun: false,
      keepSessions: false,
      maxResumeTokens: 150_000,
      maxSessionAgeMs: 14 * 86_400_000,
      transcripts: false,
    });
  });

  it.each([
    ['0', 0],
    ['0s', 0],
    ['1h30m', 5_400_000],
  ])('reads the checkpoint-interval %s', (text, ms) => {
    expect(read({ workflow: 'x', 'checkpoint-interval': text }).checkpointIntervalMs).toBe(ms);
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
      'checkpoint-interval': '90s',
      'max-budget': '2.50',
      'max-time': '1h30m',
      'on-limit': 'fallback: codex-gpt-5',
      'on-lost-session': 'fail',
      'on-no-credentials': 'skip',
      install: 'never',
      'cache-clis': 'False',
      'cli-versions': 'claude: 2.1.330\ncodex: 0.170.0-alpha.1',
      'agent-args': 'claude: [--mcp-config, mcp.json]\ncodex:\n  - -c\n  - a=1.10\n',
      permissions: 'read-only',
      'pass-env': 'NPM_TOKEN\n  DB_*\n\nNPM_TOKEN',
      'allowed-bots': ' renovate[bot]\n\nCopilot\nrenovate[bot]',
      'allow-untrusted-checkout': 'true',
      'include-comments': 'all',
      subject: 'pr-7',
      'max-resume-tokens': '90_000',
      'max-session-age': '2d',
      commands: 'test: npm test -- --run\nlint: |\n  npm run lint\n  npm run types\n',
      apply: 'pull-request',
      'commit-message': ' {fix.result}\n',
      'pr-title': 'Fix {issue.title}',
      'pr-body': 'Closes #{issue.number}',
      comment: 'on-failure',
      'comment-results': 'review\n\n  build/a/notes\nreview\n',
      review: 'review',
      'dry-run': 'true',
      'keep-sessions': 'True',
      transcripts: 'true',
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
      checkpointIntervalMs: 90_000,
      maxBudget: 2.5,
      maxTimeMs: 5_400_000,
      fallback: 'codex-gpt-5',
      onLostSession: 'fail',
      onNoCredentials: 'skip',
      install: 'never',
      cacheClis: false,
      cliVersions: { claude: '2.1.330', codex: '0.170.0-alpha.1' },
      agentArgs: { claude: ['--mcp-config', 'mcp.json'], codex: ['-c', 'a=1.10'] },
      permissions: 'read-only',
      passEnv: ['NPM_TOKEN', 'DB_*'],
      allowedBots: ['renovate[bot]', 'Copilot'],
      subject: 'pr-7',
      maxResumeTokens: 90_000,
      maxSessionAgeMs: 2 * 86_400_000,
      allowUntrustedCheckout: true,
      includeComments: 'all',
      commands: { test: 'npm test -- --run', lint: 'npm run lint\nnpm run types\n' },
      apply: 'pull-request',
      commitMessage: '{fix.result}',
      prTitle: 'Fix {issue.title}',
      prBody: 'Closes #{issue.number}',
      comment: 'on-failure',
      commentResults: ['review', 'build/a/notes'],
      review: 'review',
      dryRun: true,
      keepSessions: true,
      transcripts: true,
      githubToken: 'ghs_1',
      matrix: { os: 'linux', node: 20 },
      jobStatus: 'failure',
    });
  });

  it('reads a spec that is a text, and a job without a matrix', () => {
    expect(read({ spec: 'Do it.\nWell.', matrix: 'null' })).toMatchObject({
      spec: { from: 'text', text: 'Do it.\nWell.' },
    });
    expect(read({ matrix: 'null' }).matrix).toBeUndefined();
  });

  it('reads a mapping with every line indented', () => {
    expect(read({ vars: '\n  a: 1\n  b: 2\n' }).vars).toEqual({ a: '1', b: '2' });
    expect(read({ vars: ' \n ' }).vars).toEqual({});
  });

  it('reads its texts from the variables that the runner sets', () => {
    const get = createGetInput({ INPUT_WORKFLOW: ' tdd ', 'INPUT_KEEP-SESSIONS': 'true' });
    expect(readInputs(get)).toMatchObject({ workflow: 'tdd', keepSessions: true });
  });

  it('reports all errors together', () => {
    const reported = problems({
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
    ['resume', 'Auto', /Input `resume`: "Auto" is not allowed\. Use one of: `auto`, `require`, `never`\./],
    ['permissions', 'none', /"none" is not allowed\. Use one of: `auto`, `full`, `workspace`, `read-only`\./],
    ['on-lost-session', 'auto', /"auto" is not allowed\. Use one of: `new`, `fail`\./],
    ['on-no-credentials', 'no', /"no" is not allowed\. Use one of: `auto`, `skip`, `fail`\./],
    [
      'apply',
      'merge',
      /"merge" is not allowed\. Use one of: `workspace`, `none`, `commit`, `push`, `pull-request`\./,
    ],
    ['max-budget', '0', /Input `max-budget`: "0" is not allowed\. Give US dollars/],
    ['max-budget', '$5', /is not allowed/],
    ['max-time', '50', /Input `max-time`: "50" is not allowed\. Give a duration/],
    ['max-time', '0s', /is not allowed/],
    ['on-limit', 'wait', /Input `on-limit`: "wait" is not allowed\. Use `stop`, or `fallback:AGENT`/],
    ['on-limit', 'fallback:', /"fallback:" is not allowed/],
    ['on-limit', 'fallback:pass', /"fallback:pass" is not allowed/],
    ['on-limit', 'fallback:{impl.agent}', /is not allowed/],
    ['checkpoint-interval', '15', /Input `checkpoint-interval`: "15" is not allowed\. Give a duration/],
    ['install', 'yes', /"yes" is not allowed\. Use one of: `auto`, `never`\./],
    [
      'cli-versions',
      'claude: latest',
      /Input `cli-versions`: "claude" must be one exact version, such as `1\.2\.3`, but is "latest"\./,
    ],
    ['cli-versions', 'claude: ^2.1.0', /but is "\^2\.1\.0"/],
    ['cli-versions', 'claude: 2.1', /must be one exact version/],
    ['cli-versions', 'claude: [1.0.0]', /"claude" must be text, .*, but is a list\./],
    ['agent-args', 'claude: --x', /Input `agent-args`: "claude" must be a list of strings, but is "--x"\./],
    ['agent-args', 'claude: [{a: b}]', /"claude" must be text, .*, but is a mapping\./],
    ['agent-args', '--x', /Give a YAML mapping with one `name: \[text, text\]` per line\./],
    ['keep-sessions', 'yes', /"yes" is not allowed\. Use one of: `true`, `false`\./],
    ['keep-sessions', '1', /"1" is not allowed/],
    ['cache-clis', 'never', /"never" is not allowed\. Use one of: `true`, `false`\./],
    [
      'state-store',
      'directory:',
      /"directory:" is not allowed\. Use `auto`, `cache`, `artifact`, or `directory:PATH`/,
    ],
    ['state-store', '/var/lib', /is not allowed/],
    ['matrix', '[1]', /Input `matrix`: "\[1\]" is not allowed/],
    ['matrix', '{', /Input `matrix`/],
    ['job-status', 'fine', /Use one of: `success`, `failure`, `cancelled`\./],
    ['vars', 'just text', /Input `vars`: "just text" is not allowed\. Give a YAML mapping/],
    ['vars', '- a', /Give a YAML mapping with one `name: value` per line\./],
    ['vars', 'a: [1, 2]', /Input `vars`: "a" must be text, a number, `true` or `false`, but is a list\./],
    ['vars', 'a: {b: c}', /"a" must be text, .* but is a mapping\./],
    ['vars', 'a: *b', /Input `vars`: aliases such as `\*name` are not allowed\. Write the value itself\./],
    ['vars', 'a: &x text\nb: *x', /aliases such as `\*name` are not allowed/],
    ['agent-args', 'claude: [&x "--verbose"]\ncodex: [*x]', /Input `agent-args`: aliases .* are not allowed/],
    ['vars', 'a: 1\na: 2', /Input `vars` is not YAML: Map keys must be unique/],
    ['vars', 'a: "x', /Input `vars` is not YAML/],
    ['vars', '"a b": 1', /Input `vars`: "a b" is not a template name\. Use letters/],
    ['vars', 'spec: 1', /"spec" is reserved by the workflow language\. Choose another name\./],
    [
      'commands',
      'tests: x',
      /"tests" is not a gate with a command\. Use one of: `compile`, `test`, `lint`, `coverage`\./,
    ],
    ['commands', 'test:', /Input `commands`: "test" has no command\. Give a command, or remove the line\./],
    ['allowed-bots', '*', /"\*" is not allowed\. Give the login of each bot, one per line/],
    ['allowed-bots', 'a, b', /Input `allowed-bots`: "a, b" is not allowed/],
    ['subject', 'a b', /Input `subject`: "a b" is not allowed\. Give `pr-N` or `issue-N` with a number/],
    ['max-resume-tokens', '-1', /Input `max-resume-tokens`: "-1" is not allowed\. Give a number of tokens/],
    [
      'max-session-age',
      '0d',
      /Input `max-session-age`: "0d" is not allowed\. Give a duration, such as `14d`/,
    ],
    ['subject', 'branch-main', /that does not begin with `branch-`, `tag-` or `fork-`/],
    ['allow-untrusted-checkout', 'maybe', /Use one of: `true`, `false`/],
    ['pass-env', 'A, B', /"A, B" is not allowed\. Give names of variables or globs/],
    ['pass-env', 'ACTIONS_RUNTIME_TOKEN', /belongs to the runner or the action/],
    ['pass-env', 'INPUT_*', /belongs to the runner or the action/],
    ['pass-env', 'GITHUB_ENV', /belongs to the runner or the action/],
  ])('refuses %s: %j', (name, value, message) => {
    expect(problems({ [name]: value }).join('\n')).toMatch(message);
  });

  it('shows no secret, and at most one line of any value', () => {
    const reported = problems({
      'state-key': 'too-short-secret',
      'github-token': 'ghs_x',
      resume: `a\n${'b'.repeat(500)}`,
    });
    expect(reported.join(' ')).toContain('state-key');
    expect(reported.join(' ')).not.toContain('too-short-secret');
    expect(reported.every((problem) => problem.length < 300)).toBe(true);
  });

  it('accepts `__proto__` as a name without changing the prototype', () => {
    expect(Object.keys(read({ vars: '__proto__: x' }).vars)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
});
