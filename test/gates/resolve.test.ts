import { describe, expect, it } from 'vitest';
import type { CommandGate } from '../../src/gates/markers.js';
import { openProject } from '../../src/gates/project.js';
import { type CommandSource, findGateProblems, resolveGate } from '../../src/gates/resolve-gate.js';
import type { Gate } from '../../src/workflow/workflow.js';
import { memoryProject, realProject } from './project.js';

const everything = [
  'go',
  'golangci-lint',
  'npm',
  'cargo',
  'cargo-clippy',
  'cargo-tarpaulin',
  'make',
  'python',
];

const projects = {
  go: { 'go.mod': 'module example.com/a\n' },
  node: {
    'package.json': JSON.stringify({ scripts: { build: 'tsc', test: 'vitest run', lint: 'biome check' } }),
  },
  rust: { 'Cargo.toml': '[package]\n' },
  make: { Makefile: '.PHONY: build test\nbuild test: main.c\n\tcc main.c\n' },
  python: { 'pyproject.toml': '[project]\n' },
  none: { 'README.md': '# a\n' },
} as const;

function commandOf(
  type: CommandGate,
  files: Readonly<Record<string, string>>,
  programs: readonly string[] = everything,
  sources: readonly CommandSource[] = [],
): string {
  const resolution = resolveGate(type, memoryProject(files, programs), sources);
  return resolution.status === 'command' ? resolution.command : resolution.status;
}

function input(commands: CommandSource['commands']): CommandSource[] {
  return [{ name: 'the input `commands`', commands }];
}

describe('the command by the files of the project', () => {
  it.each<[keyof typeof projects, Partial<Record<CommandGate, string>>]>([
    ['go', { compile: 'go build ./...', test: 'go test ./...', lint: 'golangci-lint run' }],
    ['go', { tests_found: 'go test -list . ./...' }],
    ['node', { compile: 'npm run build', test: 'npm test', lint: 'npm run lint', tests_found: 'npm test' }],
    ['node', { coverage: 'npm test -- --coverage' }],
    ['rust', { compile: 'cargo build', test: 'cargo test', lint: 'cargo clippy', tests_found: 'cargo test' }],
    ['rust', { coverage: 'cargo tarpaulin' }],
    ['make', { compile: 'make build', test: 'make test', lint: 'skipped', coverage: 'skipped' }],
    ['python', { test: 'python -m pytest', lint: 'skipped', coverage: 'skipped' }],
    [
      'none',
      {
        compile: 'unresolved',
        test: 'unresolved',
        tests_found: 'unresolved',
        lint: 'skipped',
        coverage: 'skipped',
      },
    ],
  ])('%s: %j', (name, expected) => {
    const types = Object.keys(expected) as CommandGate[];
    expect(Object.fromEntries(types.map((type) => [type, commandOf(type, projects[name])]))).toEqual(
      expected,
    );
  });

  it('comes from the first marker that is present', () => {
    const both = { ...projects.make, ...projects.node, ...projects.go };
    expect(commandOf('compile', both)).toBe('go build ./...');
    expect(commandOf('compile', { ...projects.make, ...projects.node })).toBe('npm run build');
  });

  it('ignores a package.json without the script, with a placeholder script, or with invalid content', () => {
    const placeholder = JSON.stringify({ scripts: { test: 'echo "Error: no test specified" && exit 1' } });
    for (const text of ['{}', '{"scripts":{"test":1}}', placeholder, '{"scripts":', 'null', '[]']) {
      expect(commandOf('test', { ...projects.make, 'package.json': text })).toBe('make test');
    }
  });

  it.each([
    ['build:\n', 'make build'],
    ['build :: x\n', 'make build'],
    ['all build: x\n', 'make build'],
    ['build = x\n', 'unresolved'],
    ['build := x\n', 'unresolved'],
    ['build ::= x\n', 'unresolved'],
    ['rebuild:\n', 'unresolved'],
    ['.PHONY: build\n', 'unresolved'],
    ['all:\n\techo build: x\n', 'unresolved'],
    ['# build: x\n', 'unresolved'],
  ])('reads the targets of a Makefile: %j', (text, command) => {
    expect(commandOf('compile', { Makefile: text })).toBe(command);
  });

  it('uses python3 if there is no python', () => {
    expect(commandOf('test', projects.python, ['python3'])).toBe('python3 -m pytest');
    expect(commandOf('test', projects.python, ['python', 'python3'])).toBe('python -m pytest');
  });

  it('skips lint and coverage without their tool, but not compile and test', () => {
    const types = ['compile', 'test', 'tests_found', 'lint', 'coverage'] as const;
    expect(types.map((type) => commandOf(type, projects.rust, ['cargo']))).toEqual([
      'cargo build',
      'cargo test',
      'cargo test',
      'skipped',
      'skipped',
    ]);
    expect(commandOf('compile', projects.rust, [])).toBe('unresolved');
  });
});

