/**
 * Decides which command a gate runs. Pure: reads the project only through `Project`; `run-gates.ts` runs the
 * command. Called for all gates before the run starts, and again before each gate runs.
 */
import type { Gate } from '../workflow/workflow.js';
import { type CommandGate, markers, type ProjectMarker, type SuggestedCommand } from './markers.js';
import type { Project } from './project.js';

/** Commands that the user sets. If several sources set one, the first source counts. */
export interface CommandSource {
  /** The source in the words of messages: "the input `commands`". */
  readonly name: string;
  readonly commands: Readonly<Partial<Record<CommandName, string>>>;
}

/** `tests_found` uses the command of `test`. */
export type CommandName = Exclude<CommandGate, 'tests_found'>;

export interface ResolvedCommand {
  readonly status: 'command';
  /** For `sh -c`. */
  readonly command: string;
  /** How messages name the command. */
  readonly title: string;
  /** The command lists the tests instead of running them. */
  readonly isTestListing: boolean;
}

export type GateResolution =
  | ResolvedCommand
  /** No tool was found, and the gate may be skipped. */
  | { readonly status: 'skipped'; readonly reason: string }
  /** What is wrong and what to do, in sentences that follow the name of the gate. */
  | { readonly status: 'unresolved'; readonly message: string };

export interface StepGates {
  readonly step: string;
  readonly gates: readonly Gate[];
}

/** The command of the first source that sets one; otherwise the command of the first marker in the project. */
export function resolveGate(
  type: CommandGate,
  project: Project,
  sources: readonly CommandSource[],
): GateResolution {
  const userCommand = findUserCommand(type === 'tests_found' ? 'test' : type, sources);
  if (userCommand) return resolveUserCommand(userCommand, project);
  const match = findMarkerMatch(markers[type], project);
  if (!match) return resolveWithoutMarker(type);
  const absent = match.suggestion.programs.find((program) => !project.hasProgram(program));
  if (absent !== undefined) return resolveMissingProgram(type, match, absent);
  const { command, title = quoteCommand(command) } = match.suggestion;
  return { status: 'command', command, title, isTestListing: command.startsWith('go test -list') };
}

/** One message for each gate type that cannot run. */
export function findGateProblems(
  steps: readonly StepGates[],
  project: Project,
  sources: readonly CommandSource[],
): readonly string[] {
  const users = new Map<CommandGate, Set<string>>();
  for (const { step, gates } of steps) {
    for (const { type } of gates) {
      if (isCommandGate(type)) users.set(type, (users.get(type) ?? new Set()).add(step));
    }
  }
  return [...users].flatMap(([type, names]) => {
    const resolution = resolveGate(type, project, sources);
    if (resolution.status !== 'unresolved') return [];
    const steps = [...names].map((name) => `\`${name}\``).join(', ');
    return [`gate \`${type}\` of ${names.size > 1 ? 'the steps' : 'step'} ${steps}: ${resolution.message}`];
  });
}

function isCommandGate(type: string): type is CommandGate {
  return Object.hasOwn(markers, type);
}

interface UserCommand {
  readonly command: string;
  readonly source: string;
}

function findUserCommand(type: CommandName, sources: readonly CommandSource[]): UserCommand | undefined {
  for (const { name, commands } of sources) {
    const command = commands[type];
    if (command !== undefined && command.trim() !== '') return { command, source: name };
  }
  return undefined;
}

/** A command that the user sets is never skipped: otherwise a typing error would let the gate pass forever. */
function resolveUserCommand({ command, source }: UserCommand, project: Project): GateResolution {
  const program = firstProgram(command);
  if (program === undefined || project.hasProgram(program)) {
    return { status: 'command', command, title: quoteCommand(command), isTestListing: false };
  }
  const message = `${quoteCommand(command)} (from ${source}) needs \`${program}\`, which is not on PATH. Install it in an earlier step of the job, or set another command there.`;
  return { status: 'unresolved', message };
}

/** Builtins and keywords of the shell. */
const shellWords = new Set(
  `! . : [ alias bg break builtin case cd command continue do done echo elif else esac eval exec exit export
  false fg fi for function getopts hash if in jobs kill let local printf pwd read readonly return select set
  shift source test then time times trap true type typeset ulimit umask unalias unset until wait while { }`.split(
    /\s+/,
  ),
);

/**
 * The program that a command starts with; `undefined` if that is not certain. Paths are not checked: an agent
 * or `worktree-setup` may create them before the gate runs (`node_modules/.bin/vitest`).
 */
function firstProgram(command: string): string | undefined {
  const word = /^\s*(?:[A-Za-z_]\w*=[\w./:,@+-]*\s+)*([\w.+-]+)(?=[\s;&|<>]|$)/.exec(command)?.[1];
  return word === undefined || shellWords.has(word) ? undefined : word;
}

interface MarkerMatch {
  readonly marker: ProjectMarker;
  readonly suggestion: SuggestedCommand;
}

function findMarkerMatch(candidates: readonly ProjectMarker[], project: Project): MarkerMatch | undefined {
  for (const marker of candidates) {
    const found = marker.suggest(project);
    if (found) return { marker, suggestion: found };
  }
  return undefined;
}

function resolveWithoutMarker(type: CommandGate): GateResolution {
  const wanted = markers[type].map((marker) => marker.description).join(', ');
  const searched = `the working directory has none of: ${wanted}`;
  if (isOptional(type))
    return { status: 'skipped', reason: `No command for \`${type}\` was found: ${searched}.` };
  return { status: 'unresolved', message: `no command was found: ${searched}. Set ${commandInput(type)}` };
}

function resolveMissingProgram(
  type: CommandGate,
  { marker, suggestion }: MarkerMatch,
  program: string,
): GateResolution {
  const { command, title = quoteCommand(command) } = suggestion;
  const why = `${title} (chosen because the project has ${marker.description}) needs \`${program}\`, which is not on PATH`;
  if (isOptional(type)) return { status: 'skipped', reason: `${why}.` };
  return {
    status: 'unresolved',
    message: `${why}. Install it in an earlier step of the job, or set ${commandInput(type)}`,
  };
}

/** The first line of a command, in backticks. */
export function quoteCommand(command: string): string {
  const [first = '', ...more] = command.trim().split('\n');
  return more.length > 0 ? `\`${first} …\`` : `\`${first}\``;
}

function isOptional(type: CommandGate): boolean {
  return type === 'lint' || type === 'coverage';
}

function commandInput(type: CommandGate): string {
  const name = type === 'tests_found' ? 'test' : type;
  return `a command in the input \`commands\`, for example \`${name}: ./scripts/${name}.sh\`.`;
}
