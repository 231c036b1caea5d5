/**
 * A seventh provider needs only one object in the provider registry. The test adds it in this process, because
 * `dist/` contains its own registry.
 */

import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createActionContext } from '../../src/action/action-context.js';
import { main } from '../../src/action/main.js';
import { defined } from '../../src/optional-keys.js';
import type { Provider } from '../../src/providers/provider.js';
import { providers } from '../../src/providers/provider-registry.js';
import { makeRepository, type Repository } from '../rig/repository.js';

const acme: Provider = {
  id: 'acme',
  title: 'Acme Agent',
  executable: 'acme-agent',
  installHint: 'Install it.',
  models: { fast: 'acme-fast-1' },
  sessionIds: 'given',
  isSessionId: (text) => /^acme-\d+$/.test(text),
  environment: {
    variables: ['ACME_*'],
    gateways: [],
    credentials: [{ variable: 'ACME_KEY', isStatic: true }],
    logins: [],
  },
  sessionFiles: {
    home: { folder: '.acme' },
    patterns: (id) => [`sessions/${id}.txt`],
    restorePath: (file) => file,
  },
  projectFiles: { settings: ['.acme'], instructions: [], above: [] },
  homeFiles: [{ path: 'settings.json' }],
  buildCommand: (turn) => ({
    file: 'acme-agent',
    args: [
      ...(turn.model === undefined ? [] : ['--model', turn.model]),
      ...(turn.session.mode === 'resume' ? ['--resume', turn.session.id] : []),
    ],
    env: {},
    stdin: turn.prompt,
  }),
  createReader: () => {
    let session: string | undefined;
    return {
      readLine(line) {
        if (!line.startsWith('session ')) return [];
        session = line.slice(8);
        return [{ type: 'session', id: session }];
      },
      finish: (exit) => ({
        status: exit.code === 0 ? 'done' : 'failed',
        text: '',
        usage: {},
        ...defined({ session }),
        ...(exit.code === 0 ? {} : { failure: { kind: 'crash', message: 'it failed' } }),
      }),
    };
  },
};

/** Stores its prompts in one file per session. The gate passes once that file contains two prompts. */
const program = `#!/bin/sh
id=acme-7; [ "$1" = --model ] && shift 2; [ "$1" = --resume ] && id=$2
mkdir -p "$HOME/.acme/sessions"
echo "session $id"
cat >> "$HOME/.acme/sessions/$id.txt"; echo TURN >> "$HOME/.acme/sessions/$id.txt"
grep -c TURN "$HOME/.acme/sessions/$id.txt" > turns.txt
`;

const workflow = `name: sample
steps:
  - name: impl
    type: code
    agent: acme-fast
    prompt: Do it.
    gate:
      - bash: test "$(cat turns.txt)" = 2
`;

describe('a seventh provider', () => {
  let outside: string;
  let repository: Repository;
  const before = { ...process.env };

  beforeEach(async () => {
    outside = await mkdtemp(join(tmpdir(), 'gump-seventh-'));
    repository = await makeRepository({ '.gump/workflows/flow.yaml': workflow });
  });

  afterEach(async () => {
    process.env = before;
    await rm(outside, { recursive: true, force: true });
    await repository.remove();
  });

  it('runs a workflow, and a re-run on another machine resumes its session', async () => {
    expect(await attempt(1)).toBe(1);
    expect(await attempt(2)).toBe(0);
    const report = JSON.parse(await readFile(join(outside, 'machine-2', 'private', 'report.json'), 'utf8'));
    expect(
      report.steps[0].attempts.map((one: { session: { reason: string } }) => one.session.reason),
    ).toEqual(['declared-new', 'continued']);
  });

  async function attempt(number: number): Promise<number> {
    const machine = join(outside, `machine-${number}`);
    const [home, bin, privateDirectory, workspace] = ['home', 'bin', 'private', 'work'].map((name) =>
      join(machine, name),
    ) as [string, string, string, string];
    for (const folder of [home, bin, privateDirectory]) await mkdir(folder, { recursive: true });
    await repository.git('clone', '-q', repository.path, workspace);
    await writeFile(join(bin, 'acme-agent'), program);
    await chmod(join(bin, 'acme-agent'), 0o755);
    const files = Object.fromEntries(
      ['OUTPUT', 'STATE', 'STEP_SUMMARY', 'ENV', 'PATH'].map((name) => [
        `GITHUB_${name}`,
        join(machine, name),
      ]),
    );
    for (const file of Object.values(files)) await writeFile(file, '');
    process.env = {
      ...files,
      ...jobVariables,
      PATH: `${bin}:${before.PATH}`,
      HOME: home,
      RUNNER_TEMP: machine,
      GITHUB_WORKSPACE: workspace,
      GITHUB_SHA: repository.sha,
      GITHUB_RUN_ATTEMPT: String(number),
      INPUT_WORKFLOW: 'flow',
      'INPUT_STATE-STORE': `directory:${join(outside, 'state')}`,
      ACME_KEY: 'acme-key-0123456789abcdef',
    };
    const context = createActionContext({ ...process.env }, [...providers, acme]);
    return main(context, privateDirectory, new AbortController().signal);
  }
});

const jobVariables = {
  GITHUB_REPOSITORY: 'octo/sample',
  GITHUB_REPOSITORY_ID: '1',
  GITHUB_RUN_ID: '1001',
  GITHUB_JOB: 'agents',
  GITHUB_ACTION: 'gump',
  GITHUB_REF: 'refs/heads/main',
  GITHUB_EVENT_NAME: 'push',
  GITHUB_WORKFLOW_REF: 'octo/sample/.github/workflows/ci.yml@refs/heads/main',
  GITHUB_ACTOR: 'octo',
  RUNNER_OS: 'Linux',
};
