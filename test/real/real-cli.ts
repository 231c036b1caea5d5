/** Runs one turn of a real CLI through its adapter, in a separate home and directory, against the mock model. */
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import picomatch from 'picomatch';
import { claude } from '../../src/providers/claude.js';
import { codex } from '../../src/providers/codex.js';
import { gemini } from '../../src/providers/gemini.js';
import { opencode } from '../../src/providers/opencode.js';
import type {
  AgentCommand,
  AgentEvent,
  Provider,
  TurnOutcome,
  TurnRequest,
  Usage,
} from '../../src/providers/provider.js';
import { qwen } from '../../src/providers/qwen.js';
import { createCommandSessions } from '../../src/sessions/command-sessions.js';
import type { SessionFile } from '../../src/sessions/session-mark.js';
import type { ProcessExit } from '../../src/system/process.js';
import { processRunner } from '../../src/system/run-process.js';

/** The folder of the CLIs. */
export const nodeModules = fileURLToPath(new URL('node_modules', import.meta.url));

export interface RealCli {
  readonly provider: Provider;
  readonly version: string;
  readonly file: string;
  readonly leadingArgs: readonly string[];
}

const claudeCode = (version: string): RealCli => ({
  provider: claude,
  version,
  file: join(nodeModules, `claude-code-${version}/bin/claude.exe`),
  leadingArgs: [],
});

/** The CLIs that `package.json` in this folder pins. */
export const clis: readonly RealCli[] = [
  claudeCode('2.1.197'),
  claudeCode('2.1.330'),
  {
    provider: codex,
    version: '0.169.0',
    file: process.execPath,
    leadingArgs: [join(nodeModules, '@openai/codex/bin/codex.js')],
  },
  {
    provider: gemini,
    version: '0.61.0',
    file: process.execPath,
    leadingArgs: [join(nodeModules, '@google/gemini-cli/bundle/gemini.js')],
  },
  {
    provider: qwen,
    version: '0.24.4',
    file: process.execPath,
    leadingArgs: [join(nodeModules, '@qwen-code/qwen-code/cli-entry.js')],
  },
  { provider: opencode, version: '1.18.33', file: join(nodeModules, '.bin/opencode'), leadingArgs: [] },
];

/** A machine as the CLI sees it: a home folder with the settings for the mock model, and a repository. */
export interface CliMachine {
  readonly home: string;
  readonly directory: string;
}

/** Creates a new home, and a new `directory` if none is given. */
export function makeCliMachine(
  root: string,
  url: string,
  directory = join(makeTemporaryFolder(root), 'repository'),
): CliMachine {
  const home = makeTemporaryFolder(root);
  mkdirSync(join(directory, '.gump/out'), { recursive: true });
  configureHome(home, url);
  return { home, directory };
}

/** Options that the CLIs read only from their own settings: the URL of the mock model, and no retries. */
export function configureHome(home: string, url: string): void {
  mkdirSync(join(home, '.codex'), { recursive: true });
  const provider = `[model_providers.mock]\nname = "mock"\nbase_url = "${url}/v1"\nenv_key = "OPENAI_API_KEY"`;
  const limits = 'wire_api = "responses"\nrequest_max_retries = 0\nstream_max_retries = 0';
  writeFileSync(join(home, '.codex/config.toml'), `model_provider = "mock"\n${provider}\n${limits}\n`);
  writeSettings(join(home, '.gemini'), {
    // With a custom URL it does not read a key from a variable by itself.
    security: { auth: { selectedType: 'gemini-api-key' } },
    general: { maxAttempts: 1 },
  });
  writeSettings(join(home, '.qwen'), {
    // Otherwise it asks the model in the background what to remember.
    memory: { enableManagedAutoMemory: false },
    model: { generationConfig: { maxRetries: 0 } },
  });
  writeOpencodeConfig(home, url);
}

function writeSettings(folder: string, settings: object): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
}

function writeOpencodeConfig(home: string, url: string): void {
  const model = { limit: { context: 100_000, output: 1000 }, cost: { input: 1, output: 2 } };
  const mock = {
    npm: '@ai-sdk/openai-compatible',
    options: { baseURL: `${url}/v1`, apiKey: '{env:OPENAI_API_KEY}' },
    models: { 'mock-model': model, 'other-model': model },
  };
  const config = { model: 'mock/mock-model', small_model: 'mock/mock-model', provider: { mock } };
  mkdirSync(join(home, '.config/opencode'), { recursive: true });
  writeFileSync(join(home, '.config/opencode/opencode.json'), JSON.stringify(config));
}

/** A temporary directory with symbolic links resolved, in `root` if given. */
export function makeTemporaryFolder(root?: string): string {
  return realpathSync(mkdtempSync(join(root ?? tmpdir(), 'gump-real-')));
}

export function removeFolder(root: string): void {
  rmSync(root, { recursive: true, force: true, maxRetries: 3 });
}

