/** What a step's `context` puts behind its prompt: files of the work tree, and what commands print. */
import type { Failure } from '../failure.js';
import { cutMiddle } from '../gates/cut-middle.js';
import type { AgentStep, ContextEntry } from '../workflow/workflow.js';
import type { EngineRun } from './engine-run.js';
import type { TemplateContext } from './template-context.js';

/** Of each entry; more of it would crowd out what the agent is asked to do. */
const maxContextCharacters = 100_000;

export type GatheredContext = { readonly parts: readonly string[] } | { readonly obstacle: Failure };

/** The templates in it. */
export function contextTexts({ context }: AgentStep): readonly string[] {
  return context.flatMap((entry) => (entry.type === 'file' ? [entry.path] : []));
}

/** A file that is not there stops the attempt before it costs anything; a command that fails is left out. */
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
  if (text !== undefined) return `The file ${path}:\n\n${cutMiddle(text.trimEnd(), maxContextCharacters)}`;
  const message = `\`context\` names the file ${path}, which is not there or cannot be read. Make it in an earlier step, or remove the entry.`;
  return { kind: 'crash', message, isFinal: true };
}

async function runContextCommand(
  run: EngineRun,
  path: string,
  { command }: Extract<ContextEntry, { type: 'bash' }>,
): Promise<string | undefined> {
  const { context, workspace, reporter } = run.ports;
  const end = await context.runCommand(workspace.directory, command, run.signal);
  if ('output' in end)
    return `What \`${command}\` prints:\n\n${cutMiddle(end.output.trimEnd(), maxContextCharacters)}`;
  if (!run.signal.aborted)
    reporter.warn(`Step ${path}: \`context\` is without \`${command}\`, which ${end.problem}.`);
  return undefined;
}
