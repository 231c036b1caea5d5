/**
 * Which command a gate runs. Pure: it looks at the project through `Project` and decides; running is
 * `run-gates.ts`. Asked before anything runs, for all gates at once, and again when a gate's turn comes.
 */
import type { Gate } from '../workflow/workflow.js';
import { type CommandGate, type Marker, markers, type Suggestion } from './markers.js';
import type { Project } from './project.js';

/** Commands that a user named. Of several sources the first that names one counts. */
export interface CommandSource {
  /** Where they stand, for messages: "the input `commands`". */
  readonly name: string;
  readonly commands: Readonly<Partial<Record<NamedCommand, string>>>;
}

/** `tests_found` has no name of its own here: it looks at what `test` says. */
export type NamedCommand = Exclude<CommandGate, 'tests_found'>;

export interface ResolvedCommand {
  readonly status: 'command';
  /** For `sh -c`. */
  readonly command: string;
  /** How it is named in a sentence. */
  readonly title: string;
  /** It names the tests instead of running them. */
  readonly lists: boolean;
}

export type Resolution =
  | ResolvedCommand
  /** There is no tool for this gate, which is allowed for it. */
  | { readonly status: 'skipped'; readonly reason: string }
  /** What is wrong and what to do, as sentences that follow the gate's name. */
  | { readonly status: 'fault'; readonly message: string };

export interface StepGates {
  readonly step: string;
  readonly gates: readonly Gate[];
}

/** What a gate of this type does in this project, by the first source that has a command, else by the markers. */
export function resolveGate(
  type: CommandGate,
  project: Project,
  sources: readonly CommandSource[],
): Resolution {
  const named = namedCommand(type === 'tests_found' ? 'test' : type, sources);
  if (named) return resolveNamed(named, project);
  const found = suggestion(markers[type], project);
  if (!found) return missing(type);
  const absent = found.suggestion.programs.find((program) => !project.hasProgram(program));
  if (absent !== undefined) return withoutProgram(type, found, absent);
  const { command, title = quoted(command) } = found.suggestion;
  return { status: 'command', command, title, lists: command.startsWith('go test -list') };
}

/** Every gate that could not run, one sentence or two each; empty where all can. */
export function gateFaults(
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
    if (resolution.status !== 'fault') return [];
    const steps = [...names].map((name) => `\`${name}\``).join(', ');
    return [`gate \`${type}\` of ${names.size > 1 ? 'the steps' : 'step'} ${steps}: ${resolution.message}`];
  });
}

function isCommandGate(type: string): type is CommandGate {
  return Object.hasOwn(markers, type);
}

interface Named {
  readonly command: string;
  readonly source: string;
}

function namedCommand(type: NamedCommand, sources: readonly CommandSource[]): Named | undefined {
  for (const { name, commands } of sources) {
    const command = commands[type];
    if (command !== undefined && command.trim() !== '') return { command, source: name };
  }
  return undefined;
}

/** A command that the user named is never skipped: a slip in it would let the gate pass for ever. */
function resolveNamed({ command, source }: Named, project: Project): Resolution {
  const program = firstProgram(command);
  if (program === undefined || project.hasProgram(program)) {
    return { status: 'command', command, title: quoted(command), lists: false };
  }
  const message = `${quoted(command)} (from ${source}) needs \`${program}\`, which is not on PATH. Install it in an earlier step of the job, or name another command there.`;
  return { status: 'fault', message };
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

interface Found {
  readonly marker: Marker;
  readonly suggestion: Suggestion;
}

function suggestion(candidates: readonly Marker[], project: Project): Found | undefined {
  for (const marker of candidates) {
    const found = marker.suggest(project);
    if (found) return { marker, suggestion: found };
  }
  return undefined;
}

function missing(type: CommandGate): Resolution {
  const wanted = markers[type].map((marker) => marker.wanted).join(', ');
  const searched = `the working directory has none of: ${wanted}`;
  if (isOptional(type)) return { status: 'skipped', reason: `No tool for ${type} is known: ${searched}.` };
  return { status: 'fault', message: `no command is known for it: ${searched}. ${remedy(type)}` };
}

function withoutProgram(type: CommandGate, { marker, suggestion }: Found, program: string): Resolution {
  const { command, title = quoted(command) } = suggestion;
  const why = `${title} (chosen because of ${marker.wanted}) needs \`${program}\`, which is not on PATH`;
  if (isOptional(type)) return { status: 'skipped', reason: `${why}.` };
  return {
    status: 'fault',
    message: `${why}. Install it in an earlier step of the job. Or: ${remedy(type)}`,
  };
}

/** A command as it stands in a sentence: its first line. */
export function quoted(command: string): string {
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
