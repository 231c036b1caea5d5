import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openProject } from '../../src/gates/project.js';
import { type GateOptions, runGates } from '../../src/gates/run-gates.js';
import { defined } from '../../src/optional-keys.js';
import { isGroupAlive } from '../../src/system/process-group.js';
import { processRunner } from '../../src/system/run-process.js';
import type { Gate } from '../../src/workflow/workflow.js';
import { createFakeClock } from '../fakes/clock.js';
import { createFakeProcessRunner } from '../fakes/process-runner.js';
import { realProject } from './project.js';

interface GateFixture {
  readonly files?: Readonly<Record<string, string>>;
  readonly programs?: Readonly<Record<string, string>>;
  readonly more?: Partial<GateOptions>;
}

function makeSetting({ files = {}, programs = {}, more = {} }: GateFixture): GateOptions {
  const { directory, env } = realProject(files, programs);
  const project = openProject(directory, env.PATH);
  return {
    directory,
    env,
    project,
    processes: processRunner,
    clock: createFakeClock(),
    changes: [],
    commands: [],
    ...more,
  };
}

async function run(gates: readonly Gate[], given: GateFixture = {}) {
  return runGates(gates, makeSetting(given));
}

function bash(command: string, name = 'bash_0'): Gate {
  return { name, type: 'bash', command };
}

const test: Gate = { name: 'test', type: 'test' };
const compile: Gate = { name: 'compile', type: 'compile' };
const testsFound: Gate = { name: 'tests_found', type: 'tests_found' };
const goModule = { 'go.mod': 'module example.com/a\n' };

function withCommands(commands: Readonly<Record<string, string>>): GateFixture {
  return { more: { commands: [{ name: 'the input `commands`', commands }] } };
}

describe('the gates of a step', () => {
  it('all run in order, whatever the results of the earlier ones', async () => {
    const results = await run([bash('echo a; exit 1', 'bash_0'), bash('echo b', 'bash_1')]);
    expect(results).toEqual([
      {
        name: 'bash_0',
        type: 'bash',
        status: 'failed',
        output: 'a\n`echo a; exit 1` ended with exit code 1.',
        durationMs: 0,
      },
      { name: 'bash_1', type: 'bash', status: 'passed', output: 'b\n', durationMs: 0 },
    ]);
  });

  it('report their duration', async () => {
    const clock = createFakeClock();
    const processes = createFakeProcessRunner(() => {
      clock.advance(1200);
      return {};
    });
    const [result] = await run([bash('true')], { more: { clock, processes } });
    expect(result?.durationMs).toBe(1200);
  });

  it('do not run after the run is cancelled', async () => {
    const abort = new AbortController();
    const more = {
      signal: abort.signal,
      openSink: () => ({ print: () => abort.abort(), end: () => undefined }),
    };
    const results = await run([bash('echo a; sleep 600', 'bash_0'), bash('touch ran', 'bash_1')], { more });
    expect(results.map(({ status, output }) => [status, output])).toEqual([
      ['failed', 'a\n`echo a; sleep 600` was stopped because the run was cancelled.'],
      ['failed', 'Not run: the run was cancelled.'],
    ]);
  });
});

describe('a command', () => {
  it('runs in the working directory with only the given environment', async () => {
    const given = makeSetting({ programs: { tool: 'echo "tool: $HOME"' } });
    const [result] = await runGates([bash('pwd; tool; env | grep -c VITEST')], given);
    expect(result?.output).toContain(`${given.directory}\ntool: ${given.env.HOME}\n0\n`);
  });

  it('keeps both streams, in the order of writing', async () => {
    const [result] = await run([bash('for i in 1 2 3; do echo out$i; echo err$i >&2; done')]);
    expect(result?.output).toBe('out1\nerr1\nout2\nerr2\nout3\nerr3\n');
  });

  it('passes on its lines while it runs', async () => {
    const received: string[] = [];
    const openSink: GateOptions['openSink'] = (gate) => ({
      print: (line) => void received.push(`${gate.name}: ${line}`),
      end: () => void received.push('end'),
    });
    await run([bash('echo a; echo b >&2')], { more: { openSink } });
    expect(received).toEqual(['bash_0: a', 'bash_0: b', 'end']);
  });

  it('may have several lines and any quotes', async () => {
    const [result] = await run([bash('x="it\'s"\necho "$x" \'$y\'\nexit 2')]);
    expect(result?.output).toBe('it\'s $y\n`x="it\'s" …` ended with exit code 2.');
  });

  it('keeps the first and the last part of a very long output', async () => {
    const flood = `awk 'BEGIN { for (i = 0; i < 300000; i++) print "line " i }'`;
    const [result] = await run([bash(flood)]);
    expect(result?.output).toMatch(/^line 0\n/);
    expect(result?.output).toMatch(/\n\[… \d+ lines left out …\]\n/);
    expect(result?.output).toMatch(/\nline 299999\n$/);
    expect(result?.output.length).toBeLessThan(257 * 1024);
  });

  it('is stopped with all its processes when its time is over', async () => {
    const script = 'echo $$ >pid; (sleep 600; touch late) & wait';
    const given = makeSetting({ more: { timeoutMs: 300 } });
    const [result] = await runGates([bash(script)], given);
    expect(result?.status).toBe('failed');
    expect(result?.output).toMatch(/ took longer than 0.3 seconds and was stopped\.$/);
    const pid = Number(readFileSync(join(given.directory, 'pid'), 'utf8'));
    expect(isGroupAlive(pid)).toBe(false);
  });

  it('fails if there is no shell', async () => {
    const { directory } = realProject({});
    const more = { directory: join(directory, 'gone') };
    const [result] = await run([bash('true')], { more });
    expect(result?.status).toBe('failed');
    expect(result?.output).toContain('`true` did not run: cannot start "sh"');
  });
});

