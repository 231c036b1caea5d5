/** The local command through `dist/cli.js`: a repository of a user, stand-in agents, no runner. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import { createMachine, type Machine } from '../rig/machine.js';
import { makeRepository } from '../rig/repository.js';
import { readCommands } from '../rig/runner/log-commands.js';
import { type AgentRule, installStandIn, type StandIn } from '../rig/stand-in.js';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const key = 'sk-ant-no-real-key-0123456789abcdef';

const flow = `
name: flow
steps:
  - name: tests
    type: code
    agent: claude-haiku
    prompt: "write tests: {spec}"
  - name: impl
    type: code
    agent: claude-haiku
    session: { from: tests }
    prompt: write code
    gate: [bash: 'test -f made.txt']
`;

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

interface User {
  readonly machine: Machine;
  readonly standIn: StandIn;
  run(args: readonly string[], more?: RunMore): Promise<Ended>;
  gitStatus(): string;
}

interface RunMore {
  readonly env?: Readonly<Record<string, string>>;
  readonly node?: readonly string[];
  readonly directory?: string;
  onOutput?(output: string, child: ChildProcess): void;
}

async function makeUser(workflow = flow, rules: readonly AgentRule[] = []): Promise<User> {
  const repository = await makeRepository({ '.gump/workflows/flow.yaml': workflow, 'README.md': 'sample\n' });
  cleanUpAfterTest(() => repository.remove());
  const machine = await createMachine();
  cleanUpAfterTest(() => machine.wipe());
  await machine.checkout(repository);
  const standIn = await installStandIn(machine);
  await standIn.script(rules);
  return {
    machine,
    standIn,
    run: (args, more = {}) => runCli(machine, args, more),
    gitStatus: () =>
      execFileSync('git', ['status', '--porcelain', '--untracked-files=all'], {
        cwd: machine.workspace,
        encoding: 'utf8',
      }),
  };
}

function runCli(machine: Machine, args: readonly string[], more: RunMore): Promise<Ended> {
  const child = spawn(process.execPath, [...(more.node ?? []), cli, ...args], {
    cwd: more.directory ?? machine.workspace,
    env: {
      PATH: `${machine.bin}:/usr/bin:/bin`,
      HOME: machine.home,
      TMPDIR: machine.scratch,
      ANTHROPIC_API_KEY: key,
      ...more.env,
    },
  });
  let output = '';
  const collect = (chunk: Buffer) => {
    output += chunk.toString('utf8');
    more.onOutput?.(output, child);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}

const made: AgentRule = { prompt: 'write code', do: [{ write: 'made.txt', content: 'made' }] };
const stateFiles = ({ machine }: User) => readdirSync(join(machine.workspace, '.gump', 'state'));

describe('gump-action check', () => {
  it('accepts a good workflow, and reports the errors of a bad one with exit code 1', async () => {
    const user = await makeUser();
    expect(await user.run(['check', '.gump/workflows/flow.yaml', '--spec', 'x'])).toEqual({
      code: 0,
      output: '✓ .gump/workflows/flow.yaml: no errors\n',
    });
    writeFileSync(
      join(user.machine.workspace, 'bad.yaml'),
      'name: bad\nsteps:\n  - name: a\n    type: code\n    agnt: claude-haiku\n    prompt: x\n',
    );
    const bad = await user.run(['check', 'bad.yaml']);
    expect(bad.code).toBe(1);
    expect(bad.output).toMatch(
      /^Error: bad\.yaml:5:5: .*`agent`.*\n +5 \| +agnt: claude-haiku\n +\| +\^{4}\n/,
    );
    expect(readCommands(bad.output)).toEqual([]);
    expect(existsSync(join(user.machine.workspace, '.gump', 'state'))).toBe(false);
    expect(await user.standIn.calls()).toEqual([]);
  });

  it('warns about names of an event, which it does not have', async () => {
    const user = await makeUser(flow.replace('{spec}', '{pr.title} {run.attempt}'));
    const { code, output } = await user.run(['check', 'flow']);
    expect(code).toBe(0);
    expect(output).toContain('`{pr.title}` is empty: this run is not about a pull request.');
    expect(output).not.toContain('run.attempt}` is');
  });
});

describe('gump-action plan', () => {
  it('shows what a run would do, and starts nothing', async () => {
    const user = await makeUser();
    const { code, output } = await user.run(['plan', 'flow', '--spec', 'x', '--agent', 'codex']);
    expect(code).toBe(0);
    expect(output).toContain('Each step would run:');
    expect(output).toContain('codex');
    expect(output).toContain('✓ flow: checked, nothing ran');
    expect(await user.standIn.calls()).toEqual([]);
  });
});

describe('gump-action run', () => {
  it('passes, shows log and table without workflow commands, and leaves no state in git status', async () => {
    const user = await makeUser(flow, [
      {
        prompt: 'write tests',
        do: [{ say: '::error::from the agent' }, { say: 'see a.go:3: x ##[error]y' }],
      },
      made,
    ]);
    const env = {
      GITHUB_TOKEN: 'ghp_no_real_token_0123456789abcdefghijkl',
      MY_SECRET: 'abcdefghijkl0123456789',
    };
    const { code, output } = await user.run(['run', 'flow', '--spec', 'a slug'], { env });
    expect(output).toContain('✓ flow passed');
    expect(output).toContain('::error::from the agent');
    expect(readCommands(output)).toEqual([]);
    expect(output).toMatch(/^✓ tests +claude-haiku +1 /m);
    expect(output).toMatch(/^ {2}Total /m);
    expect(code).toBe(0);
    expect(user.gitStatus()).toBe('?? made.txt\n');
    const calls = await user.standIn.calls();
    expect(calls[0]?.prompt).toContain('write tests: a slug');
    expect(calls[0]?.environment).toContain('ANTHROPIC_API_KEY');
    for (const name of ['GITHUB_TOKEN', 'MY_SECRET', 'ACTIONS_RUNTIME_TOKEN', 'GITHUB_OUTPUT'])
      expect(calls[0]?.environment).not.toContain(name);
    // The patch is at the place that the log names.
    const [, patch = ''] = /as a patch in (\S+)/.exec(output) ?? [];
    expect(readFileSync(join(user.machine.workspace, patch), 'utf8')).toContain('made.txt');
    expect(readdirSync(user.machine.scratch).filter((name) => name.startsWith('gump-'))).toEqual([]);
    // A passed run is over: the next one starts fresh.
    const again = await user.run(['run', 'flow', '--spec', 'a slug']);
    expect(again.output).not.toContain('result reused');
    expect(again.output).toContain('job attempt 1');
    expect(await user.standIn.calls()).toHaveLength(4);
  });

  it('fails with exit code 1, and the next run resumes the session of the failed step', async () => {
    const ofTests = [
      { write: 'new.txt', content: 'new' },
      { write: 'README.md', content: 'changed' },
    ];
    const user = await makeUser(flow, [
      { prompt: 'write tests', do: ofTests },
      { ...made, call: 2 },
    ]);
    const first = await user.run(['run', 'flow', '--spec', 'x']);
    expect(first.code).toBe(1);
    expect(first.output).toMatch(/Error: Step `impl` failed .* The same command reuses the result of 1 step/);
    expect(first.output).toContain('Start the same command again to continue');
    expect(user.gitStatus()).toBe(' M README.md\n?? new.txt\n');
    const second = await user.run(['run', 'flow', '--spec', 'x']);
    expect(second.output).toContain('✓ tests: passed in job attempt 1, result reused');
    expect(second.code).toBe(0);
    const calls = await user.standIn.calls();
    expect(calls).toHaveLength(3);
    expect(calls[2]?.session).toEqual({ mode: 'resume', id: calls[1]?.session.id });
  });

  it('starts over with --fresh', async () => {
    const user = await makeUser(flow, [{ ...made, call: 2 }]);
    await user.run(['run', 'flow', '--spec', 'x']);
    const second = await user.run(['run', 'flow', '--spec', 'x', '--fresh']);
    expect(second.code).toBe(0);
    expect(second.output).toContain('job attempt 1');
    expect(await user.standIn.calls()).toHaveLength(4);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'pauses at %s in the middle of an agent, and resumes it',
    async (signal) => {
      const hang: AgentRule = {
        prompt: 'write code',
        call: 1,
        do: [{ write: 'half.txt', content: 'half' }, { say: 'now hanging' }, { hang: true }],
      };
      const user = await makeUser(flow, [hang, { ...made, call: 2 }]);
      let isSent = false;
      const first = await user.run(['run', 'flow', '--spec', 'x'], {
        onOutput(output, child) {
          if (isSent || !output.includes('now hanging')) return;
          isSent = true;
          child.kill(signal);
        },
      });
      expect(first.output).toContain('Step `impl` was interrupted.');
      expect(first.code).toBe(signal === 'SIGINT' ? 130 : 143);
      await expect.poll(() => user.machine.processes(), { timeout: 5000 }).toEqual([]);
      const second = await user.run(['run', 'flow', '--spec', 'x']);
      expect(second.code).toBe(0);
      const calls = await user.standIn.calls();
      expect(calls).toHaveLength(3);
      expect(calls[2]?.session).toEqual({ mode: 'resume', id: calls[1]?.session.id });
      expect(calls[2]?.prompt).toContain('interrupted');
    },
  );

  it('does not wait after a second signal, and stores the state all the same', async () => {
    const hang: AgentRule = {
      prompt: 'write code',
      call: 1,
      do: [{ say: 'now hanging' }, { hang: true, ignore: ['SIGTERM', 'SIGINT'] }],
    };
    const user = await makeUser(flow, [hang, { ...made, call: 2 }]);
    let sent = 0;
    const first = await user.run(['run', 'flow', '--spec', 'x'], {
      onOutput(output, child) {
        if (sent === 0 && output.includes('now hanging')) sent = Number(child.kill('SIGINT'));
        else if (sent === 1 && output.includes('storing the state')) sent += Number(child.kill('SIGINT'));
      },
    });
    expect(first.code).toBe(130);
    expect(first.output).not.toContain(key);
    await expect.poll(() => user.machine.processes(), { timeout: 5000 }).toEqual([]);
    const second = await user.run(['run', 'flow', '--spec', 'x']);
    expect(second.output).toContain('✓ tests: passed in job attempt 1, result reused');
    expect(second.code).toBe(0);
  });

  it('continues a paused step with --approve', async () => {
    const paused = flow.replace('prompt: write code', 'prompt: write code\n    hitl: before_gate');
    const user = await makeUser(paused, [made]);
    const first = await user.run(['run', 'flow', '--spec', 'x']);
    expect(first.output).toContain('add `--approve impl` to the same command');
    expect(first.code).toBe(1);
    const second = await user.run(['run', 'flow', '--spec', 'x', '--approve', 'impl']);
    expect(second.output).toContain('✓ flow passed');
    expect(second.code).toBe(0);
  });

  it('refuses a second run at the same time', async () => {
    const user = await makeUser(flow, [{ do: [{ say: 'now hanging' }, { hang: true }] }]);
    let other: Promise<Ended> | undefined;
    await user.run(['run', 'flow', '--spec', 'x'], {
      onOutput(output, child) {
        if (other !== undefined || !output.includes('now hanging')) return;
        other = user.run(['run', 'flow', '--spec', 'x']);
        void other.then(() => child.kill('SIGINT'));
      },
    });
    const ended = await other;
    expect(ended?.code).toBe(1);
    expect(ended?.output).toMatch(/^Error: This run is still at work in process \d+\./);
  });

  it('runs the agent of --agent and the variables of --var', async () => {
    const user = await makeUser(flow.replace('{spec}', '{spec} {color}'), [made]);
    const { code } = await user.run(
      ['run', 'flow', '--spec', 'x', '--var', 'color=red=1', '--agent', 'codex'],
      {
        env: {
          OPENAI_API_KEY: 'sk-proj-no-real-key-0123456789abcdef',
          CODEX_API_KEY: 'sk-proj-no-real-key-0123456789abcdef',
        },
      },
    );
    expect(code).toBe(0);
    const calls = await user.standIn.calls();
    expect(calls.map(({ provider }) => provider)).toEqual(['codex', 'codex']);
    expect(calls[0]?.prompt).toContain('write tests: x red=1');
    expect(calls[0]?.environment).not.toContain('ANTHROPIC_API_KEY');
  });

  it('works in a subfolder, with a spec from a file', async () => {
    const user = await makeUser(flow, [made]);
    const directory = join(user.machine.workspace, 'sub');
    mkdirSync(directory);
    writeFileSync(join(directory, 'spec.md'), 'from the file');
    writeFileSync(join(directory, 'own.yaml'), flow);
    const args = ['run', './own.yaml', '--spec-file', 'spec.md'];
    const { code, output } = await user.run(args, { directory });
    expect(output).toContain('✓ flow passed');
    expect(code).toBe(0);
    expect((await user.standIn.calls())[0]).toMatchObject({ cwd: directory });
    expect(existsSync(join(directory, 'made.txt'))).toBe(true);
    expect(existsSync(join(directory, '.gump', 'state'))).toBe(true);
  });

  it('works in a step of a real job, and writes nothing to its command files', async () => {
    const user = await makeUser(flow, [made]);
    const folder = mkdtempSync(join(tmpdir(), 'gump-outer-job-'));
    cleanUpAfterTest(() => rmSync(folder, { recursive: true }));
    const names = ['GITHUB_OUTPUT', 'GITHUB_STATE', 'GITHUB_STEP_SUMMARY', 'GITHUB_ENV', 'GITHUB_PATH'];
    const files = Object.fromEntries(names.map((name) => [name, join(folder, name)]));
    for (const file of Object.values(files)) writeFileSync(file, 'of the step\n');
    const env = {
      ...files,
      GITHUB_ACTIONS: 'true',
      GITHUB_RUN_ID: '77',
      GITHUB_EVENT_NAME: 'issue_comment',
      RUNNER_TEMP: folder,
      ACTIONS_RUNTIME_TOKEN: 'token-of-the-job',
      INPUT_AGENT: 'codex',
    };
    const { code, output } = await user.run(['run', 'flow', '--spec', 'x'], { env });
    expect(output).toContain('✓ flow passed');
    expect(code).toBe(0);
    expect(readCommands(output)).toEqual([]);
    expect(readdirSync(folder).sort()).toEqual([...names].sort());
    for (const file of Object.values(files)) expect(readFileSync(file, 'utf8')).toBe('of the step\n');
  });
});

describe('gump-action, where it cannot run', () => {
  it('reports a wrong command line with exit code 2', async () => {
    const user = await makeUser();
    const wrong = await user.run(['rum', 'flow']);
    expect(wrong).toEqual({
      code: 2,
      output: 'Error: `rum` is not a command. Use `check`, `plan` or `run`.\n',
    });
    expect(await user.run(['--help'])).toMatchObject({ code: 0, output: expect.stringMatching(/^Usage: /) });
  });

  it('reports Windows, a folder without a repository, and a repository without a commit', async () => {
    const user = await makeUser();
    const windows = 'data:text/javascript,Object.defineProperty(process,"platform",{value:"win32"})';
    const onWindows = await user.run(['run', 'flow'], { node: ['--import', windows] });
    expect(onWindows.output).toMatch(/^Error: gump-action does not run on Windows\./);
    expect(onWindows.code).not.toBe(0);
    const outside = await user.run(['run', 'flow'], { directory: user.machine.scratch });
    expect(outside.code).toBe(1);
    expect(outside.output).toMatch(/^Error: .* is not in a git worktree\./);
    execFileSync('git', ['init', '--quiet', user.machine.scratch]);
    const empty = await user.run(['run', 'flow'], { directory: user.machine.scratch });
    expect(empty.output).toMatch(/has no commit\. Make the first commit\./);
    expect(readdirSync(user.machine.scratch)).toEqual(['.git']);
  });
});

it('hides its state from git, and reads it only as its owner', async () => {
  const user = await makeUser(flow, []);
  await user.run(['run', 'flow', '--spec', 'x']);
  expect(stateFiles(user)).toEqual(expect.arrayContaining(['.gitignore', 'state.key']));
  expect(readFileSync(join(user.machine.workspace, '.gump/state/.gitignore'), 'utf8')).toBe('*\n');
  expect(statSync(join(user.machine.workspace, '.gump/state/state.key')).mode & 0o777).toBe(0o600);
  expect(user.gitStatus()).toBe('');
});
