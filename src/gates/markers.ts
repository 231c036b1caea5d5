/**
 * The command of a gate for projects that do not set one, chosen by the files in the working directory. The first
 * marker that is present decides. To add a language, add a line to each list that it has a tool for.
 */
import { defined } from '../optional-keys.js';
import type { Project } from './project.js';
import { pythonSyntaxCheck } from './python-syntax.js';

/** The gates that run a command of the project. */
export type CommandGate = 'compile' | 'test' | 'lint' | 'coverage' | 'tests_found';

export interface SuggestedCommand {
  readonly command: string;
  /** How messages name the command, if it is too long to show. */
  readonly title?: string;
  /** The programs that must be on PATH. */
  readonly programs: readonly string[];
}

export interface ProjectMarker {
  /** What is searched for, in the words of messages. */
  readonly description: string;
  suggest(project: Project): SuggestedCommand | undefined;
}

function file(name: string, command: string, programs: readonly string[]): ProjectMarker {
  return {
    description: name,
    suggest: (project) => (project.exists(name) ? { command, programs } : undefined),
  };
}

function script(name: string, command: string): ProjectMarker {
  return {
    description: `a script \`${name}\` in package.json`,
    suggest: (project) => (hasScript(project, name) ? { command, programs: ['npm'] } : undefined),
  };
}

function target(name: string): ProjectMarker {
  // A rule may have several targets. `build := x` and `build ::= x` are variables.
  const pattern = new RegExp(`^(?:[^:=#\\s]+[ \\t]+)*${name}(?:[ \\t]+[^:=#\\s]+)*[ \\t]*:(?!:*=)`, 'm');
  return {
    description: `a target \`${name}\` in a Makefile`,
    suggest: (project) => {
      // GNU make searches in this order and reads only the first file that it finds.
      const makefile = ['GNUmakefile', 'makefile', 'Makefile'].find((name) => project.exists(name));
      const found = makefile !== undefined && pattern.test(project.read(makefile) ?? '');
      return found ? { command: `make ${name}`, programs: ['make'] } : undefined;
    },
  };
}

/** `python` is the name in virtual environments and with setup-python. Other machines often have only `python3`. */
function python(command: (python: string) => string, title?: string): ProjectMarker {
  return {
    description: 'pyproject.toml',
    suggest: (project) => {
      if (!project.exists('pyproject.toml')) return undefined;
      const name = !project.hasProgram('python') && project.hasProgram('python3') ? 'python3' : 'python';
      return { command: command(name), programs: [name], ...defined({ title }) };
    },
  };
}

function hasScript(project: Project, name: string): boolean {
  try {
    const scripts: unknown = JSON.parse(project.read('package.json') ?? '{}').scripts;
    const text: unknown = Object(scripts)[name];
    // `npm init` writes a test script that only prints this text and fails.
    return typeof text === 'string' && !text.includes('no test specified');
  } catch {
    return false;
  }
}

// The profile is a temporary file: files that a gate writes to the worktree stay there.
const goCoverage =
  'profile=$(mktemp) || exit 1; go test -coverprofile="$profile" ./... && go tool cover -func="$profile"; ' +
  'code=$?; rm -f "$profile"; exit $code';

const otherTests: readonly ProjectMarker[] = [
  script('test', 'npm test'),
  file('Cargo.toml', 'cargo test', ['cargo']),
  target('test'),
  python((name) => `${name} -m pytest`),
];

export const markers: Readonly<Record<CommandGate, readonly ProjectMarker[]>> = {
  compile: [
    file('go.mod', 'go build ./...', ['go']),
    script('build', 'npm run build'),
    file('Cargo.toml', 'cargo build', ['cargo']),
    target('build'),
    python(pythonSyntaxCheck, 'a syntax check of all Python files'),
  ],
  test: [file('go.mod', 'go test ./...', ['go']), ...otherTests],
  tests_found: [file('go.mod', 'go test -list . ./...', ['go']), ...otherTests],
  lint: [
    file('go.mod', 'golangci-lint run', ['golangci-lint']),
    script('lint', 'npm run lint'),
    file('Cargo.toml', 'cargo clippy', ['cargo-clippy']),
  ],
  coverage: [
    file('go.mod', goCoverage, ['go']),
    script('test', 'npm test -- --coverage'),
    file('Cargo.toml', 'cargo tarpaulin', ['cargo-tarpaulin']),
  ],
};
