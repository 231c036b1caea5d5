/**
 * One coding-agent CLI, described as data and pure functions. A provider builds a command and reads lines of
 * output. It starts no process and does not read or write files. A new provider needs one file in this folder,
 * one folder of fixtures and one row in `provider-registry.ts`.
 *
 * PROVIDER1 A reader never throws. A line that it does not know gives no event.
 * PROVIDER2 The stream decides about success, the exit code only confirms it. An end without a final result is
 *           `protocol`.
 * PROVIDER3 A number that the CLI does not report is absent, never 0.
 * PROVIDER4 Nothing is stored that is not on the provider's list of session files.
 */
import type { Failure } from '../failure.js';
import type { ProcessExit } from '../system/process.js';
import type { TimeSource } from './reset-time.js';

export interface Provider {
  /** The text before the first `-` of an agent name. */
  readonly id: string;
  /** The name that messages show. */
  readonly title: string;
  /** The program that is looked up on PATH. */
  readonly executable: string;
  /** A sentence that says how to install a missing program. */
  readonly installHint: string;
  /** The npm package of the CLI; absent if it is not on npm. */
  readonly npm?: NpmPackage;
  /** Agent name after `provider-` → model name for the CLI. A suffix that is not listed is passed on unchanged. */
  readonly models: Readonly<Record<string, string | undefined>>;
  /** Other names by which people know its models and their maker, for "Did you mean" hints only. */
  readonly families?: readonly string[];
  /** The services that a model name may begin with, before a `/`, for the same hints. */
  readonly services?: readonly string[];
  /** `chosen`: the action chooses the id of a new session; `given`: the CLI reports it in its first event. */
  readonly sessionIds: 'chosen' | 'given';
  /** Makes a chosen id from a new UUID. If absent, the id is the UUID. */
  newSessionId?(uuid: string): string;
  /** Whether a text can be a session id of this CLI. It is checked before it becomes part of a command line. */
  isSessionId(text: string): boolean;
  /** The variables for all models that an agent may name. */
  readonly environment: ProviderEnvironment;
  /** For a CLI that supports many services: only the variables of the service that this model needs. */
  environmentForModel?(model: string | undefined): ProviderEnvironment;
  readonly sessionFiles: SessionFiles;
  readonly projectFiles: ProjectFiles;
  /** Files that an agent must not change for later agents. Never logins: a CLI renews them. */
  readonly homeFiles: readonly HomeFile[];
  /** How tokens are priced if the CLI reports no cost. Absent if the cost depends on more than the model. */
  readonly pricing?: Pricing;
  /** For a CLI whose sessions are not available as files. `sessionFiles` then only describes the home folder. */
  readonly sessionCommands?: SessionCommands;
  buildCommand(turn: TurnRequest): AgentCommand;
  /** One reader per process. `before`: what the session has spent before the process starts. */
  createReader(before: Usage, time: TimeSource): TurnReader;
}

/**
 * Names of the files and folders in a project from which a CLI reads what to do. It may read them in its working
 * directory and in those above and below.
 */
export interface ProjectFiles {
  /** They can run code, grant permissions, or send requests elsewhere. No step's change of them takes effect. */
  readonly settings: readonly string[];
  /** Text for the model, and lists of files that it must not see. */
  readonly instructions: readonly string[];
  /** Paths that it also reads in the folders above the repository, of both kinds. A folder counts with its content. */
  readonly above: readonly string[];
  /** Settings that the CLI itself completes when it starts, by the end of their path. */
  readonly completedByCli?: readonly CompletedFile[];
}

/** The CLI writes to the file although nobody asked for it. That is no change by its agent. */
export interface CompletedFile {
  readonly path: string;
  /** The part of the text that the CLI does not change. */
  relevantPart(text: string): string;
}

/** A file or folder outside the worktree with settings or instructions of the runner user. */
export interface HomeFile {
  /** Relative to `base`. A folder counts with its content. */
  readonly path: string;
  /** `cli`: the home folder in `sessionFiles`. `config`: `XDG_CONFIG_HOME`. `user`: HOME. Default: `cli`. */
  readonly base?: 'cli' | 'config' | 'user';
  /** The part of the text that matters, if the CLI itself writes to the file. A missing file has the text ''. */
  relevantPart?(text: string): string;
  /** The CLI writes the file by itself and can make it again. A change is undone without a warning. */
  readonly isCache?: true;
}

