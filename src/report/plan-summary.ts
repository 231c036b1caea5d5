/** The job summary of a dry run. Pure. */
import { type Redactor, redactDeep } from '../security/redact.js';
import type { Workflow } from '../workflow/workflow.js';
import { planGraph } from './plan-graph.js';
import { codeBlock, escapeText, warningList } from './summary.js';

// A summary of more than 1 MiB is refused by the runner as a whole; a line of the tree has at most some 200 bytes.
const maxLines = 2_000;

export interface PlanSummaryFacts {
  readonly workflow: Workflow;
  /** Its tree, by `planTree`. */
  readonly tree: readonly string[];
  readonly warnings: readonly string[];
}

export function planSummary({ workflow, ...told }: PlanSummaryFacts, redact: Redactor): string {
  // Before anything is escaped: a secret with a `\\` in it is not found any more.
  const { tree, warnings, name } = redactDeep({ ...told, name: workflow.name }, redact);
  const graph = planGraph(workflow, redact);
  const hiddenLines = tree.length - maxLines;
  const parts = [
    `### ${escapeText(name)}: planned`,
    'The workflow was checked; nothing was run.',
    codeBlock(tree.slice(0, maxLines).join('\n')),
    hiddenLines > 0 ? `${hiddenLines} more lines are in the log.` : undefined,
    graph === undefined
      ? 'The workflow is too large to be drawn.'
      : `\`\`\`mermaid\n${graph}\n\`\`\`\n\nDotted arrows: the conversation goes on.`,
    warningList(warnings.slice(0, maxLines)),
  ];
  return `${parts.filter((part) => part !== undefined).join('\n\n')}\n`;
}
