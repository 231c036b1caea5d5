/** What the journal keeps of an agent's answer as the result of its step, in addition to its output file. */
import { type AgentEnded, type AttemptRef, maxStoredText, type OutputFile } from '../journal/event.js';
import { type Finding, placeFinding } from '../outputs/findings.js';
import { readVerdictFindings } from '../outputs/verdict-file.js';
import type { AgentStep } from '../workflow/workflow.js';
import type { AgentTurnOutcome } from './agent-turn.js';
import type { EngineRun } from './engine-run.js';

export function resultFields(
  run: EngineRun,
  step: AgentStep,
  ref: AttemptRef,
  { failure, text }: AgentTurnOutcome,
  output: OutputFile | undefined,
): Pick<AgentEnded, 'text' | 'findings'> {
  if (failure !== undefined) return {};
  if (step.type === 'code') return text.trim() === '' ? {} : { text: shortened(text) };
  const findings = step.type === 'validate' ? readFindingsOf(run, ref, output?.text) : [];
  return findings.length === 0 ? {} : { findings };
}

/** Findings at the places that exist now: the tree is that of this attempt, and no later one has to look again. */
function readFindingsOf(run: EngineRun, { step }: AttemptRef, text: string | undefined): readonly Finding[] {
  const { findings, problems } = readVerdictFindings(text);
  if (problems.length > 0)
    run.ports.reporter.warn(
      `Step \`${step}\`: findings in \`.gump/out/validate.json\` were dropped: ${namedProblems(problems)}. The verdict counts. Ask in the prompt for the form that the output contract describes.`,
    );
  const { root, directory } = run.ports.workspace;
  const prefix = directory === root ? '' : `${directory.slice(root.length + 1)}/`;
  const countLines = (path: string) => run.ports.countLines(root, path);
  return findings.map((finding) => placeFinding(finding, { root, prefix, countLines }));
}

/** A message names at most this many problems. */
const maxNamed = 5;

function namedProblems(problems: readonly string[]): string {
  const more = problems.length > maxNamed ? `; and ${problems.length - maxNamed} more` : '';
  return problems.slice(0, maxNamed).join('; ') + more;
}

/** Cuts no character in two. What people read of it is cut again, after secrets were removed. */
function shortened(text: string): string {
  return text.length <= maxStoredText ? text : text.slice(0, maxStoredText).replace(/[\uD800-\uDBFF]$/, '');
}