export interface NpmPackage {
  readonly name: string;
  /** The CLI starts only after its own install script has run. Scripts of other packages never run. */
  readonly needsScript?: true;
}

/** How the tokens of a CLI are counted and priced. */
export interface Pricing {
  /** Service and model as `@pydantic/genai-prices` names them; without `service`, the maker's price applies. */
  priceReference(model: string): { readonly service?: string; readonly model: string } | undefined;
  /** Whether the reported input tokens include tokens read from and written to the cache. */
  readonly inputIncludesCache: boolean;
}

/** What a step may do on the machine (docs/security.md). */
export type Permission = 'read-only' | 'workspace' | 'full';

export interface TurnRequest {
  /** The whole prompt, passed on standard input. */
  readonly prompt: string;
  /** `start`: a new session, with an `id` if the action chooses it; `resume`: the session `id`. */
  readonly session:
    | { readonly mode: 'start'; readonly id?: string }
    | { readonly mode: 'resume'; readonly id: string };
  /** If absent, the CLI uses its own default model. */
  readonly model?: string;
  /** Further arguments of the user. They come first, so that the action's value of a repeated flag takes precedence. */
  readonly args?: readonly string[];
  readonly permission: Permission;
  /** Absolute path of the agent's working directory. */
  readonly directory: string;
  /** Whether the runner user is root: some CLIs refuse their least restricted mode for root. */
  readonly isRoot: boolean;
  /** The agent's other variables, for a setting whose variable the user may have set. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface AgentCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** Added to the environment of the agent: settings, never secrets. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  /** Settings that the CLI reads only from a file, whose path is passed in the variable. */
  readonly settings?: { readonly variable: string; readonly content: string };
}

export interface TurnReader {
  /** One line of standard output, without its line end. */
  readLine(line: string): readonly AgentEvent[];
  /** One line of standard error. Absent: it contains nothing that matters before the end. */
  readErrorLine?(line: string): readonly AgentEvent[];
  /** Called once, after the last line. */
  finish(exit: ProcessExit): TurnOutcome;
  /** The model in use; `undefined` until the stream reports it. */
  currentModel?(): string | undefined;
  /** Whether the CLI has reported its result and should exit. Absent: `none`. */
  resultState?(): ResultState;
}

/**
 * `final`: the result was reported, and the CLI has nothing left to do. `provisional`: the result was reported, but
 * the CLI waits for programs that the agent left in the background, and may answer again.
 */
export type ResultState = 'none' | 'provisional' | 'final';

export type AgentEvent =
  | { readonly type: 'session'; readonly id: string }
  /** `isOfLast`, here and below: the event belongs to the answer whose `turn` event came before it. */
  | { readonly type: 'text'; readonly text: string; readonly isOfLast?: true }
  /** `detail`: the most informative argument on one line (path, command), for the log. */
  | { readonly type: 'tool'; readonly name: string; readonly detail?: string; readonly isOfLast?: true }
  /** An answer of the model, including its tool calls, has ended. `usage` of this answer, if reported. */
  | { readonly type: 'turn'; readonly usage?: Usage }
  | { readonly type: 'notice'; readonly message: string }
  /**
   * The service limits requests; `failure` is of kind `rate-limit`, as if the CLI had ended here. `isWaiting`: the CLI
   * waits by itself and then retries. Otherwise it is about to end.
   */
  | { readonly type: 'refused'; readonly failure: Failure; readonly isWaiting: boolean }
  /** A usage or a cost that cannot be real. It does not count. */
  | { readonly type: 'ignored-number'; readonly name: string; readonly value: number };

/** An absent number was not reported. Sums skip absent numbers, and are absent if all of them are. */
export interface Usage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
  readonly turns?: number;
  readonly costUsd?: number;
  /** Part of `costUsd` was not reported but estimated from the tokens (`cost.ts`). */
  readonly costIsEstimate?: true;
}

