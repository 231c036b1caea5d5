/** The job summary of a dry run. Pure. */
import { type Redactor, redactDeep } from '../security/redact.js';
import type { Workflow } from '../workflow/workflow.js';
import { planGraph } from './plan-graph.js';
import { codeBlock, escapeText, warningList } from './summary.js';

// The runner rejects a summary of more than 1 MiB; a line of the tree has at most about 200 bytes.
const maxLines = 2_000;

export interface PlanSummaryFacts {
  readonly workflow: Workflow;
  /** The lines of `planTree`. */
  readonly tree: readonly string[];
  readonly warnings: readonly string[];
}

export function planSummary({ workflow, ...texts }: PlanSummaryFacts, redact: Redactor): string {
  // Redact before escaping: escaping changes a secret that contains a `\`, and then it is not found.
  const { tree, warnings, name } = redactDeep({ ...texts, name: workflow.name }, redact);
  const graph = planGraph(workflow, redact);
  const hiddenLines = tree.length - maxLines;
  const parts = [
    `### ${escapeText(name)}: planned`,
    'The workflow was checked. No step was run.',
    codeBlock(tree.slice(0, maxLines).join('\n')),
    hiddenLines > 0 ? `${hiddenLines} more lines are in the log.` : undefined,
    graph === undefined
      ? 'The workflow is too large for a diagram.'
      : `\`\`\`mermaid\n${graph}\n\`\`\`\n\nDotted arrows: the step resumes a session.`,
    warningList(warnings.slice(0, maxLines)),
  ];
  return `${parts.filter((part) => part !== undefined).join('\n\n')}\n`;
}
