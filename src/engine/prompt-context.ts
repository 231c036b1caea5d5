/** What the `context` of a step adds to its prompt: files of the worktree, and the output of commands. */
import type { Failure } from '../failure.js';
import { cutMiddle } from '../gates/cut-middle.js';
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

/** A missing file fails the attempt before it costs anything. The output of a failed command is left out. */
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
      : runContextCommand(run, path, entry));
    if (typeof part === 'object') return { obstacle: part };
    if (part !== undefined) parts.push(part);
  }
  return { parts };
}

async function readContextFile(run: EngineRun, path: string): Promise<string | Failure> {
  const text = await run.ports.context.readFile(run.ports.workspace.directory, path);
  if (text !== undefined)
    return `Content of the file \`${path}\`:\n\n${cutMiddle(text.trimEnd(), maxContextCharacters)}`;
  const message = `\`context\`: the file \`${path}\` is missing or cannot be read. Create it in an earlier step, or remove the entry.`;
  return { kind: 'crash', message, isFinal: true };
}

async function runContextCommand(
  run: EngineRun,
  path: string,
  { command }: Extract<ContextEntry, { type: 'bash' }>,
): Promise<string | Failure | undefined> {
  const { context, workspace, reporter } = run.ports;
  run.markGateFilesDue();
  const end = await context.runCommand(workspace.directory, command, run.signal);
  if ('output' in end)
    return `Output of \`${command}\`:\n\n${cutMiddle(end.output.trimEnd(), maxContextCharacters)}`;
  if ('failure' in end) return end.failure;
  if (!run.signal.aborted)
    reporter.warn(
      `Step \`${path}\`: the prompt lacks the output of \`${command}\` from \`context\`, because the command ${end.problem}.`,
    );
  return undefined;
}
