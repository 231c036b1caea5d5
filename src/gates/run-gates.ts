/**
 * Runs the gates of a step and judges their results. `resolve-gate.ts` decides which command a gate runs. The
 * engine runs the workflows that are gates (`validate`).
 *
 * GATE1 Every gate runs, in order, whatever the results of the earlier ones. Only a cancelled run stops them.
 * GATE2 A gate whose result is unknown has failed.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defined } from '../optional-keys.js';
import type { Clock } from '../system/clock.js';
import type { Gate } from '../workflow/workflow.js';
import type { FileChange } from '../workspace/workspace.js';
import { readCoverage } from './coverage.js';
import { readCoverageFiles, stampCoverageFiles } from './coverage-files.js';
import { findPlaces } from './find-places.js';
import type { GatePlace, GateResult } from './gate-result.js';
import type { CommandGate } from './markers.js';
import type { Project } from './project.js';
import { type CommandSource, quoteCommand, type ResolvedCommand, resolveGate } from './resolve-gate.js';
import {
  describeExit,
  type GateShellOptions,
  type OutputSink,
  runShell,
  type ShellResult,
} from './run-shell.js';
import { judgeSchema } from './schema.js';
import { isTestFile } from './test-files.js';
import { judgeTestList, judgeTests } from './tests-found.js';
import { judgeTouch } from './touched.js';
import { listWorktreeFiles } from './worktree-files.js';

export interface GateOptions extends Omit<GateShellOptions, 'timeoutMs'> {
  readonly project: Project;
  readonly clock: Clock;
  /** The changes since the start of the step. */
  readonly changes: readonly FileChange[];
  /** The output file of the agent (for `schema`). */
  readonly output?: string;
  /** The commands that users set; the first source that sets one counts. */
  readonly commands: readonly CommandSource[];
  /** The path of `directory` in the repository, with a `/` at the end; empty: its top. Absent: places are not looked for. */
  readonly prefix?: string;
  /** The time limit of each gate; 10 minutes by default. */
  readonly timeoutMs?: number;
  /** Called when the command of a gate starts. Gets what it prints. */
  openSink?(gate: Gate): OutputSink;
}

type GateVerdict = Pick<GateResult, 'status' | 'output'>;

const gateTimeoutMs = 10 * 60_000;

/** One result for each gate, in the same order. The step passes if none is `failed`. */
export async function runGates(gates: readonly Gate[], options: GateOptions): Promise<readonly GateResult[]> {
  const results: GateResult[] = [];
  for (const gate of gates) {
    const started = options.clock.now();
    const verdict = options.signal?.aborted
      ? failed('', 'Not run: the run was cancelled.')
      : await runGate(gate, options);
    const durationMs = options.clock.now() - started;
    const places = await placesOf(verdict, options);
    results.push({ name: gate.name, type: gate.type, ...verdict, ...defined({ places }), durationMs });
  }
  return results;
}

async function placesOf(
  { status, output }: GateVerdict,
  options: GateOptions,
): Promise<readonly GatePlace[] | undefined> {
  const { prefix, directory, signal } = options;
  if (status !== 'failed' || prefix === undefined || signal?.aborted) return undefined;
  const root = prefix === '' ? directory : directory.slice(0, -prefix.length);
  const listFiles = () => listWorktreeFiles({ ...options, directory: root });
  const found = await findPlaces(output, { directory, prefix, listFiles });
  // The index still lists files that were deleted from the worktree.
  const places = found.filter(({ path }) => existsSync(join(root, path)));
  return places.length === 0 ? undefined : places;
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
  return runShell(command, { ...options, timeoutMs }, options.openSink?.(gate));
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
 * Go ends with 1 if there is nothing to test, which is no failure. It also reports a package without tests, in a
 * line that begins with `?`, if the tests of another package fail; that is a failure.
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
  const before = stampCoverageFiles(options.directory);
  const run = await execute(gate, command, options);
  if (!succeeded(run)) return commandFailed(command, run, options);
  if (gate.atLeast === undefined) return { status: 'passed', output: run.output };
  const printed = readCoverage(run.output);
  const file =
    printed === undefined ? readCoverageFiles(options.directory, options.project, before) : undefined;
  const percentage = printed ?? file?.share;
  if (percentage === undefined) {
    return failed(run.output, `The output of ${command.title} contains no coverage percentage.`);
  }
  const source = file === undefined ? '' : ` (\`${file.path}\`)`;
  const sentence = `Coverage is ${percentage} %${source}; the gate requires at least ${gate.atLeast} %.`;
  return percentage >= gate.atLeast ? passed(run.output, sentence) : failed(run.output, sentence);
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

/** The shell itself ends with 126 and 127 if it cannot run the command. */
async function judgeByFileNames(
  command: TitledCommand,
  run: ShellResult,
  options: GateOptions,
): Promise<GateVerdict> {
  const { code } = run.exit;
  if (code === undefined || code === 126 || code === 127) return commandFailed(command, run, options);
  // The index still lists files that were deleted from the worktree.
  const files = (await listWorktreeFiles(options)).filter((file) => options.project.exists(file));
  const file = files.find(isTestFile);
  const unclear = `The output of ${command.title} does not contain the number of tests`;
  return file === undefined
    ? failed(run.output, `${unclear}, and no file name looks like a test.`)
    : passed(run.output, `${unclear}; \`${file}\` looks like a test.`);
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
