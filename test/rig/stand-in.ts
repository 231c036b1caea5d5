/** Installs the stand-in CLIs (`cli/agent.mjs`) on a machine, scripts their actions, and reads their calls. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseCalls } from './cli/calls.mjs';
import type { Machine } from './machine.js';

export type StandInProvider = 'claude' | 'codex' | 'gemini' | 'qwen' | 'opencode' | 'cursor';

/** An action of the agent. Paths are absolute or relative to its working directory. */
export type AgentAction =
  /** The next four are one answer with one tool call each; `say` adds text before it in the same answer. */
  | { readonly write: string; readonly content?: string; readonly say?: string }
  | { readonly delete: string; readonly say?: string }
  | { readonly run: string; readonly say?: string }
  /** `git add -A` and a commit with this message. */
  | { readonly commit: string; readonly say?: string }
  /** One answer; the last one is the final text (`ok` if there is none). */
  | { readonly say: string }
  /** A raw line of output, repeated this often. */
  | { readonly print: string; readonly times?: number }
  /** A line of about this many bytes that is not an event. */
  | { readonly giant: number }
  | { readonly stderr: string }
  /** Milliseconds. */
  | { readonly sleep: number }
  /** Waits until this file exists. */
  | { readonly waitFor: string }
  /** Writes all its environment variables to this file as JSON. */
  | { readonly environment: string }
  /** Leaves a shell command running; `hold`: with the agent's output open. */
  | { readonly spawn: string; readonly hold?: boolean; readonly pidFile?: string }
  /** Until killed. */
  | { readonly hang: true; readonly ignore?: readonly ('SIGTERM' | 'SIGINT')[] }
  /** Ends as this CLI does on that error. `message` replaces its usual text. Only Claude and Codex report the wait. */
  | { readonly fail: StandInFailure; readonly message?: string; readonly retryAfterMs?: number }
  /**
   * Refuses as this CLI does if a usage limit is reached, with the time at which it resets, in milliseconds since 1970.
   * `waits`: it waits for that time by itself, as this CLI does at a limit that it retries.
   */
  | { readonly usageLimit: { readonly resetsAt: number; readonly waits?: boolean } }
  /** Ends immediately with this code and without a final result. */
  | { readonly exit: number };

export type StandInFailure = 400 | 401 | 429 | 500 | 529 | 'context' | 'max-turns';

/** The first rule whose conditions are all true applies; without one the agent answers `ok`. */
export interface AgentRule {
  readonly provider?: StandInProvider;
  /** A text in the prompt. */
  readonly prompt?: string;
  readonly session?: 'start' | 'resume';
  /** As given on the command line. */
  readonly model?: string;
  /** The number of the call among those that meet the other conditions, from 1, over the whole calls file. */
  readonly call?: number | readonly number[];
  /** Actions before the CLI prints or stores anything. */
  readonly before?: readonly AgentAction[];
  readonly do?: readonly AgentAction[];
  /** Actions after the CLI has printed its final result. */
  readonly after?: readonly AgentAction[];
  /** The usage of every answer. Default: 100 input tokens, 20 output tokens, 0.001 USD. */
  readonly usage?: {
    readonly inputTokens?: number;
    readonly outputTokens?: number;
    readonly cacheReadTokens?: number;
    readonly cacheWriteTokens?: number;
    readonly costUsd?: number;
  };
}

/** One start of a CLI to run an agent. */
export interface AgentCall {
  readonly provider: StandInProvider;
  readonly argv: readonly string[];
  readonly prompt: string;
  readonly cwd: string;
  readonly session: { readonly mode: 'start' | 'resume'; readonly id?: string };
  readonly model?: string;
  /** The user's texts of earlier turns in the session file: they prove that the session was resumed. */
  readonly earlier: readonly string[];
  /** Why the CLI refused to start, if it did. */
  readonly refused?: string;
  /** Another living process in the same session. */
  readonly sharedWith?: number;
  readonly pid: number;
  readonly home: string;
  /** Names of its environment variables. */
  readonly environment: readonly string[];
}

export interface StandIn {
  /** The calls file, outside HOME. */
  readonly callsFile: string;
  /** `countFrom: 'now'`: `call` counts from here on, otherwise over the whole calls file, earlier machines included. */
  script(rules: readonly AgentRule[], options?: { readonly countFrom: 'start' | 'now' }): Promise<void>;
  /** Replaces the rules: a module whose default export gets the call and returns actions or a rule. */
  scriptModule(source: string): Promise<void>;
  /** In the order of arrival. */
  calls(): Promise<readonly AgentCall[]>;
}

const programNames: Readonly<Record<StandInProvider, string>> = {
  claude: 'claude',
  codex: 'codex',
  gemini: 'gemini',
  qwen: 'qwen',
  opencode: 'opencode',
  cursor: 'cursor-agent',
};

export interface StandInOptions {
  /** The CLIs to install. Default: all. */
  readonly providers?: readonly StandInProvider[];
  /** The calls file. Several machines may share one. Default: `ROOT/calls.jsonl`, which `wipe` deletes. */
  readonly callsFile?: string;
}

const agentModule = fileURLToPath(new URL('./cli/agent.mjs', import.meta.url));

/** Installs the CLIs on the machine's PATH. */
export async function installStandIn(machine: Machine, options: StandInOptions = {}): Promise<StandIn> {
  const callsFile = options.callsFile ?? join(machine.root, 'calls.jsonl');
  const folder = join(machine.home, '.fake-agent');
  await mkdir(folder, { recursive: true });
  await mkdir(dirname(callsFile), { recursive: true });
  await writeFile(join(folder, 'calls-path'), callsFile);
  for (const provider of options.providers ?? (Object.keys(programNames) as StandInProvider[])) {
    await machine.install(programNames[provider], wrapper(programNames[provider]));
  }
  return {
    callsFile,
    async script(rules, { countFrom } = { countFrom: 'start' }) {
      const since = countFrom === 'now' ? (await readCalls(callsFile)).length : 0;
      await rm(join(folder, 'script.mjs'), { force: true });
      await writeFile(join(folder, 'script.json'), JSON.stringify({ since, rules }));
    },
    // It is found before the rules and replaces them.
    scriptModule: (source) => writeFile(join(folder, 'script.mjs'), source),
    calls: () => readCalls(callsFile),
  };
}

function wrapper(name: string): string {
  return `#!${process.execPath}\nimport(${JSON.stringify(agentModule)}).then(({ main }) => main(${JSON.stringify(name)}));\n`;
}

/** The calls in a calls file; none if it does not exist yet. */
export async function readCalls(file: string): Promise<readonly AgentCall[]> {
  if (!existsSync(file)) return [];
  return parseCalls(await readFile(file, 'utf8'));
}