/** The stored files of a session: path relative to the CLI's home folder → absolute path. */
export function listSessionFiles(
  { provider }: RealCli,
  { home, directory }: CliMachine,
  id: string,
): ReadonlyMap<string, string> {
  const folder = join(home, provider.sessionFiles.home.folder);
  if (!existsSync(folder)) return new Map();
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    picomatch.isMatch(file, [...provider.sessionFiles.patterns(id, directory)], { dot: true }),
  );
  return new Map(files.map((file) => [file, join(folder, file)]));
}

/** The session of a CLI that stores sessions in a database, on this machine; `undefined` if the CLI stores them in files. */
export function sessionCommandsOf({ provider }: RealCli, { home, directory }: CliMachine, id: string) {
  if (provider.sessionCommands === undefined) return undefined;
  const sessions = createCommandSessions({ processes: processRunner, directory: join(home, 'imports') });
  const location = { provider, id, directory, environment: baseEnvironment(home, '') };
  return {
    create: () => sessions.create(location),
    export: () => sessions.export(location),
    import: (copies: readonly SessionFile[]) => sessions.import(location, copies),
  };
}

export interface CliTurn {
  readonly lines: readonly string[];
  readonly events: readonly AgentEvent[];
  readonly exit: ProcessExit;
  readonly outcome: TurnOutcome;
}

export interface RunTurnOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Further arguments, as from the input `agent-args`; they come first. */
  readonly args?: readonly string[];
  readonly usageBefore?: Usage;
  /** Resolves when the process group must be killed. */
  readonly killWhen?: Promise<unknown>;
}

type TurnInput = Omit<TurnRequest, 'directory' | 'isRoot' | 'permission'> &
  Partial<Pick<TurnRequest, 'isRoot' | 'permission'>>;

/** Resolves when the CLI has ended. */
export async function runTurn(
  cli: RealCli,
  machine: CliMachine,
  url: string,
  input: TurnInput,
  options: RunTurnOptions = {},
): Promise<CliTurn> {
  const turn: TurnRequest = {
    permission: 'workspace',
    isRoot: process.getuid?.() === 0,
    // Its own retries would take minutes.
    environment: { CLAUDE_CODE_MAX_RETRIES: '1' },
    ...input,
    directory: machine.directory,
  };
  if (turn.session.mode === 'start' && turn.session.id !== undefined)
    await sessionCommandsOf(cli, machine, turn.session.id)?.create();
  const command = cli.provider.buildCommand(turn);
  const [first = '', ...others] = command.args;
  const child = spawn(cli.file, [...cli.leadingArgs, first, ...(options.args ?? []), ...others], {
    cwd: machine.directory,
    detached: true,
    env: {
      ...baseEnvironment(machine.home, url),
      ...settingsOf(command, machine),
      ...options.env,
      ...command.env,
    },
  });
  options.killWhen?.then(() => {
    // Another process may now have the id of one that has ended.
    const isRunning = child.exitCode === null && child.signalCode === null;
    if (isRunning && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  });
  const reader = cli.provider.createReader(options.usageBefore ?? {}, { now: Date.now, zone: 'UTC' });
  const lines: string[] = [];
  const events: AgentEvent[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    events.push(...reader.readLine(line));
  });
  let stderrTail = '';
  child.stderr.on('data', (chunk) => {
    stderrTail = (stderrTail + chunk).slice(-16_384);
  });
  child.stdin.end(command.stdin);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const exit: ProcessExit = {
    reason: 'exited',
    ...(code === null ? {} : { code }),
    stderrTail,
    durationMs: 0,
  };
  return { lines, events, exit, outcome: reader.finish(exit) };
}

function settingsOf({ settings }: AgentCommand, { home }: CliMachine): Readonly<Record<string, string>> {
  if (settings === undefined) return {};
  const file = join(home, 'settings-of-the-action.json');
  writeFileSync(file, settings.content);
  return { [settings.variable]: file };
}

function baseEnvironment(home: string, url: string): Record<string, string> {
  return {
    PATH: `${join(nodeModules, '.bin')}:${dirname(process.execPath)}:${process.env.PATH ?? ''}`,
    HOME: home,
    // Gemini CLI writes error reports there.
    TMPDIR: home,
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: 'dummy-anthropic-key',
    OPENAI_API_KEY: 'dummy-openai-key',
    OPENAI_BASE_URL: `${url}/v1`,
    OPENAI_MODEL: 'qwen3-coder-plus',
    GEMINI_API_KEY: 'dummy-gemini-key',
    GOOGLE_GEMINI_BASE_URL: url,
    // Without a name it first asks another model which one to use.
    GEMINI_MODEL: 'gemini-2.5-flash',
    // No requests to other machines.
    OPENCODE_DISABLE_MODELS_FETCH: '1',
    OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
  };
}
