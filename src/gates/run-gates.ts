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
import type { Change } from '../workspace/workspace.js';
import { coverageIn } from './coverage.js';
import type { GateResult } from './gate-result.js';
import type { CommandGate } from './markers.js';
import type { Project } from './project.js';
import { type CommandSource, quoted, type ResolvedCommand, resolveGate } from './resolve.js';
import { describeEnd, runShell, type ShellRun, type ShellSetting } from './run-shell.js';
import { judgeSchema } from './schema.js';
import { isTestFile } from './test-files.js';
import { judgeTestList, judgeTests } from './tests-found.js';
import { judgeTouch } from './touched.js';

export interface GateSetting extends Omit<ShellSetting, 'timeoutMs'> {
  readonly project: Project;
  readonly clock: Clock;
  /** What differs from the start of the step to now. */
  readonly changes: readonly Change[];
  /** What the agent left for its step (`schema`). */
  readonly output?: string;
  /** Where users name commands, the first source that names one counting. */
  readonly commands: readonly CommandSource[];
  /** For each gate; 10 minutes unless told. */
  readonly timeoutMs?: number;
  /** Each line that a gate's command prints, as it comes. */
  onLine?(gate: Gate, line: string): void;
}

type Verdict = Pick<GateResult, 'status' | 'output'>;

const gateTimeoutMs = 10 * 60_000;

/** One result for each gate, in their order. The step has passed when none is `failed`. */
export async function runGates(gates: readonly Gate[], setting: GateSetting): Promise<readonly GateResult[]> {
  const results: GateResult[] = [];
  for (const gate of gates) {
    const started = setting.clock.now();
    const verdict = setting.signal?.aborted
      ? failed('', 'Not run: the run was cancelled.')
      : await judge(gate, setting);
    results.push({
      name: gate.name,
      type: gate.type,
      ...verdict,
      durationMs: setting.clock.now() - started,
    });
  }
  return results;
}

async function judge(gate: Gate, setting: GateSetting): Promise<Verdict> {
  switch (gate.type) {
    case 'touched':
    case 'untouched': {
      const { passed, explanation } = judgeTouch(gate, setting.changes);
      return { status: passed ? 'passed' : 'failed', output: explanation };
    }
    case 'validate':
      throw new Error('Workflows as gates are run by the engine.');
    case 'schema':
      return judgeSchema(gate.contract, setting.output);
    case 'bash':
      return byExitCode(gate, { command: gate.command, title: quoted(gate.command) }, setting);
    case 'coverage':
      return withCommand(gate.type, setting, (command) => coverage(gate, command, setting));
    case 'tests_found':
      return withCommand(gate.type, setting, (command) => testsFound(gate, command, setting));
    default:
      return withCommand(gate.type, setting, (command) => byExitCode(gate, command, setting));
  }
}

type Command = Pick<ResolvedCommand, 'command' | 'title'>;

async function withCommand(
  type: CommandGate,
  setting: GateSetting,
  run: (command: ResolvedCommand) => Promise<Verdict>,
): Promise<Verdict> {
  const resolution = resolveGate(type, setting.project, setting.commands);
  if (resolution.status === 'fault') return failed('', `Not run: ${resolution.message}`);
  if (resolution.status === 'skipped') return { status: 'skipped', output: resolution.reason };
  return run(resolution);
}

function execute(gate: Gate, { command }: Command, setting: GateSetting): Promise<ShellRun> {
  const timeoutMs = setting.timeoutMs ?? gateTimeoutMs;
  return runShell(command, { ...setting, timeoutMs }, (line) => setting.onLine?.(gate, line));
}

async function byExitCode(gate: Gate, command: Command, setting: GateSetting): Promise<Verdict> {
  const run = await execute(gate, command, setting);
  const passed = succeeded(run) || (gate.type === 'test' && isGoWithoutTests(command, run));
  return passed ? { status: 'passed', output: run.output } : unsuccessful(command, run, setting);
}

function succeeded({ exit }: ShellRun): boolean {
  return exit.reason === 'exited' && exit.code === 0;
}

/**
 * Go ends with 1 where there is nothing to test. A package without tests beside one whose tests fail is
 * another matter: it says so too, in a line that begins with `?`.
 */
function isGoWithoutTests({ command }: Command, { exit, output }: ShellRun): boolean {
  if (exit.code !== 1 || !/^\s*go\s+test\b/.test(command)) return false;
  return /^(?!\?).*\bno (?:packages to test|test files)\b/m.test(output) && !/^(?:--- )?FAIL\b/m.test(output);
}

async function coverage(
  gate: Extract<Gate, { type: 'coverage' }>,
  command: Command,
  setting: GateSetting,
): Promise<Verdict> {
  const run = await execute(gate, command, setting);
  if (!succeeded(run)) return unsuccessful(command, run, setting);
  if (gate.atLeast === undefined) return { status: 'passed', output: run.output };
  const share = coverageIn(run.output);
  if (share === undefined) {
    return failed(run.output, `The output of ${command.title} names no percentage of coverage.`);
  }
  const sentence = `Coverage is ${share} %; at least ${gate.atLeast} % is asked for.`;
  return share >= gate.atLeast ? passed(run.output, sentence) : failed(run.output, sentence);
}

async function testsFound(gate: Gate, command: ResolvedCommand, setting: GateSetting): Promise<Verdict> {
  const run = await execute(gate, command, setting);
  if (run.exit.reason !== 'exited') return unsuccessful(command, run, setting);
  switch (command.lists ? judgeTestList(run.output) : judgeTests(run.output)) {
    case 'found':
      return passed(run.output, 'Tests were found.');
    case 'none':
      return failed(run.output, `${command.title} found no tests.`);
    case 'broken':
      return failed(run.output, 'The tests could not be built.');
    case 'unknown':
      return byFileNames(command, run, setting);
  }
}

/** 126 and 127 are the shell's own: the command was not run at all. */
async function byFileNames(command: Command, run: ShellRun, setting: GateSetting): Promise<Verdict> {
  const { code } = run.exit;
  if (code === undefined || code === 126 || code === 127) return unsuccessful(command, run, setting);
  const file = (await workFiles(setting)).find(isTestFile);
  const known = `The output of ${command.title} does not say how many tests it found`;
  return file === undefined
    ? failed(run.output, `${known}, and no file here is named like a test.`)
    : passed(run.output, `${known}; ${file} is named like a test.`);
}

async function workFiles(setting: GateSetting): Promise<readonly string[]> {
  const files: string[] = [];
  await setting.processes.run({
    file: 'git',
    args: ['-c', 'core.quotePath=false', 'ls-files', '--cached', '--others', '--exclude-standard'],
    directory: setting.directory,
    env: setting.env,
    onLine: (line, stream) => {
      if (stream === 'stdout') files.push(line);
    },
    ...defined({ signal: setting.signal }),
  });
  // The index still names files that were deleted since.
  return files.filter((file) => setting.project.exists(file));
}

function unsuccessful(command: Command, run: ShellRun, setting: GateSetting): Verdict {
  return failed(run.output, describeEnd(command.title, run.exit, setting.timeoutMs ?? gateTimeoutMs));
}

function failed(output: string, sentence: string): Verdict {
  return { status: 'failed', output: output + sentence };
}

function passed(output: string, sentence: string): Verdict {
  return { status: 'passed', output: output + sentence };
}
