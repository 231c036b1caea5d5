/** What the `context` of a step adds to its prompt: files of the worktree, and the output of commands. */
import type { Failure } from '../failure.js';
import { cutMiddle } from '../gates/cut-middle.js';
import { quoteCommand } from '../gates/resolve-gate.js';
import type { AgentStep, ContextEntry } from '../workflow/workflow.js';
import type { EngineRun } from './engine-run.js';
import type { TemplateContext } from './template-context.js';

/** Limit for each entry. More text would distract the agent from its task. */
const maxContextCharacters = 100_000;

export type GatheredContext = { readonly parts: readonly string[] } | { readonly obstacle: Failure };

/** The texts in `context` that are templates. */
export function contextTexts({ context }: AgentStep): readonly string[] {
  return context.flatMap((entry) => (entry.type === 'file' ? [entry.path] : []));
}

/** What is missing fails the attempt before it costs anything, unless the entry is optional. */
export async function gatherContext(
  run: EngineRun,
  path: string,
  { context }: AgentStep,
  templateContext: TemplateContext,
): Promise<GatheredContext> {
  const parts: string[] = [];
  for (const entry of context) {
    const part = await (entry.type === 'file'
      ? readContextFile(run, templateContext.render(entry.path))
      : runContextCommand(run, entry));
    if (typeof part === 'string') parts.push(part);
    else if ('failure' in part) return { obstacle: part.failure };
    // The attempt was interrupted, so nothing is known about the command.
    else if (run.signal.aborted) continue;
    else if (entry.optional) warnAboutMissing(run, path, part);
    else return { obstacle: missingFailure(part) };
  }
  return { parts };
}

/** Why an entry has no text, in the words of messages. */
interface MissingText {
  /** What the prompt lacks. */
  readonly subject: string;
  readonly problem: string;
  readonly advice: string;
}

type ContextText = string | MissingText | { readonly failure: Failure };

async function readContextFile(run: EngineRun, path: string): Promise<ContextText> {
  const text = await run.ports.context.readFile(run.ports.workspace.directory, path);
  if (text !== undefined)
    return `Content of the file \`${path}\`:\n\n${cutMiddle(text.trimEnd(), maxContextCharacters)}`;
  return {
    subject: `the file \`${path}\``,
    problem: 'is missing or cannot be read',
    advice: 'Create it in an earlier step, or set `optional: true` in the entry.',
  };
}

async function runContextCommand(
  run: EngineRun,
  { command }: Extract<ContextEntry, { type: 'bash' }>,
): Promise<ContextText> {
  const { context, workspace } = run.ports;
  run.markGateFilesDue();
  const end = await context.runCommand(workspace.directory, command, run.signal);
  if ('output' in end)
    return `Output of \`${command}\`:\n\n${cutMiddle(end.output.trimEnd(), maxContextCharacters)}`;
  if ('failure' in end) return end;
  return {
    subject: `the command ${quoteCommand(command)}`,
    problem: end.problem,
    advice: end.hint ?? 'Correct the command, or set `optional: true` in the entry.',
  };
}

function missingFailure({ subject, problem, advice }: MissingText): Failure {
  return {
    kind: 'crash',
    message: `\`context\`: ${asSentence(`${subject} ${problem}`)} ${advice}`,
    isFinal: true,
  };
}

function warnAboutMissing(run: EngineRun, path: string, { subject, problem }: MissingText): void {
  run.ports.reporter.warn(
    `Step \`${path}\`: the prompt lacks an optional entry of \`context\`: ${asSentence(`${subject} ${problem}`)}`,
  );
}

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