describe('a command that the user sets', () => {
  it('takes precedence over the markers; the first source that sets one counts', () => {
    const sources = [
      ...input({ test: 'make check' }),
      { name: 'gump.toml', commands: { test: 'x', lint: 'y' } },
    ];
    expect(commandOf('test', projects.go, [...everything, 'x', 'y'], sources)).toBe('make check');
    expect(commandOf('lint', projects.go, [...everything, 'x', 'y'], sources)).toBe('y');
    expect(commandOf('compile', projects.go, [...everything, 'x', 'y'], sources)).toBe('go build ./...');
  });

  it('is what tests_found runs, also in a Go project', () => {
    expect(commandOf('tests_found', projects.go, everything, input({ test: 'make check' }))).toBe(
      'make check',
    );
  });

  it('does not count if it is blank', () => {
    expect(commandOf('test', projects.go, everything, input({ test: ' \n' }))).toBe('go test ./...');
  });

  it.each([
    ['nosuch --all', 'nosuch'],
    ['CI=1 FORCE=no nosuch', 'nosuch'],
    ['nosuch; true', 'nosuch'],
    ['nosuch', 'nosuch'],
  ])('is an error, also for lint, if its program is missing: %s', (command, program) => {
    const resolution = resolveGate('lint', memoryProject({}), input({ lint: command }));
    expect(resolution).toMatchObject({
      status: 'unresolved',
      message: expect.stringContaining(`needs \`${program}\``),
    });
  });

  it.each([
    'cd app && nosuch',
    '[ -f a ]',
    '! grep -r TODO .',
    './scripts/nosuch.sh',
    'node_modules/.bin/nosuch',
    '$TOOL run',
    '"nosuch tool" x',
    '(nosuch)',
    'f() { true; }; f',
    '# a comment\nnosuch',
    "A='b c' nosuch",
    'if true; then nosuch; fi',
  ])('is not checked if its program is not certain: %s', (command) => {
    expect(commandOf('test', {}, [], input({ test: command }))).toBe(command);
  });
});

describe('the problems before the run', () => {
  const gate = (type: CommandGate): Gate => ({ name: type, type });

  it('contain every problem once, with the steps that have it', () => {
    const steps = [
      { step: 'tests', gates: [gate('compile'), gate('tests_found'), gate('lint')] },
      { step: 'impl', gates: [gate('compile'), gate('test'), gate('coverage')] },
    ];
    expect(findGateProblems(steps, memoryProject({ ...projects.make }), input({ test: 'nosuch' }))).toEqual([
      'gate `compile` of the steps `tests`, `impl`: `make build` (chosen because the project has a target `build` in a Makefile) needs `make`, which is not on PATH. Install it in an earlier step of the job, or set a command in the input `commands`, for example `compile: ./scripts/compile.sh`.',
      'gate `tests_found` of step `tests`: `nosuch` (from the input `commands`) needs `nosuch`, which is not on PATH. Install it in an earlier step of the job, or set another command there.',
      'gate `test` of step `impl`: `nosuch` (from the input `commands`) needs `nosuch`, which is not on PATH. Install it in an earlier step of the job, or set another command there.',
    ]);
  });

  it('name the markers that were searched', () => {
    const steps = [{ step: 'impl', gates: [gate('compile')] }];
    expect(findGateProblems(steps, memoryProject({}), [])).toEqual([
      'gate `compile` of step `impl`: no command was found: the working directory has none of: go.mod, a script `build` in package.json, Cargo.toml, a target `build` in a Makefile, pyproject.toml. Set a command in the input `commands`, for example `compile: ./scripts/compile.sh`.',
    ]);
  });

  it('are empty for gates that need no command of the project', () => {
    const gates: Gate[] = [
      { name: 'bash', type: 'bash', command: 'nosuch' },
      { name: 'touched_1', type: 'touched', pattern: '*.ts' },
      gate('lint'),
    ];
    expect(findGateProblems([{ step: 'impl', gates }], memoryProject({}), [])).toEqual([]);
  });
});

describe('the project on disk', () => {
  it('has its files, and the programs on the PATH of gates', () => {
    const { directory, env } = realProject({ 'go.mod': 'module a\n', 'folder/a': '' }, { sometool: 'true' });
    const project = openProject(directory, env.PATH);
    expect([project.exists('go.mod'), project.exists('folder'), project.exists('no')]).toEqual([
      true,
      true,
      false,
    ]);
    expect([project.read('go.mod'), project.read('folder'), project.read('no')]).toEqual([
      'module a\n',
      undefined,
      undefined,
    ]);
    expect([project.hasProgram('sometool'), project.hasProgram('sh')]).toEqual([true, true]);
    expect([project.hasProgram('tools'), project.hasProgram('no-such')]).toEqual([false, false]);
    expect(openProject(directory, undefined).hasProgram('sh')).toBe(false);
  });
});
