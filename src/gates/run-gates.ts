/**
 * Runs the gates of a step: what each does and what its outcome means. Which command it is, is decided in
 * `resolve.ts`; workflows as gates (`validate`) are the engine's.
 *
 * G1 Every gate runs, in order, whatever the ones before said; only a cancelled run stops them.
 * G2 A gate that could not be judged has failed: nothing passes for want of knowledge.
 */
import { defined } from '../optional-keys.js';
import type { Clock } from '../system/clock.js';
import type { Gate } from '../workflow/workflow.js';
import type { FileChange } from '../workspace/workspace.js';
import { readCoverage } from './coverage.js';
import type { GateResult } from './gate-result.js';
import type { CommandGate } from './markers.js';
import type { Project } from './project.js';
import { type CommandSource, quoteCommand, type ResolvedCommand, resolveGate } from './resolve-gate.js';
import { describeExit, type GateShellOptions, runShell, type ShellResult } from './run-shell.js';
import { judgeSchema } from './schema.js';
import { isTestFile } from './test-files.js';
import { judgeTestList, judgeTests } from './tests-found.js';
import { judgeTouch } from './touched.js';

export interface GateOptions extends Omit<GateShellOptions, 'timeoutMs'> {
  readonly project: Project;
  readonly clock: Clock;
  /** What differs from the start of the step to now. */
  readonly changes: readonly FileChange[];
  /** What the agent left for its step (`schema`). */
  readonly output?: string;
  /** Where users name commands, the first source that names one counting. */
  readonly commands: readonly CommandSource[];
  /** For each gate; 10 minutes unless told. */
  readonly timeoutMs?: number;
  /** Each line that a gate's command prints, as it comes. */
  onLine?(gate: Gate, line: string): void;
}

type GateVerdict = Pick<GateResult, 'status' | 'output'>;

const gateTimeoutMs = 10 * 60_000;

/** One result for each gate, in their order. The step has passed when none is `failed`. */
export async function runGates(gates: readonly Gate[], options: GateOptions): Promise<readonly GateResult[]> {
  const results: GateResult[] = [];
  for (const gate of gates) {
    const started = options.clock.now();
    const verdict = options.signal?.aborted
      ? failed('', 'Not run: the run was cancelled.')
      : await runGate(gate, options);
    results.push({
      name: gate.name,
      type: gate.type,
      ...verdict,
      durationMs: options.clock.now() - started,
    });
  }
  return results;
}

async function runGate(gate: Gate, options: GateOptions): Promise<GateVerdict> {
  switch (gate.type) {
    case 'touched':
    case 'untouched': {
      const { passed, explanation } = judgeTouch(gate, options.changes);
      return { status: passed ? 'passed' : 'failed', output: explanation };
    }
    case 'validate':
      throw new Error('Workflows as gates are run by the engine.');
    case 'schema':
      return judgeSchema(gate.contract, options.output);
    case 'bash':
      return judgeByExitCode(gate, { command: gate.command, title: quoteCommand(gate.command) }, options);
    case 'coverage':
      return runWithCommand(gate.type, options, (command) => runCoverageGate(gate, command, options));
    case 'tests_found':
      return runWithCommand(gate.type, options, (command) => runTestsFoundGate(gate, command, options));
    default:
      return runWithCommand(gate.type, options, (command) => judgeByExitCode(gate, command, options));
  }
}

type TitledCommand = Pick<ResolvedCommand, 'command' | 'title'>;

async function runWithCommand(
  type: CommandGate,
  options: GateOptions,
  run: (command: ResolvedCommand) => Promise<GateVerdict>,
): Promise<GateVerdict> {
  const resolution = resolveGate(type, options.project, options.commands);
  if (resolution.status === 'unresolved') return failed('', `Not run: ${resolution.message}`);
  if (resolution.status === 'skipped') return { status: 'skipped', output: resolution.reason };
  return run(resolution);
}

function execute(gate: Gate, { command }: TitledCommand, options: GateOptions): Promise<ShellResult> {
  const timeoutMs = options.timeoutMs ?? gateTimeoutMs;
  return runShell(command, { ...options, timeoutMs }, (line) => options.onLine?.(gate, line));
}

