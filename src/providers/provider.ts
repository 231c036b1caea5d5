/**
 * One coding-agent CLI, described as data and pure functions. A provider builds a command and reads lines;
 * it never spawns, reads or writes. Adding one is one file here, one folder of fixtures and one row in
 * `registry.ts`.
 *
 * P1 A reader never throws; a line it does not know is no event.
 * P2 The stream decides success, the exit code only confirms it: an end without a final result is `protocol`.
 * P3 A number that the CLI did not say is absent, never 0.
 * P4 Nothing is kept that is not on the provider's list of session files.
 */
import type { Failure } from '../failure.js';
import type { ProcessExit } from '../system/process.js';

export interface Provider {
  /** The text before the first `-` of an agent name. */
  readonly id: string;
  /** The name people know it by. */
  readonly title: string;
  /** The program looked for on PATH. */
  readonly executable: string;
  /** What the user is told to do when the program is missing: a command, or a sentence. */
  readonly installHint: string;
  /** The npm package that the CLI comes in; absent: it is not on npm. */
  readonly npm?: NpmPackage;
  /** Agent name after `provider-` → model name for the CLI; a suffix that is not listed passes through. */
  readonly models: Readonly<Record<string, string | undefined>>;
  /** `chosen`: the CLI takes an id chosen by us for a new session; `given`: the id is in its first event. */
  readonly sessionIds: 'chosen' | 'given';
  /** The id that is made of a fresh UUID where ids are chosen; the UUID itself where this is absent. */
  newSessionId?(uuid: string): string;
  /** Whether a text may be handed to this CLI as a session id (checked before it goes on a command line). */
  isSessionId(text: string): boolean;
  /** The row for whatever model an agent may name. */
  readonly environment: ProviderEnvironment;
  /** For a CLI that speaks to many services: the row narrowed to the one that this model needs. */
  environmentForModel?(model: string | undefined): ProviderEnvironment;
  readonly sessionFiles: SessionFiles;
  /** How its tokens are priced where no cost is told; absent: what they cost depends on more than the model. */
  readonly pricing?: Pricing;
  /** Where a session cannot be had as files: `sessionFiles` then only says where the home folder is. */
  readonly sessionCommands?: SessionCommands;
  buildCommand(turn: TurnRequest): AgentCommand;
  /** One per process. `before` is what the session had already spent when the process started. */
  createReader(before: Usage): TurnReader;
}

export interface NpmPackage {
  readonly name: string;
  /** It does not start before its own install script has run. The scripts of other packages never run. */
  readonly needsScript?: true;
}

/** What the tokens of a CLI are. */
export interface Pricing {
  /** Whose price a model has, in the words of `@pydantic/genai-prices`; `service` absent: that of its maker. */
  priceReference(model: string): { readonly service?: string; readonly model: string } | undefined;
  /** Whether the input tokens it tells include what was read from and written to the cache. */
  readonly inputIncludesCache: boolean;
}

/** How a step may act on the machine (contract 8). */
export type Permission = 'read-only' | 'workspace' | 'full';

export interface TurnRequest {
  /** The whole prompt; goes in by standard input. */
  readonly prompt: string;
  /** `start`: a new session (`id` is there when the provider lets us choose it); `resume`: go on with `id`. */
  readonly session:
    | { readonly mode: 'start'; readonly id?: string }
    | { readonly mode: 'resume'; readonly id: string };
  /** Absent: the CLI's own default model. */
  readonly model?: string;
  /** Further arguments, from the user. They stand first, so that of a flag given twice the action's own counts. */
  readonly args?: readonly string[];
  readonly permission: Permission;
  /** Absolute path of the working directory; the agent runs there. */
  readonly directory: string;
  /** Whether the runner user is root (some CLIs refuse their freest mode then). */
  readonly isRoot: boolean;
  /** What the agent gets besides; for a setting whose variable the user may have set too. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface AgentCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** Added to the environment that the agent gets: quiet switches, never secrets. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  /** Settings that the CLI takes from a file alone: its path is handed over in the variable. */
  readonly settings?: { readonly variable: string; readonly content: string };
}

export interface TurnReader {
  /** One line of standard output, without its line end. */
  readLine(line: string): readonly AgentEvent[];
  /** Called once, after the last line. */
  finish(exit: ProcessExit): TurnOutcome;
  /** The model that is at work, once the stream has said so. */
  currentModel?(): string | undefined;
}