describe('compile, test and lint', () => {
  it('run the command of the project', async () => {
    const given = {
      files: goModule,
      programs: { go: 'echo "go $*"', 'golangci-lint': 'echo "lint $*"; exit 1' },
    };
    const results = await run([compile, test, { name: 'lint', type: 'lint' }], given);
    expect(results.map(({ status, output }) => [status, output])).toEqual([
      ['passed', 'go build ./...\n'],
      ['passed', 'go test ./...\n'],
      ['failed', 'lint run\n`golangci-lint run` ended with exit code 1.'],
    ]);
  });

  it('prefer the command of the user', async () => {
    const given = { ...withCommands({ test: 'echo mine' }), files: goModule, programs: { go: 'exit 1' } };
    expect((await run([test], given))[0]).toMatchObject({ status: 'passed', output: 'mine\n' });
  });

  it('fail without a command, and name the remedy', async () => {
    const [result] = await run([compile]);
    expect(result?.status).toBe('failed');
    expect(result?.output).toMatch(/^Not run: no command was found: .* input `commands`/);
  });

  it('skip lint without a tool', async () => {
    const [result] = await run([{ name: 'lint', type: 'lint' }]);
    expect(result).toMatchObject({
      status: 'skipped',
      output: expect.stringContaining('No command for `lint`'),
    });
  });

  it.each([
    ['nothing to test', 'echo "no packages to test" >&2; exit 1', 'passed'],
    [
      'a package without tests, and failing tests in another',
      'echo "?   a [no test files]"; echo "FAIL b 0.1s"; exit 1',
      'failed',
    ],
    [
      'a package without tests, and another error',
      'echo "?   a [no test files]"; echo panic; exit 1',
      'failed',
    ],
    ['both messages', 'echo "no test files"; echo "--- FAIL: TestAdd (0.00s)"; exit 1', 'failed'],
    ['another exit code', 'echo "no packages to test" >&2; exit 2', 'failed'],
    ['failing tests', 'echo "--- FAIL: TestAdd (0.00s)"; exit 1', 'failed'],
  ])('in Go, with %s', async (_, go, status) => {
    const [result] = await run([test], { files: goModule, programs: { go } });
    expect(result?.status).toBe(status);
  });

  it('fail in other languages with the same output', async () => {
    const [result] = await run([test], withCommands({ test: 'echo no test files; exit 1' }));
    expect(result?.status).toBe('failed');
  });
});

describe('compile of a Python project', () => {
  const project = { 'pyproject.toml': '[project]\n', '.gitignore': 'venv\n', 'venv/bad.py': 'def (:\n' };

  it('passes if all files can be parsed, and writes no files', async () => {
    const given = makeSetting({
      files: { ...project, 'a b/é.py': 'x = 1\n', 'latin.py': '# coding: latin-1\n' },
    });
    const [result] = await runGates([compile], given);
    expect(result).toMatchObject({ status: 'passed', output: '' });
    expect(readdirSync(join(given.directory, 'a b'))).toEqual(['é.py']);
  });

  it('names each file that cannot be parsed', async () => {
    const files = { ...project, 'a.py': 'x = (\n', 'pkg/b.py': 'ok = 1\ndef f()\n', 'c.py': 'x = 1\n' };
    const [result] = await run([compile], { files });
    expect(result?.status).toBe('failed');
    const lines = result?.output.split('\n') ?? [];
    expect(lines.map((line) => line.replace(/^([\w/.]+:\d+): .*/, '$1'))).toEqual([
      'a.py:1',
      'pkg/b.py:2',
      'a syntax check of all Python files ended with exit code 1.',
    ]);
  });
});