export interface TurnOutcome {
  readonly status: 'done' | 'failed';
  /** The last id in the stream. After a resume it may differ from the requested id. */
  readonly session?: string;
  /** The agent's final text. */
  readonly text: string;
  /** Of this process only, even if the CLI reports totals of the session. */
  readonly usage: Usage;
  /** What the session has spent in total, if the CLI reports it. It is `before` of the next reader. */
  readonly totals?: Usage;
  /** Present if and only if `status` is `failed`. */
  readonly failure?: Failure;
  /** The version of the CLI, if its stream reports it. */
  readonly version?: string;
  /** The model that did most of the work, if the stream reports it. */
  readonly model?: string;
}

/** The variables of a provider. Names may be globs with `*`. */
export interface ProviderEnvironment {
  /** Withheld from all processes except this provider's own agents. */
  readonly variables: readonly string[];
  /** Further variables for this provider's agents if the variable `when` is set (Bedrock, Vertex, gateways). */
  readonly gateways: readonly { readonly when: string; readonly variables: readonly string[] }[];
  /** Any one of these counts as a credential; so does a gateway variable or a login file. */
  readonly credentials: readonly Credential[];
  /** Files in the session home that show that the runner user is logged in. */
  readonly logins: readonly { readonly file: string; readonly contains?: string }[];
}

export interface Credential {
  readonly variable: string;
  /** Valid longer than a job and secret by itself, so it may seal a checkpoint (docs/checkpoint.md). */
  readonly isStatic: boolean;
}

/**
 * How a session is exported and imported if the CLI stores it in a database, together with data that must not
 * be stored. One export is one point of the session; later exports are stored next to the earlier ones (S13).
 */
export interface SessionCommands {
  /** What is imported before a new session starts, so that the action can choose its id. */
  emptyExport(id: string, directory: string): string;
  /** Prints the session on standard output. */
  export(id: string): SessionCommand;
  /** Imports a file with the output of `export`. The session then belongs to the directory of this command. */
  import(file: string): SessionCommand;
  /** Deletes the session, because `import` does not replace what exists of it. */
  remove(id: string): SessionCommand;
  /** Whether a text is a complete export of this session. */
  isExport(text: string, id: string): boolean;
}

export type SessionCommand = Pick<AgentCommand, 'file' | 'args' | 'env'>;

/**
 * Where a CLI stores a session. This is an allow list, because credentials are in the same folder. All paths are
 * relative to the CLI's home folder and use `/`.
 */
export interface SessionFiles {
  readonly home: SessionHome;
  /** Globs (picomatch) of the files of session `id`, for an agent that ran in `directory`. */
  patterns(id: string, directory: string): readonly string[];
  /** Where a stored file must be so that the CLI finds it from `directory` on this machine. */
  restorePath(file: string, id: string, directory: string, home: HomeReader): string;
  /** The files are a database: a session can be rolled back only if all of them are restored from that point. */
  readonly isDatabase?: true;
  /** Changes the content of a file so that the CLI accepts it in `directory`. */
  rewrite?(content: Buffer, directory: string): Buffer;
  /** What the session has spent by the end of this file, for CLIs that report totals and write them there. */
  readUsage?(content: Buffer): Usage;
  /**
   * The tokens of the last request and its answer, which are the context of the next one. For CLIs whose stream does not
   * report the tokens of each answer. `undefined` if the file does not have them.
   */
  readContextTokens?(content: Buffer): number | undefined;
}

/** The CLI's home folder: in HOME, unless a variable overrides it. */
export interface SessionHome {
  readonly folder: string;
  /** Variable with the path of the folder itself. */
  readonly variable?: string;
  /** Variable with the path that replaces HOME. */
  readonly parentVariable?: string;
}

/**
 * Read access to the CLI's home folder, for CLIs that store a list of their project folders. Paths are relative
 * to it and use `/`. Links are not followed.
 */
export interface HomeReader {
  /** The text of a regular file of at most 1 MB; `undefined` if there is none. */
  read(path: string): string | undefined;
  /** The sorted names in a folder; empty if the folder does not exist. */
  list(path: string): readonly string[];
}