async function judgeByExitCode(
  gate: Gate,
  command: TitledCommand,
  options: GateOptions,
): Promise<GateVerdict> {
  const run = await execute(gate, command, options);
  const passed = succeeded(run) || (gate.type === 'test' && isGoWithoutTests(command, run));
  return passed ? { status: 'passed', output: run.output } : commandFailed(command, run, options);
}

function succeeded({ exit }: ShellResult): boolean {
  return exit.reason === 'exited' && exit.code === 0;
}

/**
 * Go ends with 1 where there is nothing to test. A package without tests beside one whose tests fail is
 * another matter: it says so too, in a line that begins with `?`.
 */
function isGoWithoutTests({ command }: TitledCommand, { exit, output }: ShellResult): boolean {
  if (exit.code !== 1 || !/^\s*go\s+test\b/.test(command)) return false;
  return /^(?!\?).*\bno (?:packages to test|test files)\b/m.test(output) && !/^(?:--- )?FAIL\b/m.test(output);
}

async function runCoverageGate(
  gate: Extract<Gate, { type: 'coverage' }>,
  command: TitledCommand,
  options: GateOptions,
): Promise<GateVerdict> {
  const run = await execute(gate, command, options);
  if (!succeeded(run)) return commandFailed(command, run, options);
  if (gate.atLeast === undefined) return { status: 'passed', output: run.output };
  const share = readCoverage(run.output);
  if (share === undefined) {
    return failed(run.output, `The output of ${command.title} names no percentage of coverage.`);
  }
  const sentence = `Coverage is ${share} %; at least ${gate.atLeast} % is asked for.`;
  return share >= gate.atLeast ? passed(run.output, sentence) : failed(run.output, sentence);
}

async function runTestsFoundGate(
  gate: Gate,
  command: ResolvedCommand,
  options: GateOptions,
): Promise<GateVerdict> {
  const run = await execute(gate, command, options);
  if (run.exit.reason !== 'exited') return commandFailed(command, run, options);
  switch (command.isTestListing ? judgeTestList(run.output) : judgeTests(run.output)) {
    case 'found':
      return passed(run.output, 'Tests were found.');
    case 'none':
      return failed(run.output, `${command.title} found no tests.`);
    case 'broken':
      return failed(run.output, 'The tests could not be built.');
    case 'unknown':
      return judgeByFileNames(command, run, options);
  }
}

/** 126 and 127 are the shell's own: the command was not run at all. */
async function judgeByFileNames(
  command: TitledCommand,
  run: ShellResult,
  options: GateOptions,
): Promise<GateVerdict> {
  const { code } = run.exit;
  if (code === undefined || code === 126 || code === 127) return commandFailed(command, run, options);
  const file = (await listWorktreeFiles(options)).find(isTestFile);
  const known = `The output of ${command.title} does not say how many tests it found`;
  return file === undefined
    ? failed(run.output, `${known}, and no file here is named like a test.`)
    : passed(run.output, `${known}; ${file} is named like a test.`);
}

async function listWorktreeFiles(options: GateOptions): Promise<readonly string[]> {
  const files: string[] = [];
  await options.processes.run({
    file: 'git',
    args: ['-c', 'core.quotePath=false', 'ls-files', '--cached', '--others', '--exclude-standard'],
    directory: options.directory,
    env: options.env,
    onLine: (line, stream) => {
      if (stream === 'stdout') files.push(line);
    },
    ...defined({ signal: options.signal }),
  });
  // The index still names files that were deleted since.
  return files.filter((file) => options.project.exists(file));
}

function commandFailed(command: TitledCommand, run: ShellResult, options: GateOptions): GateVerdict {
  return failed(run.output, describeExit(command.title, run.exit, options.timeoutMs ?? gateTimeoutMs));
}

function failed(output: string, sentence: string): GateVerdict {
  return { status: 'failed', output: output + sentence };
}

function passed(output: string, sentence: string): GateVerdict {
  return { status: 'passed', output: output + sentence };
}