describe('coverage', () => {
  const gate = (atLeast?: number): Gate => ({
    name: 'coverage',
    type: 'coverage',
    ...defined({ atLeast }),
  });
  const given = withCommands({ coverage: 'echo "total: (statements) 79.9%"' });

  it('compares the percentage in the output', async () => {
    const results = await run([gate(79), gate(80), gate()], given);
    expect(results.map(({ status, output }) => [status, output.split('\n')[1]])).toEqual([
      ['passed', 'Coverage is 79.9 %; the gate requires at least 79 %.'],
      ['failed', 'Coverage is 79.9 %; the gate requires at least 80 %.'],
      ['passed', ''],
    ]);
  });

  it('fails if there is no percentage, or the tool itself fails', async () => {
    expect((await run([gate(1)], withCommands({ coverage: 'echo fine' })))[0]).toMatchObject({
      status: 'failed',
      output: 'fine\nThe output of `echo fine` contains no coverage percentage.',
    });
    expect((await run([gate(1)], withCommands({ coverage: 'echo "Downloading 95%"' })))[0]?.status).toBe(
      'failed',
    );
    const report = 'mkdir -p coverage; printf "LF:4\\nLH:3\\n" > coverage/lcov.info; echo done at 100%';
    expect((await run([gate(80)], withCommands({ coverage: report })))[0]).toMatchObject({
      status: 'failed',
      output: 'done at 100%\nCoverage is 75 % (`coverage/lcov.info`); the gate requires at least 80 %.',
    });
    expect((await run([gate(1)], withCommands({ coverage: 'echo "total: 90%"; exit 1' })))[0]?.status).toBe(
      'failed',
    );
  });

  it('is skipped without a tool', async () => {
    expect((await run([gate(80)]))[0]?.status).toBe('skipped');
  });

  it('in Go uses a temporary profile', async () => {
    const go = `case "$1" in
      test) for a; do case "$a" in -coverprofile=*) echo profile >"\${a#*=}"; echo "\${a#*=}" >"$HOME/where";; esac; done;;
      tool) grep -q profile "\${3#*=}" && echo "total: (statements) 91.0%";;
    esac`;
    const setup = makeSetting({ files: goModule, programs: { go } });
    const [result] = await runGates([gate(91)], setup);
    expect(result).toMatchObject({ status: 'passed', output: expect.stringContaining('Coverage is 91 %') });
    expect(existsSync(readFileSync(join(setup.env.HOME ?? '', 'where'), 'utf8').trim())).toBe(false);
    expect(readdirSync(setup.directory).sort()).toEqual(['.git', 'go.mod']);
  });

  it('in Go fails with the tests', async () => {
    const [result] = await run([gate(0)], { files: goModule, programs: { go: 'exit 1' } });
    expect(result?.status).toBe('failed');
  });
});

describe('tests_found', () => {
  it('lists the tests of a Go module', async () => {
    const go = '[ "$*" = "test -list . ./..." ] && echo TestAdd';
    const [result] = await run([testsFound], { files: goModule, programs: { go } });
    expect(result).toMatchObject({ status: 'passed', output: 'TestAdd\nTests were found.' });
  });

  it.each([
    ['failing tests', 'echo "1 failed in 0.1s"; exit 1', 'passed', 'Tests were found.'],
    ['no tests', 'echo "no tests ran in 0.01s"; exit 5', 'failed', 'found no tests.'],
    [
      'tests that cannot be built',
      'echo "error: could not compile x"; exit 101',
      'failed',
      'could not be built.',
    ],
    ['a missing command', './nosuch', 'failed', 'ended with exit code 127.'],
    ['a silent runner', 'true', 'failed', 'no file name looks like a test.'],
  ])('with %s', async (_, command, status, ending) => {
    const [result] = await run([testsFound], withCommands({ test: command }));
    expect([result?.status, result?.output]).toEqual([
      status,
      expect.stringMatching(new RegExp(`${ending}$`)),
    ]);
  });

  it('looks at file names if the runner is unknown', async () => {
    const files = { 'src/a.zz': '', 'src/a_test.zz': '' };
    const [result] = await run([testsFound], { ...withCommands({ test: 'exit 2' }), files });
    expect(result).toMatchObject({
      status: 'passed',
      output: expect.stringContaining('`src/a_test.zz` looks like a test'),
    });
  });

  it('does not look at files that are ignored or deleted', async () => {
    const files = { '.gitignore': 'vendor\n', 'vendor/a_test.zz': '', 'b_test.zz': '' };
    const command = 'git add b_test.zz; rm b_test.zz';
    const [result] = await run([testsFound], { ...withCommands({ test: command }), files });
    expect(result?.status).toBe('failed');
  });
});

it('touched and untouched judge the changes of the step', async () => {
  const gates: Gate[] = [
    { name: 'touched_0', type: 'touched', pattern: '*_test.*' },
    { name: 'untouched_1', type: 'untouched', pattern: '*_test.*' },
  ];
  const results = await run(gates, { more: { changes: [{ path: 'a_test.go', kind: 'added' }] } });
  expect(results.map(({ status, output }) => [status, output.split('\n').at(-1)])).toEqual([
    ['passed', '- a_test.go (added)'],
    ['failed', '- a_test.go (added)'],
  ]);
});