export type AgentEvent =
  | { readonly type: 'session'; readonly id: string }
  /** `isOfLast`, here and below: it belongs to the answer whose `turn` was told already. */
  | { readonly type: 'text'; readonly text: string; readonly isOfLast?: true }
  /** `detail`: the most telling argument on one line (path, command), for the log. */
  | { readonly type: 'tool'; readonly name: string; readonly detail?: string; readonly isOfLast?: true }
  /** One answer of the model, up to and with its tool calls, is over; usage is that of this answer, if said. */
  | { readonly type: 'turn'; readonly usage?: Usage }
  | { readonly type: 'notice'; readonly message: string };

/** Absent means: not said. Sums skip absent numbers and stay absent when all are. */
export interface Usage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
  readonly turns?: number;
  readonly costUsd?: number;
  /** Some of `costUsd` was not said but reckoned from the tokens (`cost.ts`). */
  readonly costIsEstimate?: true;
}

export interface TurnOutcome {
  readonly status: 'done' | 'failed';
  /** The last id the stream told; after a resume it may differ from the one asked for. */
  readonly session?: string;
  /** The agent's final words. */
  readonly text: string;
  /** Of this process alone, also where the CLI reports totals of the session. */
  readonly usage: Usage;
  /** What the session has spent in all, where the CLI says so: handed to the next reader as `before`. */
  readonly totals?: Usage;
  /** There exactly when `status` is `failed`. */
  readonly failure?: Failure;
  /** The CLI's own version, where its stream says it. */
  readonly version?: string;
  /** The model that did most of the work, where the stream says it. */
  readonly model?: string;
}

/** Which variables belong to this provider. Names may be globs with `*`. */
export interface ProviderEnvironment {
  /** Withheld from everybody but this provider's own agents, which get them back. */
  readonly variables: readonly string[];
  /** Further variables this provider's agents get when a switch is set (Bedrock, Vertex, gateways). */
  readonly gateways: readonly { readonly when: string; readonly variables: readonly string[] }[];
  /** Any one of these, or a gateway switch, or a login file, counts as a credential. */
  readonly credentials: readonly Credential[];
  /** Files under the session home that show that the runner user is logged in. */
  readonly logins: readonly { readonly file: string; readonly contains?: string }[];
}

export interface Credential {
  readonly variable: string;
  /** Lives longer than a job and is a secret by itself: it may seal a checkpoint (contract 7). */
  readonly isStatic: boolean;
}

/**
 * How a conversation is taken out of a CLI and brought back where it lies in a database, together with what
 * must not be kept. One export stands for one point of it: later ones are kept beside the earlier (S13).
 */
export interface SessionCommands {
  /** What is imported before a new session starts, so that its id is one of ours. */
  emptyExport(id: string, directory: string): string;
  /** Prints the session on standard output. */
  export(id: string): SessionCommand;
  /** Takes in a file that `export` filled; the session then belongs to the directory it is run in. */
  import(file: string): SessionCommand;
  /** Forgets the session: `import` leaves alone what is there of it. */
  remove(id: string): SessionCommand;
  /** Whether a text is a whole export of this very session. */
  isExport(text: string, id: string): boolean;
}

export type SessionCommand = Pick<AgentCommand, 'file' | 'args' | 'env'>;

/**
 * Where a CLI keeps one conversation: an allow-list, because credentials lie beside it. All paths are
 * relative to the CLI's home folder and use `/`.
 */
export interface SessionFiles {
  readonly home: SessionHome;
  /** Globs (picomatch) under which the files of session `id` lie, for an agent that ran in `directory`. */
  patterns(id: string, directory: string): readonly string[];
  /** Where a kept file has to lie so that the CLI finds it from `directory` on this machine, whose home that is. */
  restorePath(file: string, id: string, directory: string, home: HomeReader): string;
  /** The files are a database: a session goes back to a point only where all of them are as they were then. */
  readonly isDatabase?: true;
  /** What in the file has to change for that. */
  rewrite?(content: Buffer, directory: string): Buffer;
  /** What the session had spent by the end of this file, for CLIs that report totals and note them there. */
  readUsage?(content: Buffer): Usage;
}

/** The CLI's home folder: under HOME, unless a variable says otherwise. */
export interface SessionHome {
  readonly folder: string;
  /** Holds the path of the folder itself. */
  readonly variable?: string;
  /** Holds the path that takes the place of HOME. */
  readonly parentVariable?: string;
}

/**
 * A look into the CLI's home folder, for CLIs that keep a list of where things lie. Paths are relative to it
 * and use `/`; no link is followed.
 */
export interface HomeReader {
  /** The text of an ordinary file of at most 1 MB; `undefined` where there is none. */
  read(path: string): string | undefined;
  /** The names in a folder, sorted; none where it is not there. */
  list(path: string): readonly string[];
}
