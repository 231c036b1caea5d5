/**
 * Which command a gate runs. Pure: it looks at the project through `Project` and decides; running is
 * `run-gates.ts`. Asked before anything runs, for all gates at once, and again when a gate's turn comes.
 */
import type { Gate } from '../workflow/workflow.js';
import { type CommandGate, markers, type ProjectMarker, type SuggestedCommand } from './markers.js';
import type { Project } from './project.js';

/** Commands that a user named. Of several sources the first that names one counts. */
export interface CommandSource {
  /** Where they stand, for messages: "the input `commands`". */
  readonly name: string;
  readonly commands: Readonly<Partial<Record<CommandName, string>>>;
}

/** `tests_found` has no name of its own here: it looks at what `test` says. */
export type CommandName = Exclude<CommandGate, 'tests_found'>;

export interface ResolvedCommand {
  readonly status: 'command';
  /** For `sh -c`. */
  readonly command: string;
  /** How it is named in a sentence. */
  readonly title: string;
  /** It names the tests instead of running them. */
  readonly isTestListing: boolean;
}

export type GateResolution =
  | ResolvedCommand
  /** There is no tool for this gate, which is allowed for it. */
  | { readonly status: 'skipped'; readonly reason: string }
  /** What is wrong and what to do, as sentences that follow the gate's name. */
  | { readonly status: 'unresolved'; readonly message: string };

export interface StepGates {
  readonly step: string;
  readonly gates: readonly Gate[];
}

/** What a gate of this type does in this project, by the first source that has a command, else by the markers. */
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

/** Every gate that could not run, one sentence or two each; empty where all can. */
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

/** A command that the user named is never skipped: a slip in it would let the gate pass for ever. */
function resolveUserCommand({ command, source }: UserCommand, project: Project): GateResolution {
  const program = firstProgram(command);
  if (program === undefined || project.hasProgram(program)) {
    return { status: 'command', command, title: quoteCommand(command), isTestListing: false };
  }
  const message = `${quoteCommand(command)} (from ${source}) needs \`${program}\`, which is not on PATH. Install it in an earlier step of the job, or name another command there.`;
  return { status: 'unresolved', message };
}

/** What the shell does by itself. */
const shellWords = new Set(
  `! . : [ alias bg break builtin case cd command continue do done echo elif else esac eval exec exit export
  false fg fi for function getopts hash if in jobs kill let local printf pwd read readonly return select set
  shift source test then time times trap true type typeset ulimit umask unalias unset until wait while { }`.split(
    /\s+/,
  ),
);

/**
 * The program that a command starts with, where that can be told for sure. Paths are left alone: an agent
 * or `worktree-setup` may make them before the gate's turn comes (`node_modules/.bin/vitest`).
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
  if (isOptional(type)) return { status: 'skipped', reason: `No tool for ${type} is known: ${searched}.` };
  return { status: 'unresolved', message: `no command is known for it: ${searched}. ${remedy(type)}` };
}

function resolveMissingProgram(
  type: CommandGate,
  { marker, suggestion }: MarkerMatch,
  program: string,
): GateResolution {
  const { command, title = quoteCommand(command) } = suggestion;
  const why = `${title} (chosen because of ${marker.description}) needs \`${program}\`, which is not on PATH`;
  if (isOptional(type)) return { status: 'skipped', reason: `${why}.` };
  return {
    status: 'unresolved',
    message: `${why}. Install it in an earlier step of the job. Or: ${remedy(type)}`,
  };
}

/** A command as it stands in a sentence: its first line. */
export function quoteCommand(command: string): string {
  const [first = '', ...more] = command.trim().split('\n');
  return more.length > 0 ? `\`${first} …\`` : `\`${first}\``;
}

function isOptional(type: CommandGate): boolean {
  return type === 'lint' || type === 'coverage';
}

function remedy(type: CommandGate): string {
  const name = type === 'tests_found' ? 'test' : type;
  return `Name a command in the input \`commands\`, for example \`${name}: ./scripts/${name}.sh\`.`;
}
